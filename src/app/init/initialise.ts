import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, lchownSync, lstatSync, readdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeAtomicallySync } from '../../base/atomic-file';
import { HilumError } from '../../base/errors';
import { makeFolder } from '../../base/folder';
import { readConfig } from '../../config/config';
import { passwordProblem } from '../../web/access/password';
import { randomSecret } from '../../web/access/secret';
import { openDirectory } from '../access';
import { configurationOf, PACS } from './configuration';
import { type DicomNode, type Endpoint, orthancUrlOf, type Site } from './site';

/** Account of the operating system that the systemd unit and the package run the service as. */
const SERVICE_ACCOUNT = 'hilum';

/**
 * File modes of the configuration and its secrets: readable by the service's group, and without such a group by the
 * owner alone.
 */
const [MODE_WITH_GROUP, MODE_ALONE] = [0o640, 0o600];

const ORTHANC_TIMEOUT_MS = 5_000;

/** Name of the list's first account. */
const ADMIN = 'admin';

export interface FirstAccount {
  readonly username: string;
  readonly password: string;
}

export interface Initialised {
  /** What was done, one sentence for each step. */
  readonly done: readonly string[];
}

/**
 * Writes the configuration with its secrets, makes the state folder, and creates the first account where there is a
 * list without accounts. Files that were there before are kept beside the new ones. Run as root, everything belongs to
 * the service's account where that exists.
 * @throws HilumError CONFIG_INVALID, and errors of the file system
 */
export async function initialise(site: Site, out: string, account: Partial<FirstAccount> = {}): Promise<Initialised> {
  const problem = account.password === undefined ? null : passwordProblem(account.password, account.username ?? ADMIN);
  if (site.list && problem !== null) throw new HilumError('CONFIG_INVALID', 'permanent', problem);
  const { text, secrets } = configurationOf(site);
  const owner = serviceOwner();
  const folder = dirname(out);
  const files = [out, ...secrets.map(({ name }) => join(folder, name))];
  const kept = files.map((path) => ({ path, old: keptBeside(path) }));
  for (const { name, content } of secrets) writeFor(owner, join(folder, name), `${content}\n`);
  writeFor(owner, out, text);
  makeFolder(site.stateDir, 0o700);
  const told = site.pacs === undefined ? [] : await tellOrthanc(site, site.pacs);
  const made = site.list ? await firstAccount(out, account) : [];
  if (owner !== null) giveTo(owner, site.stateDir);
  return {
    done: [
      ...kept.flatMap(({ path, old }) => (old === null ? [] : [`${path} that was there is now ${old}`])),
      ...files.map((path) => `wrote ${path}`),
      `state is kept in ${site.stateDir}`,
      ...told,
      ...made,
    ],
  };
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The service's account; null where it does not exist or we are not root. */
function serviceOwner(): Owner | null {
  if (process.getuid?.() !== 0) return null;
  try {
    const [uid, gid] = ['-u', '-g'].map((option) =>
      Number(execFileSync('id', [option, SERVICE_ACCOUNT], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })),
    );
    return { uid: uid!, gid: gid! };
  } catch {
    return null;
  }
}

/** Writes a file that only root and the service can read, and only root can change. */
function writeFor(owner: Owner | null, path: string, content: string): void {
  writeAtomicallySync(path, content, { mode: MODE_ALONE });
  if (owner === null) return;
  chownSync(path, 0, owner.gid);
  chmodSync(path, MODE_WITH_GROUP);
}

/** Links are not followed: the service's account could have made one to a file of root. */
function giveTo(owner: Owner, path: string): void {
  lchownSync(path, owner.uid, owner.gid);
  if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) giveTo(owner, join(path, name));
}

/** Renames an existing file. @returns its new path, or null where there was none */
function keptBeside(path: string): string | null {
  if (!existsSync(path)) return null;
  for (let number = 1; ; number++) {
    const target = `${path}.old${number === 1 ? '' : `-${number}`}`;
    if (existsSync(target)) continue;
    renameSync(path, target);
    return target;
  }
}

/**
 * Registers the PACS with Orthanc so that doctor can try it. Orthanc forgets it when it restarts, unless its own
 * configuration has it.
 */
async function tellOrthanc({ archive }: Site, { aet, host, port }: DicomNode): Promise<string[]> {
  const line = JSON.stringify({ [PACS]: { AET: aet, Host: host, Port: port } });
  const told = await putModality(archive, JSON.stringify({ AET: aet, Host: host, Port: port }));
  const said = told ? 'told Orthanc of the PACS until its next start' : 'could not tell Orthanc of the PACS';
  return [`${said}; for good: "DicomModalities": ${line} in its configuration`];
}

async function putModality({ url, username, password = '' }: Endpoint, body: string): Promise<boolean> {
  const account = Buffer.from(`${username ?? ''}:${password}`).toString('base64');
  const headers = {
    'content-type': 'application/json',
    ...(username === undefined ? {} : { authorization: `Basic ${account}` }),
  };
  try {
    const signal = AbortSignal.timeout(ORTHANC_TIMEOUT_MS);
    return (await fetch(`${orthancUrlOf(url)}/modalities/${PACS}`, { method: 'PUT', headers, body, signal })).ok;
  } catch {
    return false;
  }
}

/** Creates the first account with every role of a person, so that it can create the others. */
async function firstAccount(out: string, { username = ADMIN, password }: Partial<FirstAccount>): Promise<string[]> {
  const opened = openDirectory(readConfig(out));
  try {
    if ((await opened.directory.list()).length > 0) return ['accounts are there already, none was made'];
    const given = password ?? randomSecret();
    const roles = ['admin', 'operator', 'radiologist'];
    const problem = await opened.directory.add({ username, displayName: '', password: given, roles }, opened.record);
    if (problem !== null) throw new HilumError('CONFIG_INVALID', 'permanent', problem);
    const shown = password === undefined ? `, with the password ${given} (change it: hilum users passwd)` : '';
    return [`made the account ${username}${shown}`];
  } finally {
    await opened.close();
  }
}
