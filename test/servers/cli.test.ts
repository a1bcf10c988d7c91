import { spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readPart10 } from '../../src/dicom/read';
import { readReport } from '../../src/objects/report-reader';
import { syntheticDicom } from '../../src/objects/synthetic-film';
import { FaultProxy } from '../support/servers/fault-proxy';
import { answering } from '../support/servers/faults';
import { Servers } from '../support/servers/servers';

const ROOT = resolve(__dirname, '../..');
const servers = new Servers();
const dir = mkdtempSync(join(tmpdir(), 'hilum-cli-'));

afterAll(async () => {
  await servers.stop();
  rmSync(dir, { recursive: true, force: true });
}, 60_000);

/** `npx hilum ARGS`, as users start it. */
function hilum(...args: string[]): Promise<{ status: number | null; out: string; err: string }> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [join(ROOT, 'node_modules/.bin/hilum'), ...args], { cwd: dir });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString('utf8')));
    child.on('close', (status) => done({ status, out, err }));
  });
}

const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test('analyze writes results of every film, tells of every file, and ends with 1 for what is unreadable', async () => {
  const films = join(dir, 'films');
  mkdirSync(join(films, 'deep'), { recursive: true });
  writeFileSync(join(films, 'a.dcm'), syntheticDicom({ seed: 31, view: 'PA', rows: 500, columns: 420 }));
  writeFileSync(join(films, 'deep', 'b.dcm'), syntheticDicom({ seed: 31, view: 'LL', rows: 500, columns: 420 }));
  writeFileSync(join(films, 'c.dcm'), 'this is no DICOM file');
  const csv = join(dir, 'films.csv');
  const { status, out, err } = await hilum('analyze', films, '--out', join(dir, 'out'), '--json', '--csv', csv);
  const results = lines(out);
  expect(status).toBe(1);
  expect(err).toBe('hilum: 3 files: 1 analysed (0 urgent), 1 not analysed, 1 could not be read\n');
  expect(results.map(({ file }) => file)).toEqual([
    join(films, 'a.dcm'),
    join(films, 'c.dcm'),
    join(films, 'deep/b.dcm'),
  ]);
  const keys = [
    'file',
    'kind',
    'sopInstanceUid',
    'outcome',
    'reason',
    'view',
    'probability',
    'lungFraction',
    'findings',
    'urgent',
    'seconds',
    'outputs',
    'models',
  ];
  for (const result of results) expect(Object.keys(result).sort()).toEqual([...keys].sort());
  // They hold the patient's name.
  for (const path of readdirSync(join(dir, 'out'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.dcm'),
  ))
    expect((statSync(join(dir, 'out', path)).mode & 0o777).toString(8)).toBe('600');
  expect(results[1]).toMatchObject({
    outcome: 'rejected',
    sopInstanceUid: null,
    outputs: [],
    reason: expect.stringMatching(/^unreadable: /),
  });
  expect(results[2]).toMatchObject({
    outcome: 'not-analysed',
    view: null,
    reason: expect.stringMatching(/^lateral-view: /),
  });
  expect(readFileSync(csv, 'utf8').trim().split('\n')).toHaveLength(4);
  expect((statSync(csv).mode & 0o777).toString(8)).toBe('600');
  const again = await hilum('analyze', films, '--out', join(dir, 'out'), '--json');
  expect(lines(again.out).filter(({ outcome }) => outcome !== 'rejected')).toEqual(
    results.filter(({ outcome }) => outcome !== 'rejected'),
  );
  expect(again.err).toContain('2 of them done before');
  for (const result of [results[0]!, results[2]!]) {
    expect((result['outputs'] as string[]).length).toBeGreaterThan(0);
    for (const path of result['outputs'] as string[])
      expect(readPart10(readFileSync(path)).attributes.StudyInstanceUID).toBeDefined();
  }
}, 120_000);

test("analyze --config: the site's operating point and objects are used, as the service uses them", async () => {
  const film = join(dir, 'one.dcm');
  writeFileSync(film, syntheticDicom({ seed: 31, view: 'PA', rows: 500, columns: 420 }));
  const config = join(dir, 'site.yaml');
  writeFileSync(
    config,
    [
      'archive: { url: "http://127.0.0.1:1/dicom-web" }',
      'broker: { url: "amqp://127.0.0.1:1" }',
      'classification: { threshold: 0.001 }',
      'results: { heatMap: false }',
    ].join('\n'),
  );
  const { status, out, err } = await hilum('analyze', film, '--out', join(dir, 'site'), '--config', config, '--json');
  expect({ status, err }).toEqual({ status: 0, err: 'hilum: 1 file: 1 analysed (1 urgent)\n' });
  const [result] = lines(out) as unknown as [{ outcome: string; outputs: string[] }];
  expect(result.outcome).toBe('analysed');
  expect(result.outputs).toHaveLength(1);
  expect(readReport(readFileSync(result.outputs[0]!)).findings[0]).toMatchObject({ operatingPoint: 0.001 });
}, 120_000);

test('analyze without a file, without --out and of nothing that exists', async () => {
  expect(await hilum('analyze', 'x.dcm')).toMatchObject({
    status: 2,
    err: expect.stringContaining('--out DIR is missing'),
  });
  const nowhere = join(dir, 'nowhere.dcm');
  expect(await hilum('analyze', nowhere, '--out', dir)).toEqual({
    status: 1,
    out: '',
    err: `hilum: there is no file or folder ${nowhere}\n`,
  });
  const empty = join(dir, 'empty');
  mkdirSync(empty);
  expect(await hilum('analyze', empty, '--out', dir)).toMatchObject({
    status: 1,
    err: `hilum: the folder ${empty} holds no file\n`,
  });
}, 60_000);

test('analyze ends at once, with status 3, where its results can not be written', async () => {
  const film = join(dir, 'to-write.dcm');
  writeFileSync(film, syntheticDicom({ seed: 33, view: 'PA', rows: 500, columns: 420 }));
  for (const [out, why] of [
    ['/proc/x', 'no folder can be made there (ENOENT)'],
    [film, 'it is no folder (ENOTDIR)'],
  ] as const)
    expect(await hilum('analyze', film, '--out', out)).toEqual({
      status: 3,
      out: '',
      err: `hilum: OUTPUT_FAILED: the folder ${out} can't be written to: ${why}\n`,
    });
}, 60_000);

test('analyze on a disk that fills up blames the disk, leaves nothing half-written, and goes on later', async () => {
  const disk = join(dir, 'disk');
  mkdirSync(disk);
  const films = join(dir, 'two-films');
  mkdirSync(films);
  for (const seed of [31, 33])
    writeFileSync(join(films, `${seed}.dcm`), syntheticDicom({ seed, view: 'PA', rows: 500, columns: 420 }));
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1600k', 'none', disk]).status !== 0) {
    console.warn('SKIPPED: a disk that fills up, this account may not mount one');
    return;
  }
  try {
    // Room for the first film's results and not for the second's.
    const full = await hilum('analyze', films, '--out', join(disk, 'out'));
    expect(full.status).toBe(3);
    expect(full.out.trim().split('\n')).toHaveLength(1);
    expect(full.err).toMatch(/^hilum: the folder .* can't be written to: its disk is full \(ENOSPC\)\n/);
    expect(full.err).toContain('ended after 1 of 2 files: the same command goes on from there');
    const left = readdirSync(disk, { recursive: true, encoding: 'utf8' }).filter((name) => !/jsonl$|^out$/.test(name));
    expect(left.filter((name) => name.endsWith('.new'))).toEqual([]);
    expect(left.filter((name) => name.endsWith('.dcm'))).toHaveLength(2);
    for (const name of left.filter((path) => path.endsWith('.dcm'))) readPart10(readFileSync(join(disk, name)));
    expect(spawnSync('mount', ['-o', 'remount,size=8m', disk]).status).toBe(0);
    const again = await hilum('analyze', films, '--out', join(disk, 'out'));
    expect(again).toMatchObject({ status: 0, err: expect.stringContaining('1 of them done before') as string });
  } finally {
    spawnSync('umount', [disk]);
  }
}, 120_000);

test('models lists what is installed, and finds a network that was changed', async () => {
  const good = await hilum('models', '--json');
  expect(good.status).toBe(0);
  expect(
    lines(good.out)
      .map(({ task }) => task)
      .sort(),
  ).toEqual(['classification', 'classification', 'classification', 'gate', 'lungs', 'view', 'view']);
  const copy = join(dir, 'models');
  cpSync(join(ROOT, 'models/lungs-unet16'), join(copy, 'lungs-unet16'), { recursive: true });
  const network = readFileSync(join(copy, 'lungs-unet16/model.onnx'));
  network[network.length - 1]! ^= 1;
  writeFileSync(join(copy, 'lungs-unet16/model.onnx'), network);
  const bad = await hilum('models', '--dir', copy);
  expect(bad).toMatchObject({ status: 1, out: expect.stringContaining('MODEL_DIGEST_MISMATCH') });
}, 60_000);

test('the service refuses a changed network and a wrong configuration', async () => {
  writeFileSync(
    join(dir, 'changed.yaml'),
    JSON.stringify({
      archive: { url: 'http://127.0.0.1:9/' },
      broker: { url: 'amqp://127.0.0.1:9' },
      models: { dir: 'models' },
    }),
  );
  for (const id of ['view-lite0', 'gate-lite0'])
    if (!existsSync(join(dir, 'models', id)))
      cpSync(join(ROOT, 'models', id), join(dir, 'models', id), { recursive: true });
  expect(await hilum('serve', '--config', join(dir, 'changed.yaml'))).toMatchObject({
    status: 1,
    err: expect.stringContaining('MODEL_DIGEST_MISMATCH'),
  });
  writeFileSync(join(dir, 'wrong.yaml'), 'archive: {url: here}\n');
  expect(await hilum('serve', '--config', join(dir, 'wrong.yaml'))).toMatchObject({
    status: 1,
    err: expect.stringMatching(/archive\.url[^]*broker/),
  });
}, 60_000);

test('doctor says that all is well, and what is wrong', async () => {
  const rabbit = await servers.rabbit();
  const orthanc = await servers.orthanc({ users: { hilum: 'right' } });
  const write = (name: string, password: string, broker: string) => {
    writeFileSync(
      join(dir, name),
      JSON.stringify({
        archive: { url: orthanc.dicomWebUrl, auth: { kind: 'basic', username: 'hilum', password } },
        broker: { url: broker },
      }),
    );
    return hilum('doctor', '--config', join(dir, name), '--json');
  };
  const well = await write('well.yaml', 'right', rabbit.amqpUrl);
  expect(lines(well.out).filter(({ ok }) => !ok)).toEqual([]);
  expect(well.status).toBe(0);
  const checks = lines(well.out).map(({ check }) => check);
  for (const check of [
    'configuration',
    'archive: query',
    'archive: retrieve',
    'archive: store',
    'archive: password',
    'broker',
    'broker: topology',
    'model: view-lite0',
    'disk',
    'clock',
  ])
    expect(checks).toContain(check);
  const ill = await write('ill.yaml', 'wrong', 'amqp://127.0.0.1:9');
  expect(ill.status).toBe(1);
  const problems = lines(ill.out).filter(({ ok }) => !ok);
  expect(problems.map(({ check }) => check)).toEqual(expect.arrayContaining(['archive: query', 'broker']));
  expect(problems.find(({ check }) => check === 'archive: query')!['text']).toContain('ARCHIVE_UNAUTHORISED');
}, 180_000);

test('doctor says that an archive lets in whoever shows no password', async () => {
  const rabbit = await servers.rabbit();
  const orthanc = await servers.orthanc();
  const auth = { kind: 'basic', username: 'hilum', password: 'right' };
  writeFileSync(
    join(dir, 'open.yaml'),
    JSON.stringify({ archive: { url: orthanc.dicomWebUrl, auth }, broker: { url: rabbit.amqpUrl } }),
  );
  const { out, status } = await hilum('doctor', '--config', join(dir, 'open.yaml'), '--json');
  expect(status).toBe(1);
  const problems = lines(out).filter(({ ok }) => !ok);
  expect(problems.map(({ check }) => check)).toEqual(['archive: password']);
  expect(problems[0]!['text']).toContain('AuthenticationEnabled');
}, 180_000);

test('doctor --store-test stores a result of full size, finds it, and removes the test study; without it nothing is written', async () => {
  const rabbit = await servers.rabbit();
  const orthanc = await servers.orthanc();
  const instances = async () =>
    ((await (await fetch(`${orthanc.url}/statistics`)).json()) as { CountInstances: number }).CountInstances;
  const write = (name: string, url: string) =>
    writeFileSync(join(dir, name), JSON.stringify({ archive: { url }, broker: { url: rabbit.amqpUrl } }));
  write('store.yaml', orthanc.dicomWebUrl);
  await hilum('doctor', '--config', join(dir, 'store.yaml'), '--json');
  expect(await instances()).toBe(0);
  const { out } = await hilum('doctor', '--store-test', '--config', join(dir, 'store.yaml'), '--json');
  const checks = lines(out).filter(({ check }) => check === 'archive: store test');
  expect(checks).toEqual([
    {
      check: 'archive: store test',
      ok: true,
      text: expect.stringMatching(/^stored 31\d{5} bytes and found them$/) as string,
    },
    { check: 'archive: store test', ok: true, text: 'the test study was removed again' },
  ]);
  expect(await instances()).toBe(0);
  const proxy = await FaultProxy.open(orthanc.url);
  proxy.on(({ path }) => path === '/tools/lookup', answering(403));
  write('kept.yaml', proxy.dicomWebUrl);
  const kept = await hilum('doctor', '--store-test', '--config', join(dir, 'kept.yaml'), '--json');
  expect(lines(kept.out).find(({ text }) => String(text).includes('stays in the archive'))).toMatchObject({ ok: true });
  expect(await instances()).toBe(1);
  await proxy.close();
}, 180_000);
