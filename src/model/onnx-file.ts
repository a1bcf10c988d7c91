/**
 * Whether an ONNX model has weights in another file (onnx.proto3: ModelProto.graph = 7, GraphProto.initializer = 5,
 * TensorProto.data_location = 14, EXTERNAL = 1). The digest would not cover them, and ONNX Runtime would look for them
 * in the working directory.
 */
export function hasExternalWeights(model: Uint8Array): boolean {
  for (const graph of fieldsOf(model, 7)) {
    for (const tensor of typeof graph === 'number' ? [] : fieldsOf(graph, 5)) {
      if (typeof tensor !== 'number' && [...fieldsOf(tensor, 14)].includes(1)) return true;
    }
  }
  return false;
}

/**
 * Values of one field of a protocol buffer message: a number for a varint, else bytes. Ends early on an invalid
 * message, which the engine will refuse.
 */
function* fieldsOf(message: Uint8Array, wanted: number): Generator<number | Uint8Array> {
  let at = 0;
  const varint = () => {
    for (let value = 0, factor = 1; at < message.length; factor *= 128) {
      const byte = message[at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    return 0;
  };
  while (at < message.length) {
    const tag = varint();
    const [field, wireType] = [Math.floor(tag / 8), tag % 8];
    if (wireType === 0) {
      const value = varint();
      if (field === wanted) yield value;
      continue;
    }
    const length = { 1: 8, 2: 0, 5: 4 }[wireType];
    if (length === undefined) return;
    const size = wireType === 2 ? varint() : length;
    if (field === wanted) yield message.subarray(at, at + size);
    at += size;
  }
}
