/**
 * node scripts/models/tfjs-model.mjs FOLDER... --out DIR: writes model folders of ours (ONNX) as TensorFlow.js graph
 * models with the same weights, DIR/<id>. The weights become float32, four times the size.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { toGraphModel } from '../lib/graph-model.mjs';
import { readOnnx } from '../lib/onnx.mjs';
import { Explained, isMain, runMain, say } from '../lib/shell.mjs';

/** As tensorflowjs_converter cuts them. */
const SHARD_BYTES = 4 * 1024 * 1024;

function main() {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { out: { type: 'string' } } });
  if (values.out === undefined || positionals.length === 0)
    throw new Explained('usage: node scripts/models/tfjs-model.mjs FOLDER... --out DIR');
  for (const folder of positionals) say(`wrote ${convert(folder, values.out)}`);
}

/** @returns {string} the new folder */
export function convert(folder, out) {
  const manifest = JSON.parse(fs.readFileSync(path.join(folder, 'manifest.json'), 'utf8'));
  if (manifest.engine !== 'onnx') throw new Explained(`${folder} holds no ONNX model`);
  const { probability, cam } = manifest.output;
  const outputs = cam === null ? [probability] : [probability, cam];
  const [, , rows, columns] = manifest.input.shape;
  const { topology, weights } = toGraphModel(
    readOnnx(fs.readFileSync(path.join(folder, manifest.file))),
    [rows, columns],
    outputs,
  );
  const files = withShards(
    describe(topology, weights, manifest.input.name, outputs, [rows, columns]),
    Buffer.concat(weights.map(bytesOf)),
  );
  const target = path.join(out, manifest.id);
  fs.mkdirSync(target, { recursive: true });
  for (const [name, bytes] of files) fs.writeFileSync(path.join(target, name), bytes);
  fs.writeFileSync(
    path.join(target, 'manifest.json'),
    `${JSON.stringify({ ...manifest, file: 'model.json', engine: 'tfjs', sha256: digest(files) }, null, 2)}\n`,
  );
  return target;
}

function describe(topology, weights, input, outputs, [rows, columns]) {
  const entry = (name, sizes) => ({
    name: `${name}:0`,
    dtype: 'DT_FLOAT',
    ...(sizes ? { tensorShape: { dim: sizes.map((size) => ({ size: String(size) })) } } : {}),
  });
  return {
    format: 'graph-model',
    generatedBy: 'hilum',
    convertedBy: 'scripts/models/tfjs-model.mjs',
    signature: {
      inputs: { [input]: entry(input, [1, rows, columns, 1]) },
      outputs: Object.fromEntries(outputs.map((name) => [name, entry(name)])),
    },
    modelTopology: topology,
    weightsManifest: [{ paths: [], weights: weights.map(({ name, shape, dtype }) => ({ name, shape, dtype })) }],
  };
}

const bytesOf = ({ values, dtype }) => Buffer.from((dtype === 'int32' ? Int32Array : Float32Array).from(values).buffer);

/** Files by name, the network first and the shards sorted: the order of the digest. */
function withShards(json, bytes) {
  const count = Math.ceil(bytes.length / SHARD_BYTES);
  const shards = Array.from({ length: count }, (_, i) => [
    `group1-shard${i + 1}of${count}.bin`,
    bytes.subarray(i * SHARD_BYTES, (i + 1) * SHARD_BYTES),
  ]);
  json.weightsManifest[0].paths = shards.map(([name]) => name);
  return [['model.json', Buffer.from(JSON.stringify(json))], ...shards];
}

/** docs/models.md: SHA-256 of what `LC_ALL=C sha256sum model.json *.bin` prints. */
function digest(files) {
  const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
  const [network, ...shards] = files;
  const sorted = [network, ...shards.sort(([a], [b]) => (a < b ? -1 : 1))];
  return sha256(sorted.map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`).join(''));
}

if (isMain(import.meta.url)) await runMain(main);
