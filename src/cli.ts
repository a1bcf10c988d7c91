#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { describeError, HilumError } from './base/errors';

const USAGE = `hilum - chest-film triage for a PACS. Research use only, not for diagnosis.

  hilum serve   --config FILE            the service: listens, analyses, stores results
  hilum analyze PATH... --out DIR        analyses DICOM files or folders without any server
          [--json]                       one JSON line per file
          [--models DIR]                 another folder of models
  hilum models  [--dir DIR] [--json]     the installed models, their cards, digests checked
  hilum doctor  --config FILE [--json]   checks archive, broker, models, disk and clock, and says what is wrong
  hilum --version | --help
`;

/** Flags to options, nothing else. Each command loads only what it needs. */
async function run(argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv;
  const { values, positionals } = parseArgs({
    args: rest,
    allowPositionals: true,
    options: { config: { type: 'string' }, out: { type: 'string' }, json: { type: 'boolean', default: false }, models: { type: 'string' }, dir: { type: 'string' } },
  });
  switch (command) {
    case 'serve':
      return (await import('./main.js')).serve(required(values.config, '--config FILE'));
    case 'analyze':
      return (await import('./commands/analyze.js')).analyze({ paths: positionals, out: required(values.out, '--out DIR'), json: values.json, models: values.models });
    case 'models':
      return (await import('./commands/models.js')).models({ dir: values.dir ?? values.models, json: values.json });
    case 'doctor':
      return (await import('./commands/doctor.js')).doctor({ config: required(values.config, '--config FILE'), json: values.json });
    case '--version':
      process.stdout.write(`${(await import('./app.js')).VERSION}\n`);
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

function isUsage(error: unknown): error is Error {
  return error instanceof UsageError || (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
}

run(process.argv.slice(2)).then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    process.stderr.write(isUsage(error) ? `hilum: ${error.message}\n\n${USAGE}` : `hilum: ${error instanceof HilumError ? describeError(error) : ((error as Error).stack ?? String(error))}\n`);
    process.exitCode = isUsage(error) ? 2 : 1;
  },
);
