import { dirname, join, resolve } from 'node:path';
import {
  ARCHIVE_PROTOCOLS,
  BROKER_PROTOCOLS,
  type Endpoint,
  dicomNodeOf,
  endpointOf,
  type Site,
} from '../app/init/site';
import { ask, askPassword } from './ask';
import { printChecks } from './check-results';
import { HilumCommand, print, UsageError } from './command';

interface InitOptions {
  readonly archive?: string;
  readonly broker?: string;
  readonly pacs?: string;
  readonly list?: boolean;
  readonly state?: string;
  readonly out: string;
  readonly yes?: boolean;
}

const CONFIGURATION = '/etc/hilum/hilum.yaml';
const STATE_OF_SERVICE = '/var/lib/hilum';

/**
 * Environment variables with passwords for `--yes`: arguments are visible in the list of processes and in the shell's
 * history.
 */
const PASSWORDS = {
  archive: 'HILUM_ARCHIVE_PASSWORD',
  broker: 'HILUM_BROKER_PASSWORD',
  admin: 'HILUM_ADMIN_PASSWORD',
} as const;

export const init = new HilumCommand(
  'init',
  'a first configuration: asks for archive, broker and list, then checks them',
)
  .description(
    'Writes a first configuration with its passwords in files of their own, makes the state folder and the first ' +
      'account, and ends in doctor. Asks at the terminal for what is not given; what was there before is kept beside ' +
      `it. With --yes it asks nothing, and takes passwords from ${Object.values(PASSWORDS).join(', ')}.`,
  )
  .option('--archive <URL>', 'DICOMweb root of the archive, e.g. http://hilum@127.0.0.1:8042/dicom-web')
  .option('--broker <URL>', 'RabbitMQ, e.g. amqp://hilum@127.0.0.1:5672')
  .option(
    '--pacs <AET@HOST:PORT>',
    'a PACS that results are sent to by C-STORE, through the Orthanc that is the archive',
  )
  .option('--list', 'keeps a reading list, with accounts')
  .option('--no-list', 'keeps none')
  .option('--state <DIR>', `folder of what must outlive a restart; by default ${STATE_OF_SERVICE}, or beside the file`)
  .option('--out <FILE>', 'the configuration', CONFIGURATION)
  .option('--yes', 'asks nothing')
  .example(
    'hilum init',
    'hilum init --archive http://hilum@127.0.0.1:8042/dicom-web --broker amqp://hilum@127.0.0.1:5672 --list --yes',
    'hilum init --pacs PACS@pacs.hospital.example:104',
  )
  .does(async (options: InitOptions) => {
    const out = resolve(options.out);
    const site = options.yes === true ? given(options, out) : await asked(options, out);
    const { initialise } = await import('../app/init/initialise.js');
    const account = options.yes === true ? passwordOf('admin') : await askedAccount(site);
    const { done } = await initialise(site, out, account);
    done.forEach(print);
    const { examine } = await import('../app/doctor/doctor.js');
    return printChecks(await examine(out), false);
  });

function given({ archive, broker, pacs, list = false, state }: InitOptions, out: string): Site {
  if (archive === undefined || broker === undefined)
    throw new UsageError('--yes needs --archive and --broker: nothing is guessed of a hospital');
  return {
    archive: { ...endpointOf(archive, ARCHIVE_PROTOCOLS), ...passwordOf('archive') },
    broker: { ...endpointOf(broker, BROKER_PROTOCOLS), ...passwordOf('broker') },
    ...pacsOf(pacs),
    list,
    stateDir: resolve(state ?? stateBeside(out)),
  };
}

const pacsOf = (text = '') => (text === '' ? {} : { pacs: dicomNodeOf(text) });

function passwordOf(what: keyof typeof PASSWORDS): { password?: string } {
  const password = process.env[PASSWORDS[what]];
  return password === undefined ? {} : { password };
}

const stateBeside = (out: string) => (out.startsWith('/etc/') ? STATE_OF_SERVICE : join(dirname(out), 'state'));

async function asked(options: InitOptions, out: string): Promise<Site> {
  if (!process.stdin.isTTY) throw new UsageError('there is no terminal to ask at: use --yes and the other options');
  return {
    archive: await askedEndpoint('DICOMweb root of the archive', options.archive, {
      byDefault: 'http://127.0.0.1:8042/dicom-web',
      protocols: ARCHIVE_PROTOCOLS,
    }),
    broker: await askedEndpoint('RabbitMQ', options.broker, {
      byDefault: 'amqp://127.0.0.1:5672',
      protocols: BROKER_PROTOCOLS,
    }),
    ...pacsOf(options.pacs ?? (await ask('PACS that results are sent to by C-STORE, as AET@HOST:PORT (none: Enter)'))),
    list: options.list ?? /^y/i.test(await ask('Keep a reading list, with accounts (yes or no)', 'yes')),
    stateDir: resolve(options.state ?? (await ask('Folder of what must outlive a restart', stateBeside(out)))),
  };
}

async function askedEndpoint(
  what: string,
  url: string | undefined,
  { byDefault, protocols }: { readonly byDefault: string; readonly protocols: readonly string[] },
): Promise<Endpoint> {
  const endpoint = endpointOf(url ?? (await ask(what, byDefault)), protocols);
  const username = endpoint.username ?? (await ask('  user (none: Enter)'));
  if (username === '' || endpoint.password !== undefined) return endpoint;
  return { ...endpoint, username, password: await askPassword(`  password of ${username}`) };
}

async function askedAccount({ list }: Site): Promise<{ username?: string; password?: string }> {
  if (!list) return {};
  const username = await ask('First account of the reading list, with all roles', 'admin');
  return { username, password: await askPassword(`  password of ${username} (12 characters or more)`) };
}
