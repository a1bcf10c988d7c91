#!/usr/bin/env node
import { CommanderError } from 'commander';
import { describeError, HilumError } from './base/errors';
import { MISUSED, OUTPUT_FAILED } from './cli/command';
import { program } from './cli/commands';

/** Resolves to nothing: a command sets the exit status. */
async function run(args: readonly string[]): Promise<void> {
  if (args.length > 0) await program.parseAsync(args, { from: 'user' });
  else {
    program.outputHelp();
    process.exitCode = MISUSED;
  }
}

function fail(error: unknown): void {
  // Help and version come here too, with status 0; what was wrong with the use is told already.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : MISUSED;
  else {
    process.stderr.write(`hilum: ${describe(error)}\n`);
    process.exitCode = error instanceof HilumError && error.code === 'OUTPUT_FAILED' ? OUTPUT_FAILED : 1;
  }
}

/** One sentence where somebody can do something about it; else where in the program it came up. */
function describe(error: unknown): string {
  if (error instanceof HilumError) return describeError(error);
  if (isOfSystem(error)) return error.message;
  return error instanceof Error ? (error.stack ?? String(error)) : String(error);
}

/** A file or folder that is not there, not ours to write, full: its message names it. */
function isOfSystem(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error && 'path' in error;
}

// `hilum models | head`: whoever reads may stop reading.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

run(process.argv.slice(2)).catch(fail);
