/**
 * node training/run_networks.mjs JOB.json: some outputs of an ONNX network for many films, by the engine and the arithmetic of the service.
 * JOB: { model, count, inputs: [{ name, file, offset, mean, std }], outputs: [{ name, size, file }] }. An input file holds uint8 films of
 * 224 x 224 behind `offset` bytes, N = value / 255; an output file gets `size` float32 for each film. Called by hilum_training/export/engine.py.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';

const ort = createRequire(import.meta.url)('onnxruntime-node');
const PIXELS = 224 * 224;
const { model, count, inputs, outputs } = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));

const session = await ort.InferenceSession.create(model, { intraOpNumThreads: Number(process.env.OMP_NUM_THREADS ?? 1), interOpNumThreads: 1 });
const opened = inputs.map((input) => ({ ...input, handle: fs.openSync(input.file, 'r') }));
const written = outputs.map((output) => ({ ...output, handle: fs.openSync(output.file, 'w') }));
const bytes = Buffer.alloc(PIXELS);

function tensor({ handle, offset, mean, std }, film) {
  fs.readSync(handle, bytes, 0, PIXELS, offset + film * PIXELS);
  return new ort.Tensor('float32', Float32Array.from(bytes, (value) => (value / 255 - mean) / std), [1, 1, 224, 224]);
}

for (let film = 0; film < count; film++) {
  const feeds = Object.fromEntries(opened.map((input) => [input.name, tensor(input, film)]));
  const answer = await session.run(feeds, outputs.map(({ name }) => name));
  for (const { name, size, handle } of written) {
    const values = Float32Array.from(answer[name].data);
    if (values.length !== size) throw new Error(`${name} has ${values.length} values, not ${size}`);
    fs.writeSync(handle, Buffer.from(values.buffer));
  }
}
