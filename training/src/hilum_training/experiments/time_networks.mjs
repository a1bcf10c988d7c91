/**
 * node time_networks.mjs ROUNDS MODEL.onnx...: milliseconds of one thread for one film, each network in turn in every round, so that what
 * else the machine does disturbs all of them alike; prints the median of each as JSON. Called by speed.py.
 */
import { createRequire } from 'node:module';
import { performance } from 'node:perf_hooks';

const ort = createRequire(import.meta.url)('onnxruntime-node');
const [rounds, ...models] = process.argv.slice(2);
const noise = Float32Array.from({ length: 224 * 224 }, (_, i) => Math.sin(i * 12.9898) * 0.5);

/** Noise in as many planes as the network takes. */
function film({ shape: [, planes] }) {
  const values = new Float32Array(noise.length * planes);
  for (let plane = 0; plane < planes; plane++) values.set(noise, plane * noise.length);
  return new ort.Tensor('float32', values, [1, planes, 224, 224]);
}

const sessions = await Promise.all(models.map((model) => ort.InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1, extra: { session: { x64quantprecision: '1' } } })));
const films = sessions.map(({ inputMetadata: [input] }) => film(input));
const times = models.map(() => []);

for (let round = -2; round < Number(rounds); round++) {
  for (const [place, session] of sessions.entries()) {
    const began = performance.now();
    await session.run({ input: films[place] });
    if (round >= 0) times[place].push(performance.now() - began);
  }
}
const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
process.stdout.write(JSON.stringify(Object.fromEntries(models.map((model, place) => [model, median(times[place])]))));
