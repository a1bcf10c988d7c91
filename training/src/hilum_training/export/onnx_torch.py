"""The graphs of this package, run by PyTorch: another program's arithmetic beside onnxruntime's, and gradients.

Sums of values on 8-bit grids are float here; onnxruntime sums in whole numbers, so a sum half-way between two steps may
fall on the other side.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import helper, numpy_helper
from torch.nn import functional as F

Values = list[torch.Tensor]
Operator = Callable[..., torch.Tensor]


def _along(x: torch.Tensor, value: torch.Tensor, axis: int) -> torch.Tensor:
    """A scale or zero point: one number, or one for each channel along an axis."""
    return value if value.dim() == 0 else value.view([-1 if d == axis else 1 for d in range(x.dim())])


def quantize(x: torch.Tensor, scale: torch.Tensor, zero: torch.Tensor, axis: int = 1) -> torch.Tensor:
    limits = torch.iinfo(zero.dtype)
    steps = torch.round(x / _along(x, scale, axis)) + _along(x, zero, axis)
    return steps.clamp(limits.min, limits.max).to(zero.dtype)


def dequantize(x: torch.Tensor, scale: torch.Tensor, zero: torch.Tensor, axis: int = 1) -> torch.Tensor:
    return (x.to(torch.float32) - _along(x, zero, axis)) * _along(x, scale, axis)


def convolution(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None, **how: Any) -> torch.Tensor:
    top, left, bottom, right = how.get("pads", [0] * 4)
    x = F.pad(x, (left, right, top, bottom))
    return F.conv2d(x, weight, bias, how.get("strides", 1), 0, how.get("dilations", 1), how.get("group", 1))


def sliced(
    x: torch.Tensor, start: torch.Tensor, end: torch.Tensor, axis: torch.Tensor, step: torch.Tensor
) -> torch.Tensor:
    """Along one axis, forwards, or all of it backwards."""
    if int(step) == -1:
        return x.flip(int(axis))
    return x.narrow(int(axis), int(start), int(end) - int(start))


OPERATORS: dict[str, Operator] = {
    "Add": lambda a, b: a + b,
    "Cast": lambda x, to: x.float(),
    "Clip": lambda x, low, high: x.clamp(float(low), float(high)),
    "Concat": lambda *x, axis: torch.cat(x, axis),
    "Conv": convolution,
    "ConvTranspose": lambda x, w, b, strides, **_: F.conv_transpose2d(x, w, b, strides),
    "DequantizeLinear": dequantize,
    "Flatten": lambda x, axis: x.flatten(axis),
    "Gemm": lambda x, w, b, transB: F.linear(x, w, b),
    "GlobalAveragePool": lambda x: x.mean((2, 3), keepdim=True),
    "Identity": lambda x: x,
    "MatMul": lambda a, b: a @ b,
    "MaxPool": lambda x, kernel_shape, strides: F.max_pool2d(x, kernel_shape, strides),
    "Mul": lambda a, b: a * b,
    "QuantizeLinear": quantize,
    "ReduceMean": lambda x, axes, keepdims: x.mean(axes, keepdim=bool(keepdims)),
    "ReduceSum": lambda x, axes, keepdims: x.sum(axes.tolist(), keepdim=bool(keepdims)),
    "Relu": F.relu,
    "Reshape": lambda x, shape: x.reshape(shape.tolist()),
    "Sigmoid": torch.sigmoid,
    "Slice": sliced,
    "Softmax": lambda x, axis: torch.softmax(x, axis),
    "Squeeze": lambda x, axes: x.squeeze(int(axes)),
}


class Network:
    """A graph of export/*.py, read from its file."""

    def __init__(self, path: Path):
        graph = onnx.load(str(path)).graph
        self.nodes = list(graph.node)
        self.outputs = [output.name for output in graph.output]
        self.constants = {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in graph.initializer}

    def activations(self) -> list[str]:
        """What the class activation maps are computed of: inputs of convolutions with the dense layer's kernel."""
        return [n.input[0] for n in self.nodes if n.op_type == "Conv" and n.input[1].endswith("cam.weight")]

    def run(self, z: torch.Tensor, leaves: Collection[str] = ()) -> dict[str, torch.Tensor]:
        """All values of the graph by name for Z [planes, 1, 224, 224]; gradients reach ``leaves`` and stop there."""
        values = {"input": z.reshape(1, -1, *z.shape[2:])} | self.constants
        for node in self.nodes:
            attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            found = OPERATORS[node.op_type](*(values[name] for name in node.input), **attributes)
            name = node.output[0]
            values[name] = found.detach().requires_grad_(True) if name in leaves else found
        return values
