/**
 * node training/run_onnx.mjs MODEL.onnx FILMS.npy OFFSET COUNT MEAN STD OUT.f32 OUTPUT SIZE: one output (SIZE numbers) of every film (float32, 224 x 224
 * each, behind OFFSET bytes), appended to OUT film by film; what OUT holds already is not computed again. Called by hilum_training/ort.py.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';

const ort = createRequire(import.meta.url)('onnxruntime-node');
const PIXELS = 224 * 224;
const [model, films, offset, count, mean, std, out, name, size] = process.argv.slice(2);

const session = await ort.InferenceSession.create(model, { intraOpNumThreads: Number(process.env.OMP_NUM_THREADS ?? 1), interOpNumThreads: 1, extra: { session: { x64quantprecision: '1' } } });
const input = fs.openSync(films, 'r');
const output = fs.openSync(out, 'a');
const done = Math.floor(fs.fstatSync(output).size / (4 * size));
fs.ftruncateSync(output, done * 4 * size);
const bytes = Buffer.alloc(4 * PIXELS);
const started = Date.now();
for (let i = done; i < Number(count); i++) {
  fs.readSync(input, bytes, 0, bytes.length, Number(offset) + i * bytes.length);
  const film = new Float32Array(bytes.buffer, bytes.byteOffset, PIXELS);
  const z = Float32Array.from(film, (n) => (n - Number(mean)) / Number(std));
  const answer = await session.run({ input: new ort.Tensor('float32', z, [1, 1, 224, 224]) }, [name]);
  fs.writeSync(output, Buffer.from(Float32Array.from(answer[name].data).buffer));
  if (i % 200 === 199) process.stdout.write(`  ${i + 1} of ${count} films, ${((Date.now() - started) / 1000 / (i + 1 - done)).toFixed(3)} s each\n`);
}
