/**
 * From the ONNX graphs that training/ writes to a TensorFlow.js graph model: channels last, weights expanded to
 * float32. A node that has no counterpart here is an error, so that nothing is left out.
 */

import { Explained } from './shell.mjs';

/**
 * @returns {{topology: object, weights: {name: string, shape: number[], values: ArrayLike<number>, dtype: 'float32' |
 * 'int32'}[]}}
 */
export function toGraphModel({ nodes, tensors, inputs }, [rows, columns], wanted) {
  const graph = new Builder(tensors);
  graph.node(inputs[0], 'Placeholder', [], { dtype: FLOAT, shape: { shape: dims([1, rows, columns, 1]) } }, [
    rows,
    columns,
  ]);
  const needed = neededFor(nodes, wanted);
  for (const [at, node] of nodes.entries()) {
    if (!needed.has(node.output) || graph.done.has(node.output)) continue;
    const rule = RULES[node.op];
    if (rule === undefined) throw new Explained(`${node.output}: ${node.op} is not converted`);
    rule(graph, node, nodes.slice(at + 1));
  }
  return { topology: { node: graph.nodes, library: {}, versions: { producer: 1 } }, weights: graph.weights };
}

/** Names of all that the wanted outputs come from. */
function neededFor(nodes, wanted) {
  const needed = new Set(wanted);
  for (const { output, inputs } of [...nodes].reverse())
    if (needed.has(output)) for (const name of inputs) needed.add(name);
  return needed;
}

const FLOAT = { type: 'DT_FLOAT' };
const INT = { type: 'DT_INT32' };
const NHWC = { s: Buffer.from('NHWC').toString('base64') };
const SAME = { s: Buffer.from('SAME').toString('base64') };
const VALID = { s: Buffer.from('VALID').toString('base64') };
const dims = (shape) => ({ dim: shape.map((size) => ({ size: String(size) })) });
const ints = (values) => ({ list: { i: values.map(String) } });

class Builder {
  nodes = [];
  weights = [];
  done = new Set();
  /** Rows and columns of what a node gives. */
  sizes = new Map();

  constructor(tensors) {
    this.tensors = tensors;
  }

  node(name, op, input, attr = {}, size = this.sizes.get(input[0])) {
    this.nodes.push({ name, op, input, attr });
    this.done.add(name);
    this.sizes.set(name, size);
    return name;
  }

  weight(name, shape, values, dtype = 'float32') {
    this.weights.push({ name, shape, values, dtype });
    return this.node(name, 'Const', [], {
      dtype: dtype === 'float32' ? FLOAT : INT,
      value: { tensor: { dtype: dtype === 'float32' ? 'DT_FLOAT' : 'DT_INT32', tensorShape: dims(shape) } },
    });
  }

  constant(name) {
    const tensor = this.tensors.get(name);
    if (tensor === undefined) throw new Explained(`${name} is no constant`);
    return tensor;
  }

  scalar(name) {
    const { values } = this.constant(name);
    if (values.length !== 1) throw new Explained(`${name} is no single number`);
    return values[0];
  }

  bias(name) {
    const { shape, values } = this.constant(name);
    return this.done.has(name) ? name : this.weight(name, shape, values);
  }
}

const RULES = {
  /** int8 weights to float, and their scale per output channel: worked out here. */
  Cast: (graph, { inputs: [from], output }) => {
    graph.tensors.set(output, graph.constant(from));
    graph.done.add(output);
  },
  Mul: (graph, { inputs: [weight, scale], output }) => {
    const { shape, values } = graph.constant(weight);
    const { shape: scaleShape, values: scales } = graph.constant(scale);
    const axis = scaleShape.findIndex((size) => size > 1);
    const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    graph.tensors.set(output, {
      shape,
      values: Float32Array.from(
        values,
        (value, i) => value * scales[axis < 0 ? 0 : Math.floor(i / inner) % shape[axis]],
      ),
    });
    graph.done.add(output);
  },
  /** To whole numbers 0..255 and, below, back: the same steps as in the engine that computes with them. Only uint8. */
  QuantizeLinear: (graph, { inputs: [x, scale, zero], output }) => {
    const [step, middle] = [graph.scalar(scale), graph.scalar(zero)];
    const steps = graph.node(`${output}/steps`, 'Mul', [x, graph.weight(`${output}/rate`, [], [1 / step])], {
      T: FLOAT,
    });
    const rounded = graph.node(`${output}/rounded`, 'Round', [steps], { T: FLOAT });
    const floor = graph.node(`${output}/floor`, 'Maximum', [rounded, graph.weight(`${output}/least`, [], [-middle])], {
      T: FLOAT,
    });
    return graph.node(output, 'Minimum', [floor, graph.weight(`${output}/most`, [], [255 - middle])], { T: FLOAT });
  },
  /** Of constants: worked out here, one scale per first axis. Behind QuantizeLinear the zero point is off already. */
  DequantizeLinear: (graph, { inputs: [x, scale], output }) => {
    if (!graph.tensors.has(x))
      return graph.node(output, 'Mul', [x, graph.weight(`${output}/step`, [], [graph.scalar(scale)])], { T: FLOAT });
    const { shape, values } = graph.constant(x);
    const { values: scales } = graph.constant(scale);
    const inner = values.length / scales.length;
    graph.tensors.set(output, {
      shape,
      values: Float32Array.from(values, (value, i) => value * scales[Math.floor(i / inner)]),
    });
  },
  Conv: (
    graph,
    { inputs: [x, weight, bias], output, attributes: { kernel_shape: kernel, pads = [0, 0, 0, 0], strides = [1, 1] } },
    later,
  ) => {
    if (strides.some((s) => s !== 1) || pads.some((pad, i) => pad !== (kernel[i % 2] - 1) / 2))
      throw new Explained(`${output}: only convolutions that keep the size are converted`);
    const { shape, values } = graph.constant(weight);
    const filter = graph.weight(
      `${weight}/hwio`,
      [2, 3, 1, 0].map((axis) => shape[axis]),
      transpose(values, shape, [2, 3, 1, 0]),
    );
    const attr = {
      T: FLOAT,
      strides: ints([1, 1, 1, 1]),
      padding: SAME,
      data_format: NHWC,
      dilations: ints([1, 1, 1, 1]),
    };
    if (bias === undefined) return graph.node(output, 'Conv2D', [x, filter], attr);
    const relu = later.find(({ op, inputs }) => op === 'Relu' && inputs[0] === output);
    const fused = ['BiasAdd', ...(relu ? ['Relu'] : [])].map((name) => Buffer.from(name).toString('base64'));
    return graph.node(relu?.output ?? output, '_FusedConv2D', [x, filter, graph.bias(bias)], {
      ...attr,
      num_args: { i: '1' },
      fused_ops: { list: { s: fused } },
      epsilon: { f: 0 },
    });
  },
  ConvTranspose: (graph, { inputs: [x, weight, bias], output, attributes: { kernel_shape: kernel, strides } }) => {
    if (kernel.some((size, i) => size !== strides[i]))
      throw new Explained(`${output}: only transposed convolutions without overlap are converted`);
    const { shape, values } = graph.constant(weight);
    const filter = graph.weight(
      `${weight}/hwoi`,
      [2, 3, 1, 0].map((axis) => shape[axis]),
      transpose(values, shape, [2, 3, 1, 0]),
    );
    const larger = graph.sizes.get(x).map((length, i) => length * strides[i]);
    const size = graph.weight(`${output}/size`, [4], [1, ...larger, shape[1]], 'int32');
    const linear = graph.node(
      `${output}/linear`,
      'Conv2DBackpropInput',
      [size, filter, x],
      { T: FLOAT, strides: ints([1, ...strides, 1]), padding: VALID, data_format: NHWC, dilations: ints([1, 1, 1, 1]) },
      larger,
    );
    return graph.node(output, 'BiasAdd', [linear, graph.bias(bias)], { T: FLOAT, data_format: NHWC });
  },
  Relu: (graph, { inputs, output }) => graph.node(output, 'Relu', inputs, { T: FLOAT }),
  Sigmoid: (graph, { inputs, output }) => graph.node(output, 'Sigmoid', inputs, { T: FLOAT }),
  Identity: (graph, { inputs, output }) => graph.node(output, 'Identity', inputs, { T: FLOAT }),
  MaxPool: (graph, { inputs, output, attributes: { kernel_shape: kernel, strides } }) =>
    graph.node(
      output,
      'MaxPool',
      inputs,
      {
        T: FLOAT,
        ksize: ints([1, ...kernel, 1]),
        strides: ints([1, ...strides, 1]),
        padding: VALID,
        data_format: NHWC,
      },
      graph.sizes.get(inputs[0]).map((length, i) => Math.floor((length - kernel[i]) / strides[i]) + 1),
    ),
  GlobalAveragePool: (graph, { inputs: [x], output }) =>
    graph.node(output, 'Mean', [x, graph.weight(`${output}/axes`, [2], [1, 2], 'int32')], {
      T: FLOAT,
      keep_dims: { b: true },
    }),
  /** Only behind the mean, where one value per channel is left. */
  Flatten: (graph, { inputs: [x], output }) =>
    graph.node(output, 'Squeeze', [x], { T: FLOAT, squeeze_dims: ints([1, 2]) }),
  Gemm: (graph, { inputs: [x, weight, bias], output, attributes }) => {
    if (attributes.transB !== 1) throw new Explained(`${output}: only Gemm with transB is converted`);
    const { shape, values } = graph.constant(weight);
    const matrix = graph.weight(`${weight}/transposed`, [shape[1], shape[0]], transpose(values, shape, [1, 0]));
    const product = graph.node(`${output}/product`, 'MatMul', [x, matrix], {
      T: FLOAT,
      transpose_a: { b: false },
      transpose_b: { b: false },
    });
    return graph.node(output, 'BiasAdd', [product, graph.bias(bias)], { T: FLOAT, data_format: NHWC });
  },
  /** Of the channel, which is last here. */
  Squeeze: (graph, { inputs: [x, axes], output }) => {
    if (String(graph.constant(axes).values) !== '1') throw new Explained(`${output}: only the channel is squeezed`);
    return graph.node(output, 'Squeeze', [x], { T: FLOAT, squeeze_dims: ints([3]) });
  },
  Concat: (graph, { inputs, output }) =>
    graph.node(output, 'ConcatV2', [...inputs, graph.weight(`${output}/axis`, [], [3], 'int32')], {
      T: FLOAT,
      N: { i: String(inputs.length) },
    }),
};

/** Row-major values with their axes in another order. */
function transpose(values, shape, order) {
  const strides = shape.map((_size, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const result = new Float32Array(values.length);
  const [sizes, steps] = [order.map((axis) => shape[axis]), order.map((axis) => strides[axis])];
  const at = sizes.map(() => 0);
  for (let i = 0, from = 0; i < result.length; i++) {
    result[i] = values[from];
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      from += steps[axis];
      if (++at[axis] < sizes[axis]) break;
      from -= steps[axis] * sizes[axis];
      at[axis] = 0;
    }
  }
  return result;
}
