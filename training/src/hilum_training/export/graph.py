"""ONNX graphs (opset 13), written node by node, with their weights and activations in 8 bits.

Weights that run in 8 bits (QDQ): int8 per output channel, symmetric; activations behind a ReLU uint8 with zero point 0
and one scale for each layer, from calibration films; biases int32 at (scale of the input) x (scale of the channel).
Engines that know QDQ run such convolutions in whole numbers.

What stays float in a U-Net of 8 bits has its weights stored as int8 all the same, expanded in the graph by Cast and
Mul, which engines fold when they load the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

OPSET = 13
SIZE = 224
INT32 = -(2**31), 2**31 - 1


def quantised_weight(weight: torch.Tensor, axis: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(q int8 like weight, scale float32 [outputs]) with |q| <= 127; ``axis`` is the output channel."""
    others = [d for d in range(weight.dim()) if d != axis]
    scale = weight.detach().float().abs().amax(others).clamp_min(1e-12) / 127
    shape = [-1 if d == axis else 1 for d in range(weight.dim())]
    q = torch.round(weight.detach().float() / scale.view(shape)).clamp(-127, 127)
    return q.to(torch.int8).numpy(), scale.numpy().astype(np.float32)


def greatest_within(x: torch.Tensor, percentile: float) -> float:
    """The percentile of all values of an activation."""
    values = x.flatten().numpy()
    at = min(values.size - 1, int(np.ceil(values.size * percentile / 100)) - 1)
    return float(np.partition(values, at)[at])


class Graph:
    """Collects nodes and initializers; every method returns the name of its output."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def constant(self, name: str, value: Any) -> str:
        array = value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
        self.initializers.append(numpy_helper.from_array(array.copy(order="C"), name))
        return name

    def node(self, op: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def pool(self, x: str, name: str) -> str:
        return self.node("MaxPool", [x], name, kernel_shape=[2, 2], strides=[2, 2])

    def stored_weight(self, name: str, value: torch.Tensor, axis: int = 0) -> str:
        """A float weight, stored as int8 and a scale for each output channel."""
        q, scale = quantised_weight(value, axis)
        shape = [-1 if d == axis else 1 for d in range(value.dim())]
        wide = self.node("Cast", [self.constant(f"{name}.q", q)], f"{name}.wide", to=TensorProto.FLOAT)
        return self.node("Mul", [wide, self.constant(f"{name}.scale", scale.reshape(shape))], f"{name}.weight")

    def around(self, x: str, grid: list[str], label: str) -> str:
        """x rounded to uint8 and back: QuantizeLinear, DequantizeLinear; ``grid``: names of scale and zero point."""
        return self.node(
            "DequantizeLinear", [self.node("QuantizeLinear", [x, *grid], f"{label}.q8"), *grid], f"{label}.dq"
        )

    def grid(self, scale: float, zero: int, label: str) -> list[str]:
        return [self.constant(f"{label}.scale", np.float32(scale)), self.constant(f"{label}.zero", np.uint8(zero))]

    def quantised_parameters(self, name: str, weight: torch.Tensor, bias: torch.Tensor, x_scale: float) -> list[str]:
        """Weight [outputs, ...] and bias [outputs] of a convolution whose input lies on a grid of ``x_scale``."""
        q, scale = quantised_weight(weight)
        bias_scale = (scale * np.float32(x_scale)).astype(np.float32)
        whole = np.clip(np.round(bias.detach().numpy().astype(np.float64) / bias_scale), *INT32).astype(np.int32)
        parameters = []
        for label, values, step in ((name, q, scale), (f"{name}.bias", whole, bias_scale)):
            zeros = np.zeros(len(step), values.dtype)
            parts = (("q", values), ("scale", step), ("zero", zeros))
            inputs = [self.constant(f"{label}.{part}", value) for part, value in parts]
            target = f"{name}.weight" if label == name else label
            parameters.append(self.node("DequantizeLinear", inputs, target, axis=0))
        return parameters

    def save(self, path: Path, name: str, outputs: dict[str, list[int]], planes: int = 1) -> None:
        """Checks and writes the graph; its input is [1, planes, 224, 224]."""

        def info(label: str, shape: list[int]) -> onnx.ValueInfoProto:
            return helper.make_tensor_value_info(label, TensorProto.FLOAT, shape)

        given, found = [info("input", [1, planes, SIZE, SIZE])], [info(k, v) for k, v in outputs.items()]
        graph = helper.make_graph(self.nodes, name, given, found, self.initializers)
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(graph, opset_imports=[opset], producer_name="hilum-training")
        model.ir_version = 7
        onnx.checker.check_model(model, full_check=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(model.SerializeToString())
