import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ReportedFilm, ReportedStudy } from '../../scripts/dev/demo/table.cjs';
import { syntheticDicom, type SyntheticObject, syntheticUids } from '../../src/objects/synthetic-film';
import { leftProcesses } from '../support/servers/left-processes';
import { until } from '../support/servers/servers';

/** The demo as users start it: what it shows, and what it leaves behind when it is ended in each of its phases. */
const ROOT = resolve(__dirname, '../..');
/** The demo's folder for temporary files, by which all that it starts is known. */
let temporary: string;
let running: Demo | undefined;

beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'hilum-demo-test-'));
});

afterEach(() => {
  running?.child.kill('SIGKILL');
  running = undefined;
  rmSync(temporary, { recursive: true, force: true });
});

interface Demo {
  readonly child: ChildProcess;
  readonly ended: Promise<number | string | null>;
  out(): string;
  said(): string;
}

function start(command: string, args: readonly string[], cwd = ROOT): Demo {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_|^INIT_CWD$/.test(name)));
  const child = spawn(command, args, {
    cwd,
    env: { ...env, TMPDIR: temporary, HILUM_PORTS_DIR: join(temporary, 'hilum-ports') },
  });
  let [out, said] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
  const ended = new Promise<number | string | null>((done) =>
    child.once('close', (status, signal) => done(status ?? signal)),
  );
  running = { child, ended, out: () => out, said: () => said };
  return running;
}

const demo = (...args: string[]) => start(process.execPath, [join(ROOT, 'scripts/dev/demo.mjs'), ...args]);

async function reaches({ out, said }: Demo, text: string): Promise<void> {
  await until(
    () => `"${text}" in\n${out()}${said()}`,
    () => `${out()}${said()}`.includes(text),
    180_000,
  );
}

/** Ports that a killed process had reserved are taken over by the next one that looks for some. */
const leftFiles = () => readdirSync(temporary).filter((name) => !name.startsWith('hilum-ports'));

async function leavesNothing(): Promise<void> {
  await until(
    () => `left: ${[...leftProcesses(temporary), ...leftFiles()].join('; ')}`,
    () => leftProcesses(temporary).length === 0 && leftFiles().length === 0,
  );
}

interface Report {
  readonly studies: readonly ReportedStudy[];
  readonly notStored: readonly { readonly file: string; readonly reason: string }[];
}

const reportOf = ({ out }: Demo) => JSON.parse(out().trimEnd().split('\n').at(-1)!) as Report;

test('it shows a study that is urgent and films that are refused, and says why', async () => {
  const run = demo('--once', '--json');
  expect({ status: await run.ended, said: run.said() }).toMatchObject({ status: 0 });
  const { studies, notStored } = reportOf(run);
  expect(notStored).toEqual([]);
  const [first] = studies;
  // Whatever the models say of drawn opacities: the order is enough.
  expect(first).toMatchObject({
    study: 1,
    priority: 'urgent',
    films: [{ file: expect.stringContaining('STAT') as string }],
  });
  expect(first!.urgentBy).toContain('order');
  const films = Object.fromEntries(studies.flatMap((study) => study.films).map((film) => [film.file, film]));
  expect(films).toMatchObject({
    'chest lateral': { outcome: 'not-analysed', reason: expect.stringMatching(/^lateral-view: /) as string },
    'plate without an exposure': { outcome: 'not-analysed', reason: expect.stringMatching(/^blank-image: /) as string },
    'hand PA': { outcome: 'rejected', reason: expect.stringMatching(/^body-part: /) as string, outputs: [] },
  });
  for (const { file, why } of Object.values<ReportedFilm>(films)) {
    expect(why).toMatch(/^(Probability of .*operating point|Not analysed because .{10})/);
    expect(run.out()).toContain(file);
    expect(run.out()).toContain(why);
  }
  expect(run.out()).toContain('Urgent by its order');
  await leavesNothing();
}, 300_000);

/** Our writer refuses such a Study Instance UID. */
function withBadUid(film: SyntheticObject): Uint8Array {
  const bytes = Buffer.from(syntheticDicom(film));
  const uid = syntheticUids(film).studyInstanceUid;
  bytes.write(`${uid.slice(0, -1)}x`, bytes.indexOf(uid), 'latin1');
  return bytes;
}

test('a folder of anything, by npm without a second "--": all is said, nothing is fatal, no film is waited for', async () => {
  const folder = join(temporary, '..', `${temporary.split('/').at(-1)}-films`);
  const film = { seed: 7, view: 'PA', rows: 400, columns: 360 } as const;
  mkdirSync(join(folder, 'sub/deeper'), { recursive: true });
  const put = (name: string, bytes: Uint8Array | string) => writeFileSync(join(folder, name), bytes);
  put('film.dcm', syntheticDicom(film));
  put('sub/deeper/again.dcm', syntheticDicom(film));
  put('sub/mr.dcm', syntheticDicom({ ...film, seed: 8, attributes: { Modality: 'MR' } }));
  // A presentation state that calls itself CR: the service leaves it alone, and there may be no event that names it.
  const state = { Modality: 'CR', SOPClassUID: '1.2.840.10008.5.1.4.1.1.11.1' };
  put('sub/state.dcm', syntheticDicom({ ...film, seed: 9, attributes: state }));
  put('sub/bad-uid.dcm', withBadUid({ ...film, seed: 10 }));
  put('broken.dcm', syntheticDicom(film).subarray(0, 2_000));
  put('notes.txt', 'a text');
  put('films.zip', 'PK\x03\x04');
  try {
    const run = start('npm', ['run', '--silent', 'demo', '--films', folder, '--once', '--json']);
    expect({ status: await run.ended, said: run.said() }).toMatchObject({ status: 0 });
    const { studies, notStored } = reportOf(run);
    const outcomes = studies.map(({ films, list }) => [films[0]!.file, films[0]!.outcome, list]);
    expect(Object.fromEntries(outcomes.map(([file, outcome]) => [file, outcome]))).toEqual({
      'film.dcm': expect.stringMatching(/^(not-)?analysed$/) as string,
      'sub/mr.dcm': 'rejected',
      'sub/state.dcm': 'rejected',
      'sub/bad-uid.dcm': 'rejected',
    });
    expect(studies.find(({ films }) => films[0]!.file === 'film.dcm')).toMatchObject({
      studyInstanceUid: syntheticUids(film).studyInstanceUid,
      list: 'shown',
    });
    expect(notStored.map(({ file }) => file).sort()).toEqual([
      'broken.dcm',
      'films.zip',
      'notes.txt',
      'sub/deeper/again.dcm',
    ]);
    await leavesNothing();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 300_000);

describe('ended in any phase it leaves no process and no folder', () => {
  test.each([
    ['starting RabbitMQ', ['SIGINT'], 130],
    ['starting Orthanc', ['SIGTERM', 'SIGTERM'], 130],
    ['starting the service', ['SIGINT', 'SIGINT'], 130],
    ['storing 1', ['SIGHUP'], 130],
    ['stored 6', ['SIGTERM'], 130],
    ['starting the service', ['SIGKILL'], 'SIGKILL'],
    ['All is left running', ['SIGINT', 'SIGTERM'], 0],
  ] as const)(
    '%s: %j',
    async (phase, signals, status) => {
      const run = demo();
      await reaches(run, phase);
      for (const signal of signals) run.child.kill(signal);
      expect(await run.ended).toBe(status);
      await leavesNothing();
    },
    300_000,
  );

  test('by npm', async () => {
    const run = start('npm', ['run', '--silent', 'demo']);
    await reaches(run, 'starting the service');
    run.child.kill('SIGTERM');
    await run.ended;
    await leavesNothing();
  }, 300_000);
});

describe('a server that ends is told of; only logs are kept', () => {
  test.each([
    ['starting Orthanc', /rabbitmq|beam/, 'RabbitMQ'],
    ['stored 6', /^\d+ Orthanc/, 'Orthanc'],
    ['stored 6', /cli\.js serve/, 'the service'],
    ['All is left running', /^\d+ Orthanc/, 'Orthanc'],
  ])(
    '%s: %s',
    async (phase, program, name) => {
      const run = demo();
      await reaches(run, phase);
      const found = await until(`a process ${String(program)}`, () =>
        leftProcesses(temporary).find((one) => program.test(one)),
      );
      process.kill(Number.parseInt(found), 'SIGKILL');
      expect(await run.ended).toBe(1);
      expect(run.said()).toContain(`${name} has ended`);
      const [, dir] = /logs are left in (\S+)/.exec(run.said())!;
      const files = readdirSync(dir!, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
      expect(files.map(({ name: file }) => file).filter((file) => !file.endsWith('.log'))).toEqual([]);
      expect(files.length).toBeGreaterThan(0);
      await until(
        () => `left: ${leftProcesses(temporary).join('; ')}`,
        () => leftProcesses(temporary).length === 0,
      );
    },
    300_000,
  );
});

test('a bare clone installs what is missing, and can be interrupted while it does', async () => {
  // In a clone without npm packages `npm ci` is what comes first.
  const clone = join(temporary, 'clone');
  for (const name of ['scripts', 'package.json', 'package-lock.json', '.npmrc'])
    cpSync(join(ROOT, name), join(clone, name), { recursive: true });
  const run = start(process.execPath, ['scripts/dev/demo.mjs'], clone);
  await reaches(run, 'npm ci ...');
  await until('npm runs', () => leftProcesses(temporary).some((one) => one.includes('npm ci')));
  run.child.kill('SIGTERM');
  expect(await run.ended).toBe(130);
  await until(
    () => `left: ${leftProcesses(temporary).join('; ')}`,
    () => leftProcesses(temporary).length === 0,
  );
  expect(leftFiles()).toEqual(['clone']);
}, 300_000);
