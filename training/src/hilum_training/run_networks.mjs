/**
 * node run_networks.mjs JOB.json: some outputs of an ONNX network for many films, by the engine and the arithmetic of the service.
 * JOB: { model, count, planes: [{ file, mean, std }], outputs: [{ name, size, file }] }. A plane's file holds uint8 films of 224 x 224, N = value / 255; the
 * network's input has as many planes. An output file gets `size` float32 for each film. Called by engine.py.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';

const ort = createRequire(import.meta.url)('onnxruntime-node');
const PIXELS = 224 * 224;
const { model, count, planes, outputs } = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));

const session = await ort.InferenceSession.create(model, { intraOpNumThreads: Number(process.env.OMP_NUM_THREADS ?? 1), interOpNumThreads: 1, extra: { session: { x64quantprecision: '1' } } });
const opened = planes.map((plane) => ({ ...plane, handle: fs.openSync(plane.file, 'r') }));
const written = outputs.map((output) => ({ ...output, handle: fs.openSync(output.file, 'w') }));
const bytes = Buffer.alloc(PIXELS);

function tensor(film) {
  const values = new Float32Array(PIXELS * opened.length);
  for (const [place, { handle, mean, std }] of opened.entries()) {
    fs.readSync(handle, bytes, 0, PIXELS, film * PIXELS);
    for (let i = 0; i < PIXELS; i++) values[place * PIXELS + i] = (bytes[i] / 255 - mean) / std;
  }
  return new ort.Tensor('float32', values, [1, opened.length, 224, 224]);
}

for (let film = 0; film < count; film++) {
  const answer = await session.run({ input: tensor(film) }, outputs.map(({ name }) => name));
  for (const { name, size, handle } of written) {
    const values = Float32Array.from(answer[name].data);
    if (values.length !== size) throw new Error(`${name} has ${values.length} values, not ${size}`);
    fs.writeSync(handle, Buffer.from(values.buffer));
  }
}
