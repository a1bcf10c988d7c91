#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { describeError, HilumError } from './base/errors';

const USAGE = `hilum - chest-film triage for a PACS. Research use only, not for diagnosis.

  hilum serve   --config FILE            the service: listens, analyses, stores results
  hilum analyze PATH... --out DIR        analyses DICOM files or folders without any server
          [--json]                       one JSON line per file
          [--models DIR]                 another folder of models
  hilum evaluate --labels FILE.csv --films DIR --out DIR   how well it does on your own films (DICOM, PNG, JPEG): a report in HTML and JSON
          [--positive VALUE]             which label is the finding
          [--sensitivity 0.95]           the sensitivity that a threshold is chosen for
          [--config FILE | --models DIR] the models and the operating point of a configuration; another folder of models
          [--apply-threshold FILE]       writes that threshold into this configuration
  hilum models  [--dir DIR] [--json]     the installed models, their cards, digests checked
  hilum models check DIR|ID [--json]     checks a model folder, of your own or installed: manifest, files, engine, and the answers to drawn films
  hilum doctor  --config FILE [--json]   checks archive, broker, models, disk and clock, and says what is wrong
  hilum dead    list --config FILE       the studies and deliveries that were given up, oldest first
  hilum dead    show ID --config FILE    one of them, with its history
  hilum dead    replay ID|--all --config FILE   tries again, from the first try
  hilum dead    drop ID|--all --config FILE     forgets it
          [--queue NAME]                 only those of one queue: study, or a sink such as hl7
          [--json]                       one JSON line per letter
  hilum drift --config FILE              whether the last days' films are like those that the classifier was validated on
          [--days N] [--json]            of the last N days (7), one JSON line
  hilum reanalyze STUDYUID... --config FILE     analyses studies anew whose films have a result of another version or other settings;
                                         films that this version has done with these settings stay as they are
  hilum reanalyze --since YYYY-MM-DD [--until YYYY-MM-DD] --config FILE   all studies of these days, by Study Date
          [--dry-run] [--json]           only says which; one JSON line per study
  hilum users   list --config FILE       the accounts of Hilum
  hilum users   add NAME --roles ROLE,... [--name TEXT] --config FILE   a new account (radiologist, operator, admin); asks for the password
  hilum users   passwd NAME | role NAME --roles ROLE,... | remove NAME --config FILE
  hilum tokens  list --config FILE       the API tokens of machines
  hilum tokens  add LABEL --roles ROLE --config FILE   a new one (metrics, operator, radiologist, admin), shown this once
  hilum tokens  revoke PREFIX --config FILE
  hilum rebuild [STUDYUID... | --since YYYY-MM-DD [--until YYYY-MM-DD]] --config FILE   fills the reading list from the reports in the archive
          [--all]                        reads again what the list has a result of, too
          [--json]                       one JSON line per study
  hilum --version | --help
`;

/** Flags to options, nothing else. Each command loads only what it needs. */
async function run(argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv;
  const { values, positionals } = parseArgs({
    args: rest,
    allowPositionals: true,
    options: {
      all: { type: 'boolean', default: false },
      config: { type: 'string' },
      out: { type: 'string' },
      json: { type: 'boolean', default: false },
      models: { type: 'string' },
      dir: { type: 'string' },
      since: { type: 'string' },
      labels: { type: 'string' },
      films: { type: 'string' },
      positive: { type: 'string' },
      sensitivity: { type: 'string', default: '0.95' },
      'apply-threshold': { type: 'string' },
      until: { type: 'string' },
      queue: { type: 'string' },
      days: { type: 'string', default: '7' },
      'dry-run': { type: 'boolean', default: false },
      roles: { type: 'string', default: '' },
      name: { type: 'string' },
    },
  });
  switch (command) {
    case 'serve':
      return (await import('./main.js')).serve(required(values.config, '--config FILE'));
    case 'analyze':
      return (await import('./cli/analyze.js')).analyze({
        paths: positionals,
        out: required(values.out, '--out DIR'),
        json: values.json,
        models: values.models,
      });
    case 'evaluate':
      return (await import('./cli/evaluate.js')).evaluate({
        labels: required(values.labels, '--labels FILE.csv'),
        films: required(values.films, '--films DIR'),
        out: required(values.out, '--out DIR'),
        positive: values.positive,
        sensitivity: shareOf(values.sensitivity, '--sensitivity'),
        models: values.models,
        config: oneOf(values.config, values['apply-threshold']),
        applyThreshold: values['apply-threshold'] !== undefined,
      });
    case 'models':
      if (positionals.length > 0)
        return (await import('./cli/models-check.js')).checkModel({
          model: checkTarget(positionals),
          dir: values.dir ?? values.models,
          json: values.json,
        });
      return (await import('./cli/models.js')).models({ dir: values.dir ?? values.models, json: values.json });
    case 'doctor':
      return (await import('./cli/doctor.js')).doctor({
        config: required(values.config, '--config FILE'),
        json: values.json,
      });
    case 'drift':
      return (await import('./cli/drift.js')).drift({
        config: required(values.config, '--config FILE'),
        days: daysOf(values.days),
        json: values.json,
      });
    case 'dead':
      return (await import('./cli/dead.js')).dead({
        ...deadTarget(positionals, values.all),
        queue: await deadQueue(values.queue),
        config: required(values.config, '--config FILE'),
        json: values.json,
      });
    case 'reanalyze': {
      const { reanalyze, readTarget } = await import('./cli/reanalyze.js');
      const target = readTarget(positionals, values.since, values.until, new Date());
      if (typeof target === 'string') throw new UsageError(target);
      return reanalyze({
        target,
        config: required(values.config, '--config FILE'),
        dryRun: values['dry-run'],
        json: values.json,
      });
    }
    case 'users':
      return (await import('./cli/users.js')).users({
        ...accessTarget('users', USER_ACTIONS, positionals),
        roles: rolesOf(values.roles),
        name: values.name,
        config: required(values.config, '--config FILE'),
        json: values.json,
      });
    case 'tokens':
      return (await import('./cli/tokens.js')).tokens({
        ...accessTarget('tokens', TOKEN_ACTIONS, positionals),
        roles: rolesOf(values.roles),
        config: required(values.config, '--config FILE'),
        json: values.json,
      });
    case 'rebuild': {
      const [{ rebuild }, { readTarget }] = [await import('./cli/rebuild.js'), await import('./cli/reanalyze.js')];
      const target = readTarget(
        positionals,
        positionals.length > 0 ? values.since : (values.since ?? '2000-01-01'),
        values.until,
        new Date(),
      );
      if (typeof target === 'string') throw new UsageError(target);
      return rebuild({
        target,
        config: required(values.config, '--config FILE'),
        again: values.all,
        json: values.json,
      });
    }
    case '--version':
      process.stdout.write(`${(await import('./app/installed.js')).VERSION}\n`);
      return 0;
    case '--help':
    case undefined:
      process.stdout.write(USAGE);
      return command === undefined ? 2 : 0;
    default:
      throw new UsageError(`there is no command ${command}`);
  }
}

class UsageError extends Error {}

function required(value: string | undefined, flag: string): string {
  if (value === undefined || value === '') throw new UsageError(`${flag} is missing`);
  return value;
}

function checkTarget([action, model, ...more]: readonly string[]): string {
  if (action !== 'check') throw new UsageError(`there is no command models ${action}`);
  if (more.length > 0) throw new UsageError('models check takes one folder or id');
  return required(model, 'DIR|ID');
}

function shareOf(text: string, flag: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1))
    throw new UsageError(`${flag} is a share above 0 and at most 1, such as 0.95, not ${text}`);
  return value;
}

function daysOf(text: string): number {
  const days = Number(text);
  if (!Number.isInteger(days) || days < 1 || days > 3650)
    throw new UsageError(`--days is a whole number from 1, not ${text}`);
  return days;
}

/** A threshold holds for the models that it was measured with: it can't go into another configuration. */
function oneOf(config: string | undefined, applied: string | undefined): string | undefined {
  if (config !== undefined && applied !== undefined && config !== applied)
    throw new UsageError('--config and --apply-threshold name two files');
  return config ?? applied;
}

const DEAD_ACTIONS = ['list', 'show', 'replay', 'drop'] as const;

/** `list` takes none, `show` an ID, `replay` and `drop` an ID or, on purpose, `--all`. */
function deadTarget(
  [given, id, ...more]: readonly string[],
  all: boolean,
): { action: (typeof DEAD_ACTIONS)[number]; id: string | null } {
  const action = DEAD_ACTIONS.find((name) => name === given);
  if (action === undefined)
    throw new UsageError(
      given === undefined ? 'dead needs list, show, replay or drop' : `there is no command dead ${given}`,
    );
  if (action === 'list' ? id !== undefined || all : more.length > 0 || (all && (id !== undefined || action === 'show')))
    throw new UsageError(`too much for dead ${action}`);
  if (action !== 'list' && !all && id === undefined)
    throw new UsageError(`dead ${action} needs an ID${action === 'show' ? '' : ' or --all'}`);
  return { action, id: id ?? null };
}

const USER_ACTIONS = ['list', 'add', 'passwd', 'role', 'remove'] as const;
const TOKEN_ACTIONS = ['list', 'add', 'revoke'] as const;

/** `list` takes none, every other action one name. */
function accessTarget<A extends string>(
  command: string,
  actions: readonly A[],
  [given, name, ...more]: readonly string[],
): { action: A; target: string } {
  const action = actions.find((known) => known === given);
  if (action === undefined) throw new UsageError(`${command} needs ${actions.join(', ')}`);
  if (more.length > 0 || (action === 'list' && name !== undefined))
    throw new UsageError(`too much for ${command} ${action}`);
  return { action, target: action === 'list' ? '' : required(name, `what to ${action}`) };
}

const rolesOf = (text: string) =>
  text
    .split(',')
    .map((role) => role.trim())
    .filter(Boolean);

async function deadQueue(name: string | undefined): Promise<string | null> {
  if (name === undefined || name === 'study') return name ?? null;
  const { SINKS } = await import('./sinks/registry.js');
  if (!SINKS.isName(name))
    throw new UsageError(`--queue is one of ${['study', ...SINKS.names].join(', ')}, not ${name}`);
  return name;
}

function isUsage(error: unknown): error is Error {
  return (
    error instanceof UsageError ||
    (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))
  );
}

/**
 * A file or folder that is not there, not ours to write, full: its message names it, and where in the program it came
 * up helps nobody.
 */
function isOfSystem(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error && 'path' in error;
}

// `hilum models | head`: whoever reads may stop reading.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

run(process.argv.slice(2)).then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    process.stderr.write(
      isUsage(error)
        ? `hilum: ${error.message}\n\n${USAGE}`
        : `hilum: ${error instanceof HilumError ? describeError(error) : isOfSystem(error) ? error.message : ((error as Error).stack ?? String(error))}\n`,
    );
    process.exitCode = isUsage(error) ? 2 : 1;
  },
);
