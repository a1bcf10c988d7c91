import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { examineModel } from '../../src/app/model-check';
import { node, TFJS_WORKER, tinyModel, type TinyOptions } from '../support/pipeline/tiny-model';
const examine = (folder: string) => examineModel(folder, { tfjsWorkerFile: TFJS_WORKER });

test('a model that is as it should be', async () => {
  const findings = await examine(tinyModel());
  expect(findings.filter(({ ok }) => !ok)).toEqual([]);
  expect(findings.map(({ check }) => check)).toEqual([
    'manifest',
    'licence',
    'intended use',
    'limitations',
    'files',
    'engine',
    'input',
    'output',
    'probability',
    'range',
    'answers',
    'determinism',
    'cam',
    'speed',
    'memory',
  ]);
  expect(findings.find(({ check }) => check === 'cam')!.text).toContain('4 x 4');
});

const FLOAT = { type: 'DT_FLOAT' };
const withManifest = (manifest: Record<string, unknown>): TinyOptions => ({ manifest });
const withNodes = (...nodes: TinyOptions['nodes'] & object): TinyOptions => ({ nodes });
const INPUT = {
  name: 'film',
  shape: [1, 1, 16, 16],
  region: 'film',
  fill: 0,
  intensity: 'min-max',
  resample: 'antialiased-triangle',
  mean: 0.5,
  std: 0.25,
};
const DIVISION = [
  node('spread', 'Max', ['film', 'axes'], { keep_dims: { b: true } }),
  node('seen', 'RealDiv', ['film', 'spread']),
] as const;
const BROKEN: readonly (readonly [name: string, tiny: TinyOptions, check: string, text: string])[] = [
  ['a task that is none', withManifest({ task: 'triage' }), 'manifest', 'task: '],
  ['no licence', withManifest({ licence: undefined }), 'manifest', 'licence: '],
  ['a spread of 0', withManifest({ input: { ...INPUT, std: 0 } }), 'manifest', 'input.std: '],
  ['another id than the folder', { folderName: 'elsewhere' }, 'manifest', 'lies in a folder named elsewhere'],
  ['a class that is not there', withManifest({ positive: 2 }), 'manifest', 'there is no class 2'],
  [
    'a finding without a code',
    withManifest({ classes: [{ label: 'dark' }, { label: 'bright' }] }),
    'manifest',
    'the positive class has no code',
  ],
  [
    'a classifier without a map',
    withManifest({ output: { probability: 'probability', cam: null } }),
    'manifest',
    "can't be explained",
  ],
  ['lungs without a mask rule', withManifest({ task: 'lungs' }), 'manifest', 'mask: '],
  ['lungs without bounds', withManifest({ task: 'lungs' }), 'manifest', 'plausibility: '],
  [
    'lungs with a bound that is none',
    withManifest({
      task: 'lungs',
      mask: { threshold: 0.5, connectivity: 4, minComponentFraction: 0 },
      plausibility: { lungFraction: { minimum: 0.1 } },
    }),
    'manifest',
    'lungFraction: has neither min nor max',
  ],
  [
    'the lungs only, for a view model',
    withManifest({ task: 'view', input: { ...INPUT, region: 'lungs' } }),
    'manifest',
    'the task view is shown the whole film',
  ],
  [
    'another range of grey values',
    withManifest({ input: { ...INPUT, range: [-1, 1] } }),
    'manifest',
    'input.range.0: ',
  ],
  [
    'a code longer than DICOM has room for',
    withManifest({
      classes: [
        { label: 'dark' },
        { label: 'bright', code: { value: '1'.repeat(17), scheme: '99TEST', meaning: 'bright' } },
      ],
    }),
    'manifest',
    'classes.1.code.value: ',
  ],
  ['a blank licence', withManifest({ licence: ' ' }), 'licence', 'is empty'],
  ['a blank purpose', withManifest({ intendedUse: ' ' }), 'intended use', 'is empty'],
  ['no limitation', withManifest({ limitations: [] }), 'limitations', 'none are named'],
  ['a blank limitation', withManifest({ limitations: [' '] }), 'limitations', 'none are named'],
  ['another digest', withManifest({ sha256: '0'.repeat(64) }), 'files', 'MODEL_DIGEST_MISMATCH'],
  ['a file that is not there', withManifest({ file: 'network.json' }), 'files', "can't be read"],
  ['a file of another engine', withManifest({ engine: 'onnx', sha256: 'x' }), 'manifest', 'sha256: '],
  ['a layers model', { json: { format: 'layers-model' } }, 'engine', 'tfjs_graph_model'],
  [
    'another name of the input',
    withManifest({ input: { ...INPUT, name: 'x' } }),
    'input',
    'no input named x, but film',
  ],
  [
    'another size of the input',
    withManifest({ input: { ...INPUT, shape: [1, 1, 24, 24] } }),
    'input',
    '[1, 16, 16, 1], not one grey film of 24 x 24',
  ],
  [
    'another name of an output',
    withManifest({ output: { probability: 'p', cam: 'cam' } }),
    'output',
    'no output named p',
  ],
  ['an operator that no engine has', withNodes(node('seen', 'Clairvoyance', ['film'])), 'run', 'drawn film 1'],
  [
    'a map instead of a probability',
    withManifest({ output: { probability: 'cam', cam: 'cam' } }),
    'probability',
    '16 values for a film, 1 are wanted',
  ],
  ['no sigmoid', withNodes(node('probability', 'Identity', ['logit'])), 'range', 'does the network end in a sigmoid'],
  [
    'a division by 0 on a film without content',
    withNodes(...DIVISION, node('probability', 'Identity', ['logit'])),
    'range',
    'on all 0.5: a probability is',
  ],
  // The sigmoid of WASM turns NaN into a number, so that only the map shows the fault.
  ['a division by 0 behind a sigmoid', withNodes(...DIVISION), 'cam', 'not finite on all 0.5'],
  [
    'the film does not arrive',
    withNodes(node('seen', 'Mul', ['film', 'nought'])),
    'answers',
    'the same for every input',
  ],
  [
    'a random layer',
    withNodes(
      node('dice', 'RandomUniform', ['sizes'], { dtype: FLOAT, seed: { i: '0' } }),
      node('seen', 'AddV2', ['film', 'dice']),
    ),
    'determinism',
    'differs by',
  ],
  ['the map of the other class', withNodes(node('cam', 'Mul', ['pooled', 'minus'])), 'cam', 'the probability is lower'],
  [
    'a map that shows no place',
    withNodes(node('cam', 'Mul', ['pooled', 'nought'])),
    'cam',
    'the same value everywhere',
  ],
  ['a map that is a number', withNodes(node('cam', 'Identity', ['logit'])), 'cam', '1 x 1 is no map'],
];

test.each(BROKEN)('%s is found', async (_name, tiny, check, text) => {
  const wrong = (await examine(tinyModel(tiny))).filter(({ ok }) => !ok);
  expect(wrong).toContainEqual({ check, ok: false, text: expect.stringContaining(text) });
});

test('every problem of a manifest is named', async () => {
  const wrong = (await examine(tinyModel({ manifest: { task: 'triage', version: 'one', engine: 'abacus' } }))).filter(
    ({ ok }) => !ok,
  );
  expect(wrong.map(({ text }) => text.split(':')[0])).toEqual(['version', 'task', 'engine']);
});

test('a folder without a manifest, and a manifest that is no JSON', async () => {
  expect(await examine('/nowhere')).toMatchObject([
    { check: 'manifest', ok: false, text: expect.stringContaining("can't be read") },
  ]);
  const folder = tinyModel();
  writeFileSync(join(folder, 'manifest.json'), '{');
  expect(await examine(folder)).toMatchObject([
    { check: 'manifest', ok: false, text: expect.stringContaining('is not JSON') },
  ]);
});
