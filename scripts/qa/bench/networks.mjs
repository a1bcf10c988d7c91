/**
 * node scripts/qa/bench/networks.mjs THREADS FILMS FOLDER...: the networks in these folders one after the other, by
 * onnxruntime alone. Prints the CPU time of one film in all of them (seconds; the median).
 */
import fs from 'node:fs';
import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';

const [threads, films, ...folders] = process.argv.slice(2);
const WARM_UP = 2;

const networks = await Promise.all(folders.map(open));
const times = [];
for (let film = 0; film < WARM_UP + Number(films); film++) {
  const before = process.cpuUsage();
  for (const { session, name, input } of networks) await session.run({ [name]: input });
  const { user, system } = process.cpuUsage(before);
  if (film >= WARM_UP) times.push((user + system) / 1e6);
}
process.stdout.write(`${times.sort((a, b) => a - b)[Math.floor(times.length / 2)]}\n`);

async function open(folder) {
  const { input, file = 'model.onnx' } = JSON.parse(fs.readFileSync(path.join(folder, 'manifest.json'), 'utf8'));
  const session = await InferenceSession.create(fs.readFileSync(path.join(folder, file)), {
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    // As the service has it: src/model/onnx-engine.ts.
    extra: { session: { x64quantprecision: '1' } },
    intraOpNumThreads: Number(threads),
  });
  const size = input.shape.reduce((product, length) => product * length, 1);
  // Any picture does: the work of a convolution does not depend on the values.
  const values = Float32Array.from({ length: size }, (_, i) => ((i * 7919) % 1000) / 1000);
  return { session, name: input.name, input: new Tensor('float32', values, input.shape) };
}
