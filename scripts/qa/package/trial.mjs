/** What is tried of a package and of an image alike, inside a root: a line for each, and a film through servers. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { drawnFilms } from '../../dev/demo/films.mjs';
import { say } from '../../lib/shell.mjs';

const require = createRequire(import.meta.url);
const { startOrthanc, startRabbit } = require('../../lib/servers.cjs');
const { workFolder } = require('../../lib/processes.cjs');

const counted = { ok: 0, FAILED: 0 };

/** `ok WHAT` or `FAILED WHAT`, which scripts outside the root count; `detail` is told where it failed. */
export function check(what, holds, detail = '') {
  const word = holds ? 'ok' : 'FAILED';
  counted[word]++;
  process.stdout.write(`${word} ${what}\n`);
  if (!holds && detail !== '') say(detail);
}

/** Says how many held; the exit status. */
export function endOfChecks() {
  process.stdout.write(`${counted.ok} passed, ${counted.FAILED} failed\n`);
  return counted.FAILED > 0 || counted.ok === 0 ? 1 : 0;
}

/** What was counted in the output of a trial. */
export function countsOf({ code, output }) {
  const lines = (word) => output.match(new RegExp(`^${word} `, 'gm'))?.length ?? 0;
  return { passed: lines('ok'), failed: Math.max(lines('FAILED'), code === 0 ? 0 : 1) };
}

export const run = (file, args) => spawnSync(file, args, { encoding: 'utf8', cwd: '/' });

/** Real servers while `work` needs them; it gets Orthanc, a folder, and the settings by which a service finds them. */
export async function withServers(work) {
  const { dir } = workFolder('hilum-trial-');
  const rabbit = await startRabbit({ dir: `${dir}/rabbitmq` });
  const orthanc = await startOrthanc({ dir: `${dir}/orthanc`, amqpUrl: rabbit.amqpUrl });
  await work({ dir, orthanc, settings: { archive: { url: orthanc.dicomWebUrl }, broker: { url: rabbit.amqpUrl } } });
  await orthanc.stop();
  await rabbit.stop();
}

/** Stores a drawn film and waits for its report. */
export async function filmGetsReport({ url }) {
  await fetch(`${url}/instances`, { method: 'POST', body: drawnFilms().films[0]?.read() });
  return eventually(async () => {
    const series = await (await fetch(`${url}/series?expand`)).json();
    return series.some(({ MainDicomTags }) => MainDicomTags.Modality === 'SR');
  });
}

export async function answers(url) {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(5_000) })).status === 200;
  } catch {
    return false;
  }
}

async function eventually(holds, timeoutMs = 90_000) {
  for (const end = Date.now() + timeoutMs; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 500)))
    if (await holds()) return true;
  return false;
}
