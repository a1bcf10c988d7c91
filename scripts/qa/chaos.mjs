#!/usr/bin/env node
/**
 * `npm run chaos [-- OPTIONS]`: kills workers, broker and archive at random while studies come in, and counts what was
 * lost or doubled. See --help.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readOptions, USAGE } from './chaos/options.mjs';
import { ensure } from '../dev/setup.mjs';
import { runMain, say } from '../lib/shell.mjs';
import { stopper } from '../lib/stopper.mjs';

/** Problems that are told in full; the others are of the same kind, most likely. */
const SHOWN = 20;

async function main() {
  const options = readOptions();
  if (options.help) return void process.stdout.write(USAGE);
  await ensure({ servers: true });
  const stop = stopper();
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'hilum-chaos-'));
  let isClean = false;
  process.once('exit', () =>
    isClean ? fs.rmSync(dir, { recursive: true, force: true }) : say(`logs and data are left in ${dir}`),
  );
  try {
    // Only now: these need npm packages.
    const [{ runChaos }, { describe }] = [await import('./chaos/run.mjs'), await import('./chaos/summary.mjs')];
    const { result, problems, letters } = await runChaos(dir, options, stop);
    isClean = result.ok && !options.keep;
    process.stdout.write(describe(result));
    if (!result.ok) complain(result, problems, letters);
    if (options.json) process.stdout.write(`${JSON.stringify({ ...result, ...(isClean ? {} : { folder: dir }) })}\n`);
    return result.ok ? 0 : 1;
  } finally {
    await stop.all();
  }
}

function complain(result, problems, letters) {
  for (const { study, film, what, holds } of problems.slice(0, SHOWN)) {
    say(
      `PROBLEM: ${what}\n  study ${study}${film === null ? '' : `\n  film  ${film}`}\n` +
        `  the study holds\n${holds.map((line) => `    ${line}`).join('\n')}`,
    );
  }
  if (problems.length > SHOWN) say(`... and ${problems.length - SHOWN} more`);
  for (const { study, reason, lost, history } of letters.slice(0, SHOWN))
    say(`DEAD: study ${study}, ${reason}, lost ${lost ?? 0} times, history ${history ?? 'none'}`);
  if (result.studiesWithoutResultEvent > 0)
    say(`PROBLEM: ${result.studiesWithoutResultEvent} studies have no result event`);
  if (!result.quiet)
    say(`PROBLEM: messages were still under way at the end: ${JSON.stringify(result.steps.messagesLeft)}`);
}

await runMain(main);
