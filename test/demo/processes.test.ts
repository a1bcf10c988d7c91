import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { leftProcesses } from '../support/servers/left-processes';
import { until } from '../support/servers/servers';

/** Programs and folders of scripts/lib/processes.cjs, whatever ends the process that has them. */
const LIBRARY = resolve(__dirname, '../../scripts/lib/processes.cjs');
const temporary = mkdtempSync(join(tmpdir(), 'hilum-processes-'));
const ENVIRONMENT = { ...process.env, TMPDIR: temporary, HILUM_PORTS_DIR: join(temporary, 'hilum-ports') };
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

/** A folder that a program goes on writing into, one that has started another, and one that is run to its end. */
const SCRIPT = `
  const { startChild, runGroup, workFolder, freePort } = require(${JSON.stringify(LIBRARY)});
  const { dir } = workFolder('hilum-work-');
  startChild('/bin/sh', ['-c', 'while :; do echo x >> "$0/file"; mkdir -p "$0/a/b"; sleep 0.01; done', dir], { log: dir + '/writer.log' });
  startChild('/bin/sh', ['-c', 'sleep 300 & sleep 300'], { log: dir + '/sleeper.log' });
  void runGroup('/bin/sh', ['-c', 'sleep 300; true'], {});
  process.on('SIGTERM', () => process.exit(3));
  void freePort().then(() => console.log('started'));
`;

async function started(): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', SCRIPT], {
    env: ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
  await until('it has started', () => out.includes('started') && leftProcesses(temporary).length >= 5);
  return child;
}

test.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL'] as const)('%s leaves no program, no folder', async (signal) => {
  const child = await started();
  child.kill(signal);
  await until(
    () => `left: ${leftProcesses(temporary).join('; ')}`,
    () => leftProcesses(temporary).length === 0,
  );
  // Reservations of ports are files of whoever is killed; the next one who looks takes them.
  expect(readdirSync(temporary).filter((name) => !name.startsWith('hilum-ports'))).toEqual([]);
});

test('after a failure only logs that say something are kept', async () => {
  const script = `
    const { workFolder } = require(${JSON.stringify(LIBRARY)});
    const fs = require('fs');
    const folder = workFolder('hilum-work-');
    fs.mkdirSync(folder.dir + '/orthanc/storage', { recursive: true });
    fs.writeFileSync(folder.dir + '/orthanc/orthanc.log', 'said');
    fs.writeFileSync(folder.dir + '/orthanc/empty.log', '');
    fs.writeFileSync(folder.dir + '/orthanc/storage/film', 'a film');
    fs.writeFileSync(folder.dir + '/hilum.yaml', 'secret');
    console.log(JSON.stringify({ isKept: folder.keepLogs(), dir: folder.dir }));
    const none = workFolder('hilum-work-');
    fs.writeFileSync(none.dir + '/film', 'a film');
    if (none.keepLogs() || fs.existsSync(none.dir)) process.exitCode = 1;
  `;
  const child = spawn(process.execPath, ['-e', script], { env: ENVIRONMENT });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
  const status = await new Promise((ended) => child.once('close', ended));
  const { isKept, dir } = JSON.parse(out) as { isKept: boolean; dir: string };
  expect({ status, isKept }).toEqual({ status: 0, isKept: true });
  const left = readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort();
  expect(left).toEqual(['orthanc', 'orthanc/orthanc.log']);
  expect(readFileSync(join(dir, 'orthanc/orthanc.log'), 'utf8')).toBe('said');
  expect(existsSync(dir)).toBe(true);
});
