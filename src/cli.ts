#!/usr/bin/env node
import { CommanderError } from 'commander';
import { describeError, HilumError } from './base/errors';
import { collectGarbageLessOften } from './base/heap';
import { MISUSED, OUTPUT_FAILED } from './cli/command';
import { program } from './cli/commands';
import { watchOutputs } from './cli/outputs';

/** Runs the command that the arguments name, which sets the exit status. */
async function run(args: readonly string[]): Promise<void> {
  if (args.length > 0) await program.parseAsync(args, { from: 'user' });
  else {
    program.outputHelp();
    process.exitCode = MISUSED;
  }
}

function fail(error: unknown): void {
  // Help and version end up here too, with status 0; usage errors are printed already.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : MISUSED;
  else {
    process.stderr.write(`hilum: ${describe(error)}\n`);
    process.exitCode = error instanceof HilumError && error.code === 'OUTPUT_FAILED' ? OUTPUT_FAILED : 1;
  }
}

/** One sentence for an error that somebody can act on; for any other, where in the program it happened. */
function describe(error: unknown): string {
  if (error instanceof HilumError) return describeError(error);
  if (isOfSystem(error)) return error.message;
  return error instanceof Error ? (error.stack ?? String(error)) : String(error);
}

/** An error of the operating system (missing, not permitted, disk full); its message names the file. */
function isOfSystem(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error && 'path' in error;
}

watchOutputs(fail);
collectGarbageLessOften();
run(process.argv.slice(2)).catch(fail);
