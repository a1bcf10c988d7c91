/**
 * Reads an ONNX file: nodes, attributes and initializers, as far as the graphs that training/ writes use them. Field
 * numbers: onnx/onnx.proto3.
 */
import protobuf from 'protobufjs';

const PROTO = `
syntax = "proto3"; package onnx;
message ModelProto { GraphProto graph = 7; }
message GraphProto { repeated NodeProto node = 1; string name = 2; repeated TensorProto initializer = 5;
  repeated ValueInfoProto input = 11; repeated ValueInfoProto output = 12; }
message NodeProto { repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4;
  repeated AttributeProto attribute = 5; }
message AttributeProto { string name = 1; float f = 2; int64 i = 3; repeated int64 ints = 8; }
message TensorProto { repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9; }
message ValueInfoProto { string name = 1; }
`;
const ModelProto = protobuf.parse(PROTO, { keepCase: true }).root.lookupType('onnx.ModelProto');

/** TensorProto.DataType of what occurs here. */
const ARRAYS = { 1: Float32Array, 2: Uint8Array, 3: Int8Array, 6: Int32Array, 7: BigInt64Array };

/**
 * @param {Uint8Array} bytes
 * @returns {{name: string, inputs: string[], outputs: string[], nodes: {op: string, inputs: string[], output: string,
 * attributes: Record<string, number | number[]>}[], tensors: Map<string, {shape: number[], values:
 * ArrayLike<number>}>}}
 */
export function readOnnx(bytes) {
  const { graph } = ModelProto.toObject(ModelProto.decode(bytes), { longs: Number, arrays: true, defaults: true });
  const tensors = new Map(
    graph.initializer.map((tensor) => [tensor.name, { shape: tensor.dims, values: valuesOf(tensor) }]),
  );
  const nodes = graph.node.map(({ op_type: op, input, output, attribute }) => ({
    op,
    inputs: input,
    output: output[0],
    attributes: Object.fromEntries(attribute.map(({ name, i, ints }) => [name, ints.length > 0 ? ints : i])),
  }));
  return {
    name: graph.name,
    inputs: graph.input.map(({ name }) => name).filter((name) => !tensors.has(name)),
    outputs: graph.output.map(({ name }) => name),
    nodes,
    tensors,
  };
}

function valuesOf({ name, data_type: type, raw_data: raw }) {
  const TypedArray = ARRAYS[type];
  if (TypedArray === undefined) throw new Error(`${name}: data of type ${type} is not read`);
  const values = new TypedArray(Uint8Array.from(raw).buffer);
  return values instanceof BigInt64Array ? Array.from(values, Number) : values;
}
