/** Running programs from scripts: quiet while all goes well, the end of their output when not. */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import processes from './processes.cjs';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** A failure that is explained by its message alone: shown without a stack. */
export class Explained extends Error {
  explained = true;
}

/** Progress goes to standard error, so that standard output holds only what was asked for. */
export function say(text) {
  process.stderr.write(`${text}\n`);
}

let lastProgress = 0;

/** A line that overwrites itself on a terminal; elsewhere one now and then. Without text the line is done. */
export function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(text === undefined ? '\r\x1b[K' : `\r\x1b[K${text}`);
  else if (text !== undefined && Date.now() - lastProgress > 10_000) {
    lastProgress = Date.now();
    say(text);
  }
}

/**
 * Runs a program to its end, with one progress line.
 * @throws Explained with the last lines of its output when it fails.
 */
export async function runQuietly(title, file, args, options = {}) {
  const started = performance.now();
  process.stderr.write(`${title} ...`);
  const { code, output } = await processes.runGroup(file, args, { cwd: ROOT, ...options });
  process.stderr.write(` ${code === 0 ? 'done' : 'failed'} (${((performance.now() - started) / 1000).toFixed(0)} s)\n`);
  if (code !== 0)
    throw new Explained(
      `${file} ${args.join(' ')} ended with ${code}:\n${output.trimEnd().split('\n').slice(-30).join('\n')}`,
    );
}

/** What a program says on standard output, without the last line's end. @throws Explained when it fails */
export function outputOf(file, args, cwd = ROOT) {
  const options = { cwd, encoding: /** @type {const} */ ('utf8'), maxBuffer: 2 ** 26 };
  const { status, stdout, stderr, error } = spawnSync(file, args, options);
  if (status !== 0)
    throw new Explained(`${file} ${args[0] ?? ''}: ${error?.message ?? (stderr.trim() || stdout.trim())}`);
  return stdout.trimEnd();
}

/**
 * Runs a program with its output shown (`silentOut`: only its standard error), and hands back its exit status and what
 * it said.
 */
export function runShown(file, args, { env = process.env, cwd = ROOT, silentOut = false } = {}) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const { from, to } of [
      { from: child.stdout, to: process.stdout },
      { from: child.stderr, to: process.stderr },
    ]) {
      from.on('data', (data) => {
        if (!silentOut || to !== process.stdout) to.write(data);
        output += data;
      });
    }
    child.once('error', (error) => resolve({ code: 127, output: `${output}\n${error.message}` }));
    child.once('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/** Whether a program says yes. */
export function succeeds(file, args) {
  return spawnSync(file, args, { stdio: 'ignore' }).status === 0;
}

/**
 * Runs a script's main function; an explained failure is its message, any other one keeps its stack. Both end with
 * status 1. A script without a `--help` of its own shows its first comment.
 */
export async function runMain(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    const misused = String(error?.code).startsWith('ERR_PARSE_ARGS');
    const asked = misused && process.argv.includes('--help');
    say(
      asked
        ? usage()
        : misused
          ? `${error.message}\n\n${usage()}`
          : isExplained(error)
            ? [error.message, error.cause?.message].filter(Boolean).join(': ')
            : String(error?.stack ?? error),
    );
    process.exitCode = asked ? 0 : 1;
  }
}

/** By its message alone: ours, the service's own, or a file that is not there. */
function isExplained(error) {
  return (
    error?.explained || error?.name === 'HilumError' || (error?.syscall !== undefined && error?.path !== undefined)
  );
}

function usage() {
  const [, comment = ''] = /\/\*\*(.*?)\*\//s.exec(fs.readFileSync(process.argv[1] ?? '', 'utf8')) ?? [];
  return comment.replace(/^ *\*? ?/gm, '').trim();
}

/** Whether this module is the script that node was asked to run. */
export function isMain(moduleUrl) {
  return process.argv[1] !== undefined && fs.realpathSync(process.argv[1]) === fileURLToPath(moduleUrl);
}
