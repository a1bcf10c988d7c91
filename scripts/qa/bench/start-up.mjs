/** What a start costs: of the service until it is ready, and of `hilum analyze` with one film. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { startService } from '../../lib/service.mjs';
import { ROOT, say } from '../../lib/shell.mjs';
import { median } from './figures.cjs';
import { cpuSeconds, endedChildrenCpuSeconds } from './usage.mjs';

const TIMES = 5;

/**
 * @param {string} film a file
 * @returns {Promise<Record<'serve' | 'analyze', {cpuSeconds: number, wallSeconds: number}>>} medians
 */
export async function measureStartUp(film, { dir, rabbit, orthanc, onStarted }) {
  say('start-up');
  /** @type {{cpuSeconds: number, wallSeconds: number}[]} */
  const serve = [];
  /** @type {typeof serve} */
  const analyze = [];
  for (let i = 1; i <= TIMES; i++) {
    serve.push(await startOnce(path.join(dir, `start-up-${i}`), { rabbit, orthanc, onStarted }));
    analyze.push(await analyzeOnce(film, path.join(dir, `analyze-${i}`)));
  }
  return { serve: medians(serve), analyze: medians(analyze) };
}

async function startOnce(dir, { rabbit, orthanc, onStarted }) {
  const started = performance.now();
  const config = { broker: { prefix: 'start-up' } };
  const service = await startService({ dir, archiveUrl: orthanc.dicomWebUrl, amqpUrl: rabbit.amqpUrl, config });
  onStarted(service);
  const row = { cpuSeconds: cpuSeconds([service.pid]), wallSeconds: (performance.now() - started) / 1000 };
  await service.stop();
  return row;
}

async function analyzeOnce(film, out) {
  const [before, started] = [endedChildrenCpuSeconds(), performance.now()];
  const args = [path.join(ROOT, 'dist/cli.js'), 'analyze', film, '--out', out];
  await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  return { cpuSeconds: endedChildrenCpuSeconds() - before, wallSeconds: (performance.now() - started) / 1000 };
}

const medians = (rows) => ({
  cpuSeconds: median(rows.map((row) => row.cpuSeconds)),
  wallSeconds: median(rows.map((row) => row.wallSeconds)),
});
