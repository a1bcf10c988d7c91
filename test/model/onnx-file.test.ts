import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { hasExternalWeights } from '../../src/model/onnx-file';
import { openModel } from '../../src/model/session';
import { tinyManifest } from '../support/pipeline/tiny-model';

const MODELS = resolve(__dirname, '../../models');

/** A field of a protocol buffer message: bytes with their length, or a number. */
function field(number: number, value: Uint8Array | number): Buffer {
  const varint = (n: number): number[] => (n < 128 ? [n] : [(n % 128) + 128, ...varint(Math.floor(n / 128))]);
  return typeof value === 'number'
    ? Buffer.from([...varint(number * 8), ...varint(value)])
    : Buffer.concat([Buffer.from([...varint(number * 8 + 2), ...varint(value.length)]), value]);
}

/** ModelProto with two tensors; the second is external where `location` is 1 (TensorProto.DataLocation). */
function modelWith(location: number): Buffer {
  const entry = Buffer.concat([field(1, Buffer.from('location')), field(2, Buffer.from('model.onnx.data'))]);
  const inside = field(5, Buffer.concat([field(1, 1), field(8, Buffer.from('bias')), field(9, Buffer.alloc(300))]));
  const second = field(
    5,
    Buffer.concat([
      field(1, 3),
      field(8, Buffer.from('weight')),
      ...(location === 1 ? [field(13, entry)] : []),
      field(14, location),
    ]),
  );
  return Buffer.concat([
    field(1, 8),
    field(2, Buffer.from('pytorch')),
    field(7, Buffer.concat([field(2, Buffer.from('graph')), inside, second])),
  ]);
}

test('weights in a file of their own are seen', () => {
  expect(hasExternalWeights(modelWith(1))).toBe(true);
  expect(hasExternalWeights(modelWith(0))).toBe(false);
});

test('the shipped networks hold theirs; what is no ONNX file is left to the engine', () => {
  for (const id of ['findings-lite0', 'gate-lite0', 'lungs-unet16'])
    expect(hasExternalWeights(readFileSync(join(MODELS, id, 'model.onnx')))).toBe(false);
  for (const bytes of [Buffer.alloc(0), Buffer.from('no model'), Buffer.alloc(100, 0xff), modelWith(1).subarray(0, 40)])
    expect(hasExternalWeights(bytes)).toBe(false);
});

test('such a model is refused with a sentence', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hilum-external-'));
  mkdirSync(join(dir, 'mine'));
  writeFileSync(join(dir, 'mine/model.onnx'), modelWith(1));
  const sha256 = createHash('sha256').update(modelWith(1)).digest('hex');
  writeFileSync(
    join(dir, 'mine/manifest.json'),
    JSON.stringify({ ...tinyManifest(sha256), id: 'mine', engine: 'onnx', file: 'model.onnx' }),
  );
  await expect(openModel(dir, 'mine')).rejects.toMatchObject({
    code: 'MODEL_INVALID',
    message: expect.stringContaining('save the model in one file') as string,
  });
  rmSync(dir, { recursive: true, force: true });
});
