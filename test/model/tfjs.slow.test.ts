import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { minMax, type Plane } from '../../src/imaging/plane';
import { drawSyntheticFilm } from '../../src/imaging/synthetic-drawing';
import { readModelFolder } from '../../src/model/manifest';
import { type OpenedModel, openModel } from '../../src/model/session';
import { findRuntime, ordered } from '../../src/model/tfjs-runtime';
import { node, TFJS_WORKER, tinyModel, type TinyOptions } from '../support/pipeline/tiny-model';

const ROOT = resolve(__dirname, '../..');
const options = { tfjsWorkerFile: TFJS_WORKER };
const opened: OpenedModel[] = [];

async function open(folder: string): Promise<OpenedModel> {
  const model = await openModel(dirname(folder), basename(folder), 0, options);
  opened.push(model);
  return model;
}

afterEach(async () => {
  for (const { network } of opened.splice(0)) await network.close();
});

function drawn(seed: number, size: number): Plane {
  return minMax({
    rows: size,
    columns: size,
    values: Float32Array.from(
      drawSyntheticFilm({ seed, view: seed % 2 ? 'PA' : 'AP', rows: size, columns: size }).pixels,
    ),
  });
}

const greatestDifference = (a: Float32Array, b: Float32Array) =>
  a.length === b.length ? a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0) : Infinity;

/**
 * A network in 8 bits: sums half-way between two steps fall on the other side in another engine
 * (test/model/parity.test.ts).
 */
const within = ({ manifest }: OpenedModel) =>
  'quantisation' in manifest ? { probability: 0.05, cam: 0.05 } : { probability: 1e-3, cam: 1e-3 };

describe('the shipped weights as TensorFlow.js', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hilum-tfjs-'));
  const ids = ['lungs-unet16', 'covid-vgg19-lungs'];
  beforeAll(() => {
    const run = spawnSync(
      process.execPath,
      [join(ROOT, 'scripts/models/tfjs-model.mjs'), ...ids.map((id) => join(ROOT, 'models', id)), '--out', dir],
      { encoding: 'utf8' },
    );
    expect(run).toMatchObject({ status: 0 });
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test.each(ids)(
    '%s: the answers of ONNX on drawn films, no tensor left over, and the calling thread goes on',
    async (id) => {
      const [onnx, tfjs] = [await openModel(join(ROOT, 'models'), id), await open(join(dir, id))];
      let ticks = 0;
      const timer = setInterval(() => ticks++, 5);
      const held: (number | null)[] = [tfjs.network.heldTensors()];
      for (const seed of [1, 2]) {
        const film = drawn(seed, 224);
        const before = ticks;
        const answer = await tfjs.predict(film);
        expect(ticks - before).toBeGreaterThan(10);
        held.push(tfjs.network.heldTensors());
        const expected = await onnx.predict(film);
        const { probability, cam } = within(onnx);
        expect(greatestDifference(answer.probability, expected.probability)).toBeLessThan(probability);
        const [map, expectedMap] = [answer, expected].map(({ cams }) => cams?.[0]?.[0]);
        expect(map === undefined).toBe(expectedMap === undefined);
        if (map && expectedMap)
          expect(
            greatestDifference(map.values, expectedMap.values) /
              expectedMap.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0),
          ).toBeLessThan(cam);
      }
      clearInterval(timer);
      expect(held[0]).toBeGreaterThan(0);
      expect(new Set(held).size).toBe(1);
    },
    180_000,
  );
});

test('the digest is that of the documented command', () => {
  const folder = tinyModel();
  const run = spawnSync('sh', ['-c', 'LC_ALL=C sha256sum model.json *.bin | sha256sum'], {
    cwd: folder,
    encoding: 'utf8',
  });
  const { manifest, shards } = readModelFolder(folder);
  expect([...shards.keys()]).toEqual(['b.bin', 'a.bin']);
  expect(run.stdout.split(' ')[0]).toBe(manifest.sha256);
});

test('the script says in a sentence what it can not write', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [join(ROOT, 'scripts/models/tfjs-model.mjs'), ...args], { encoding: 'utf8' });
  const out = join(tmpdir(), 'hilum-tfjs-none');
  for (const [args, text] of [
    [[join(ROOT, 'models/gate-lite0'), '--out', out], 'converted'],
    [['/nowhere', '--out', out], '/nowhere/manifest.json'],
    [[], 'usage: '],
  ] as const) {
    const { status, stdout, stderr } = run(...args);
    expect(status).toBe(1);
    expect(`${stdout}${stderr}`).toContain(text);
    expect(`${stdout}${stderr}`.trim().split('\n')).toHaveLength(1);
  }
});

test('a graph worked out by hand', async () => {
  const model = await open(tinyModel());
  const film: Plane = {
    rows: 16,
    columns: 16,
    values: Float32Array.from({ length: 256 }, (_, i) => (i % 16 < 4 && i < 64 ? 1 : 0.5)),
  };
  const { probability, cams } = await model.predict(film);
  const cam = cams![0]![0]!;
  expect(cam).toMatchObject({ rows: 4, columns: 4 });
  expect([...cam.values]).toEqual([2, ...Array(15).fill(0)]);
  expect(probability[0]).toBeCloseTo(1 / (1 + Math.exp(-2 / 16)), 5);
});

test('two regions of a film: TensorFlow has them last', () => {
  const planes = Float32Array.of(1, 2, 3, 4, 10, 20, 30, 40);
  expect([...ordered(planes, [1, 2, 2, 2], [1, 2, 2, 2])]).toEqual([1, 10, 2, 20, 3, 30, 4, 40]);
  expect(ordered(planes, [1, 2, 1, 4], [1, 2, 1, 4])).toBe(planes);
  expect(ordered(planes, [1, 2, 4, 1], [1, 1, 2, 4])).toBe(planes);
});

test('films that are asked for at once are answered in order, and leave no tensor', async () => {
  const model = await open(tinyModel());
  const held = model.network.heldTensors();
  const answers = await Promise.all(
    [0, 1, 0.5].map((value) => model.predict({ rows: 16, columns: 16, values: new Float32Array(256).fill(value) })),
  );
  expect(answers.map(({ probability }) => Math.round(probability[0]! * 100))).toEqual([12, 88, 50]);
  expect(model.network.heldTensors()).toBe(held);
});

test('a thread that ends over a film is a transient failure, and the next film gets a new one', async () => {
  const model = await open(tinyModel());
  const plane = (value: number) => ({ rows: 16, columns: 16, values: new Float32Array(256).fill(value) });
  await expect(model.predict(plane(NaN))).rejects.toThrow('the TensorFlow.js thread ended');
  expect((await model.predict(plane(0.5))).probability[0]).toBeCloseTo(0.5, 5);
});

describe('what is wrong with a folder is told', () => {
  const cases: readonly (readonly [
    string,
    TinyOptions,
    (folder: string) => void,
    { code: string; message: string },
  ])[] = [
    [
      'a changed shard',
      {},
      (folder) => writeFileSync(join(folder, 'b.bin'), 'x'),
      { code: 'MODEL_DIGEST_MISMATCH', message: 'was changed or damaged' },
    ],
    [
      'a changed model.json',
      {},
      (folder) =>
        writeFileSync(
          join(folder, 'model.json'),
          readFileSync(join(folder, 'model.json'), 'utf8').replace('Sigmoid', 'Tanh'),
        ),
      { code: 'MODEL_DIGEST_MISMATCH', message: 'was changed or damaged' },
    ],
    [
      'a missing shard',
      {},
      (folder) => rmSync(join(folder, 'a.bin')),
      { code: 'MODEL_INVALID', message: "a.bin can't be read" },
    ],
    [
      'weights outside of the folder',
      { json: { weightsManifest: [{ paths: ['../a.bin'], weights: [] }] } },
      () => {},
      { code: 'MODEL_INVALID', message: 'weightsManifest.0.paths.0' },
    ],
    [
      'a layers model',
      { json: { format: 'layers-model' } },
      () => {},
      { code: 'MODEL_INVALID', message: '--output_format=tfjs_graph_model' },
    ],
    [
      'a node that no engine knows',
      { nodes: [node('seen', 'Clairvoyance', ['film'])] },
      () => {},
      { code: 'MODEL_INVALID', message: "can't run" },
    ],
    [
      'two values for a film',
      { manifest: { output: { probability: 'cam', cam: 'cam' } } },
      () => {},
      { code: 'MODEL_INVALID', message: 'gives 16 values for a film as cam, 1 are wanted' },
    ],
    [
      'no sigmoid',
      { nodes: [node('squashed', 'Sigmoid', ['logit']), node('probability', 'Mul', ['squashed', 'minus'])] },
      () => {},
      { code: 'MODEL_INVALID', message: 'which is no probability (0 to 1)' },
    ],
    [
      'a map of NaN',
      { nodes: [node('blank', 'Mul', ['pooled', 'nought']), node('cam', 'RealDiv', ['blank', 'nought'])] },
      () => {},
      { code: 'MODEL_INVALID', message: 'cam is not finite' },
    ],
    [
      'an output that is not there',
      { manifest: { output: { probability: 'p', cam: 'cam' } } },
      () => {},
      { code: 'MODEL_INVALID', message: 'no output named p' },
    ],
  ];
  test.each(cases)('%s', async (_name, tiny, spoil, { code, message }) => {
    const folder = tinyModel(tiny);
    spoil(folder);
    await expect(open(folder)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });
});

describe('which TensorFlow.js runs', () => {
  const missing = (name: string) =>
    Object.assign(new Error(`Cannot find module '${name}'`), { code: 'MODULE_NOT_FOUND' });
  const installed = (packages: Record<string, unknown>) => (name: string) => {
    if (name.endsWith('/package.json')) return { version: '4.22.0' };
    if (!(name in packages)) throw missing(name);
    return packages[name];
  };
  const native = { ready: async () => undefined, loadGraphModel: () => 'native' };
  const wasm = {
    '@tensorflow/tfjs-core': { setBackend: async (name: string) => name === 'wasm' },
    '@tensorflow/tfjs-converter': {},
    '@tensorflow/tfjs-backend-wasm': {},
  };

  test.each([
    [
      'the graphics card first',
      { '@tensorflow/tfjs-node-gpu': native, '@tensorflow/tfjs-node': native, ...wasm },
      '@tensorflow/tfjs-node-gpu 4.22.0',
    ],
    ['then the native library', { '@tensorflow/tfjs-node': native, ...wasm }, '@tensorflow/tfjs-node 4.22.0'],
    ['else WASM', wasm, '@tensorflow/tfjs-backend-wasm 4.22.0'],
  ])('%s', async (_name, packages, engine) => expect((await findRuntime(installed(packages))).engine).toBe(engine));

  test('none: the message names what to install', async () => {
    await expect(findRuntime(installed({}))).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: expect.stringContaining(
        'npm install --prefix dist --no-save --no-package-lock @tensorflow/tfjs-core@4.22.0',
      ),
    });
  });

  test('one that is installed and does not load is no reason to take a slower one without a word', async () => {
    const load = (name: string) => {
      if (name === '@tensorflow/tfjs-node') throw missing('./napi-v8/tfjs_binding.node');
      return installed(wasm)(name);
    };
    await expect(findRuntime(load)).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: expect.stringContaining('mend or remove it'),
    });
  });

  test('the version in the message is the one that is tested', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      devDependencies: Record<string, string>;
    };
    for (const name of Object.keys(wasm)) expect(devDependencies[name]).toBe('4.22.0');
  });
});
