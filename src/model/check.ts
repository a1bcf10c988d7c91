import type { CheckResult } from '../base/check-result';
import { messageOf } from '../base/errors';
import type { Plane } from '../imaging/plane';
import { drawnFilms, edgeInputs, type Probe } from './check-inputs';
import { headsOf, type ModelManifest, outputNames } from './manifest';
import type { Network } from './network';
import { filmsOf, modelOf, type OpenedModel, portProblems, type Prediction, probabilitiesOf } from './session';

interface Answer extends Prediction {
  readonly probe: Probe;
  readonly ms: number;
}

/** Largest difference between two runs on the same film: engines with several threads may differ in the last digit. */
const MAX_DIFFERENCE = 1e-6;
/** If all inputs differ by less, the network does not depend on its input. */
const MIN_DIFFERENCE = 1e-6;
/** Keeps a logit finite where the probability is 0 or 1 in float32. */
const LOGIT_EDGE = 1e-7;

/** Runs a loaded network on drawn films and extreme inputs and checks its answers. It says nothing about accuracy. */
export async function examineNetwork(manifest: ModelManifest, network: Network): Promise<CheckResult[]> {
  const ports = examinePorts(manifest, network);
  if (ports.some(({ ok }) => !ok)) return ports;
  const model = modelOf(manifest, network);
  const probes = [...drawnFilms(manifest), ...edgeInputs(manifest)];
  const before = network.heldTensors();
  const answers: Answer[] = [];
  try {
    await model.predict(...probes[0]!.planes);
    for (const probe of probes) answers.push(await ask(model, probe));
    const again = await ask(model, probes[0]!);
    return [
      ...ports,
      ...examineAnswers(manifest, answers),
      examineDeterminism(answers[0]!, again),
      ...examineCam(manifest, answers),
      tellSpeed(answers),
      examineMemory(before, network.heldTensors()),
    ];
  } catch (error) {
    return [
      ...ports,
      {
        check: 'run',
        ok: false,
        text: `on ${probes[answers.length]?.name ?? 'a drawn film'}: ${messageOf(error)}`,
      },
    ];
  }
}

async function ask(model: OpenedModel, probe: Probe): Promise<Answer> {
  const started = performance.now();
  const prediction = await model.predict(...probe.planes);
  return { ...prediction, probe, ms: performance.now() - started };
}

function examinePorts(manifest: ModelManifest, network: Network): CheckResult[] {
  const problems = portProblems(manifest, network);
  const [, planes, rows, columns] = manifest.input.shape;
  return [
    side('input', problems, `${manifest.input.name}, ${filmsOf(planes)} of ${rows} x ${columns}`),
    side('output', problems, outputNames(manifest).join(', ')),
  ].flat();
}

function side(
  name: 'input' | 'output',
  problems: readonly { side: string; text: string }[],
  text: string,
): CheckResult[] {
  const wrong = problems
    .filter((problem) => problem.side === name)
    .map((problem) => ({ check: name, ok: false, text: problem.text }));
  return wrong.length > 0 ? wrong : [{ check: name, ok: true, text }];
}

function examineAnswers(manifest: ModelManifest, answers: readonly Answer[]): CheckResult[] {
  const [, , rows, columns] = manifest.input.shape;
  const wanted = probabilitiesOf(manifest);
  const values = answers.flatMap(({ probability }) => [...new Set(probability)]);
  const outside = answers.find(({ probability }) => probability.some((p) => !(p >= 0 && p <= 1)));
  const [least, greatest] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  const sizes = [...new Set(answers.map(({ probability }) => probability.length))];
  return [
    sizes.every((size) => size === wanted)
      ? {
          check: 'probability',
          ok: true,
          text:
            manifest.task === 'lungs'
              ? `one for each of ${rows} x ${columns} pixels`
              : wanted === 1
                ? 'one for a film'
                : `${wanted} for a film: ${headsOf(manifest)
                    .map(({ label }) => label)
                    .join(', ')}`,
        }
      : {
          check: 'probability',
          ok: false,
          text: `${sizes.join(', ')} values for a film, ${wanted} are wanted for the task ${manifest.task}`,
        },
    outside === undefined
      ? {
          check: 'range',
          ok: true,
          text: `${least.toPrecision(3)} to ${greatest.toPrecision(3)} on ${answers.length} inputs`,
        }
      : {
          check: 'range',
          ok: false,
          text:
            `${outside.probability.find((p) => !(p >= 0 && p <= 1))} on ${outside.probe.name}: a probability is 0 ` +
            'to 1; does the network end in a sigmoid, and divide by nothing that can be 0?',
        },
    differs(answers)
      ? { check: 'answers', ok: true, text: 'differ from input to input' }
      : {
          check: 'answers',
          ok: false,
          text: 'are the same for every input: the film does not reach the output, or mean and std drown it',
        },
  ];
}

function differs(answers: readonly Answer[]): boolean {
  return answers.some((answer) => greatestDifference(answer.probability, answers[0]!.probability) > MIN_DIFFERENCE);
}

function examineDeterminism(first: Answer, again: Answer): CheckResult {
  const planes = [
    [first.probability, again.probability],
    ...mapsOf(first).map((map, at) => [map.values, mapsOf(again)[at]!.values] as const),
  ] as const;
  const difference = Math.max(...planes.map(([a, b]) => greatestDifference(a, b)));
  // Written this way because comparisons with NaN are false: NaN is a difference.
  const ok = !(difference > MAX_DIFFERENCE) && !Number.isNaN(difference);
  return {
    check: 'determinism',
    ok,
    text: ok
      ? 'the same film twice, the same answer'
      : `the same film twice differs by ${difference}: is dropout or another random layer left in?`,
  };
}

function greatestDifference(a: Float32Array, b: Float32Array): number {
  const scale = Math.max(
    1,
    a.reduce((greatest, value) => Math.max(greatest, Math.abs(value)), 0),
  );
  return a.length === b.length
    ? a.reduce((greatest, value, i) => Math.max(greatest, Math.abs(value - b[i]!)), 0) / scale
    : Infinity;
}

/** Checks the class activation map of each head: its size, and that high activation goes with high probability. */
function examineCam(manifest: ModelManifest, answers: readonly Answer[]): CheckResult[] {
  if (answers.some(({ cams }) => cams === null)) return [];
  const heads = headsOf(manifest);
  return heads.map(({ label }, head) => examineMaps(heads.length > 1 ? `${label}: ` : '', head, manifest, answers));
}

function examineMaps(of: string, head: number, manifest: ModelManifest, answers: readonly Answer[]): CheckResult {
  const maps = answers.map(({ cams, probability, probe }) => ({ cams: cams![head]!, p: probability[head]!, probe }));
  const [, , rows, columns] = manifest.input.shape;
  const cam = maps[0]!.cams[0]!;
  const infinite = maps.find((map) => map.cams.some(({ values }) => values.some((value) => !Number.isFinite(value))));
  const wrong = (text: string): CheckResult => ({ check: 'cam', ok: false, text: `${of}${text}` });
  if (cam.rows < 2 || cam.columns < 2 || cam.rows > rows || cam.columns > columns)
    return wrong(`${cam.rows} x ${cam.columns} is no map of a film of ${rows} x ${columns}`);
  if (infinite !== undefined) return wrong(`not finite on ${infinite.probe.name}`);
  if (maps.every((map) => map.cams.every(isFlat))) return wrong('the same value everywhere: it shows no place');
  const direction = correlation(
    maps.map((map) => map.cams.reduce((sum, { values }) => sum + mean(values), 0)),
    maps.map(({ p }) => logit(p)),
  );
  if (!(direction > 0))
    return wrong(
      `where it is stronger the probability is lower (correlation ${direction.toFixed(2)}): is it the map of ` +
        'another class?',
    );
  return {
    check: 'cam',
    ok: true,
    text:
      `${of}${cam.rows} x ${cam.columns}, finite, and rises with the probability ` +
      `(correlation ${direction.toFixed(2)} over ${maps.length} inputs)`,
  };
}

const mapsOf = ({ cams }: Answer): Plane[] => (cams ?? []).flat();

function isFlat({ values }: Plane): boolean {
  return values.every((value) => Math.abs(value - values[0]!) <= MIN_DIFFERENCE * Math.max(1, Math.abs(values[0]!)));
}

const mean = (values: Float32Array | readonly number[]) => [...values].reduce((a, b) => a + b, 0) / values.length;

function logit(p: number): number {
  const inside = Math.min(1 - LOGIT_EDGE, Math.max(LOGIT_EDGE, p));
  return Math.log(inside / (1 - inside));
}

/** Pearson's; NaN where one of the two does not vary. */
function correlation(x: readonly number[], y: readonly number[]): number {
  const [mx, my] = [mean(x), mean(y)];
  const covariance = (a: readonly number[], ma: number, b: readonly number[], mb: number) =>
    a.reduce((sum, value, i) => sum + (value - ma) * (b[i]! - mb), 0);
  return covariance(x, mx, y, my) / Math.sqrt(covariance(x, mx, x, mx) * covariance(y, my, y, my));
}

function tellSpeed(answers: readonly Answer[]): CheckResult {
  const times = answers.map(({ ms }) => ms).sort((a, b) => a - b);
  return {
    check: 'speed',
    ok: true,
    text: `${(times[times.length >> 1]! / 1000).toFixed(3)} s per film here (median of ${times.length})`,
  };
}

function examineMemory(before: number | null, after: number | null): CheckResult {
  const text = `${(process.memoryUsage().rss / 1e6).toFixed(0)} MB in this process, the network loaded`;
  if (before === null || after === null) return { check: 'memory', ok: true, text };
  return {
    check: 'memory',
    ok: after <= before,
    text:
      after <= before
        ? `${text}; ${after} tensors before and after`
        : `${after - before} tensors more than before the first film: the engine leaks`,
  };
}
