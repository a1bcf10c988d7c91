"""8-bit static quantisation of the VGGs as a QDQ graph: engines that know it run the convolutions in whole numbers.

Weights: int8 per output channel, symmetric. Activations behind a ReLU: uint8, zero point 0, one scale per layer from
calibration films. Biases: int32 at (scale of the input) x (scale of the channel). Mean, dense layer and class activation
map stay float, so that the last sums keep their precision.

``bits`` 7 keeps weights within -63..63: processors with AVX2 or AVX-512 but without VNNI add pairs of 8 x 8 bit products
in 16 bits, which overflow with full weights.
"""
from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch.nn import functional as F

from .onnx_export import Graph
from .vgg import VGG19


def labels(net: VGG19):
    """(name, convolution) in the order of the graph."""
    for number, block in enumerate(net.blocks, 1):
        for layer, conv in enumerate(block.convs, 1):
            yield f"block{number}_conv{layer}", conv


@torch.no_grad()
def activation_maxima(net: VGG19, z: torch.Tensor, percentile: float) -> dict[str, float]:
    """For each convolution the greatest, over films Z [n, 1, 224, 224], of the film's percentile behind ReLU; 100 is the maximum."""
    greatest: dict[str, float] = {}
    for film in z.split(1):
        x = film
        for number, block in enumerate(net.blocks, 1):
            for layer, conv in enumerate(block.convs, 1):
                x = F.relu(conv(x))
                values = x.flatten().numpy()
                at = min(values.size - 1, int(np.ceil(values.size * percentile / 100)) - 1)
                high = float(np.partition(values, at)[at])
                name = f"block{number}_conv{layer}"
                greatest[name] = max(greatest.get(name, 0.0), high)
            if number < 5:
                x = F.max_pool2d(x, 2)
    return greatest


def quantised_weight(weight: torch.Tensor, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """(q int8 like weight, scale float32 [outputs]) with |q| <= 2^(bits-1) - 1."""
    most = 2 ** (bits - 1) - 1
    scale = weight.abs().amax((1, 2, 3)).clamp_min(1e-12) / most
    q = torch.round(weight / scale[:, None, None, None]).clamp(-most, most)
    return q.to(torch.int8).numpy(), scale.numpy().astype(np.float32)


class QdqVGG(VGG19):
    """The quantised graph's arithmetic in PyTorch: float sums of values on the 8-bit grids. ``grids`` {name: (scale, zero)}.

    Engines sum in whole numbers: a value half-way between two steps may fall on the other side."""

    def __init__(self, grids: dict[str, tuple[float, int]]):
        super().__init__()
        self.grids = grids

    def on_grid(self, x: torch.Tensor, name: str) -> torch.Tensor:
        scale, zero = self.grids[name]
        return (torch.clamp(torch.round(x / scale) + zero, 0, 255) - zero) * scale

    def block(self, x: torch.Tensor, number: int) -> torch.Tensor:
        for layer, conv in enumerate(self.blocks[number - 1].convs, 1):
            x = self.on_grid(F.relu(conv(x)), f"block{number}_conv{layer}.grid")
        return x

    def low(self, z):
        x = self.on_grid(z, "input.grid")
        for number in (1, 2, 3):
            x = F.max_pool2d(self.block(x, number), 2)
        return x

    def activation(self, x):
        return self.block(F.max_pool2d(self.block(x, 4), 2), 5)


@torch.no_grad()
def load_qdq(path: Path) -> QdqVGG:
    """A graph of ``export_qdq`` in PyTorch; the temperature is folded into its dense layer."""
    stored = {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in onnx.load(str(path)).graph.initializer}
    grids = {name[: -len(".scale")]: (float(stored[name]), int(stored[name[: -len("scale")] + "zero"])) for name in stored if name.endswith(".grid.scale")}
    net = QdqVGG(grids)
    for name, conv in labels(net):
        conv.weight.copy_(stored[f"{name}.q"].float() * stored[f"{name}.scale"][:, None, None, None])
        conv.bias.copy_(stored[f"{name}.bias.q"].float() * stored[f"{name}.bias.scale"])
    net.head.weight.copy_(stored["dense.weight"])
    net.head.bias.copy_(stored["dense.bias"])
    return net.eval()


class QdqGraph(Graph):
    def quantised(self, x: str, scale: float, zero: int, label: str) -> str:
        """x rounded to uint8 and back: QuantizeLinear, DequantizeLinear."""
        names = [self.constant(f"{label}.scale", np.float32(scale)), self.constant(f"{label}.zero", np.uint8(zero))]
        return self.around(x, names, label)

    def around(self, x: str, names: list[str], label: str) -> str:
        q = self.node("QuantizeLinear", [x, *names], f"{label}.q8")
        return self.node("DequantizeLinear", [q, *names], f"{label}.dq")

    def quantised_conv(self, x: str, x_scale: float, name: str, conv, bits: int) -> str:
        q, scale = quantised_weight(conv.weight.detach().float(), bits)
        bias_scale = (scale * np.float32(x_scale)).astype(np.float32)
        bias = np.clip(np.round(conv.bias.detach().numpy().astype(np.float64) / bias_scale), -2**31, 2**31 - 1).astype(np.int32)
        weight = self.node("DequantizeLinear", [self.constant(f"{name}.q", q), self.constant(f"{name}.scale", scale),
                                                self.constant(f"{name}.zero", np.zeros(len(scale), np.int8))], f"{name}.weight", axis=0)
        offset = self.node("DequantizeLinear", [self.constant(f"{name}.bias.q", bias), self.constant(f"{name}.bias.scale", bias_scale),
                                                self.constant(f"{name}.bias.zero", np.zeros(len(scale), np.int32))], f"{name}.bias", axis=0)
        y = self.node("Conv", [x, weight, offset], f"{name}.linear", kernel_shape=[3, 3], pads=[1] * 4)
        return self.node("Relu", [y], name)


@torch.no_grad()
def export_qdq(net: VGG19, path: Path, name: str, maxima: dict[str, float], input_range: tuple[float, float], bits: int = 8,
               features: bool = False) -> None:
    """Outputs: probability [1, 1], logit [1, 1] and cam [1, 14, 14], as ``onnx_export.export_vgg`` gives them; with
    ``features`` also the mean activations [1, 512] that the dense layer sees."""
    g = QdqGraph()
    low, high = min(input_range[0], 0.0), max(input_range[1], 0.0)
    scale = (high - low) / 255
    x = g.quantised("input", scale, int(np.clip(round(-low / scale), 0, 255)), "input.grid")
    for label, conv in labels(net):
        x = g.quantised_conv(x, scale, label, conv, bits)
        scale = max(maxima[label], 1e-6) / 255
        x = g.quantised(x, scale, 0, f"{label}.grid")
        number, last = int(label[5]), label.endswith(f"conv{len(net.blocks[int(label[5]) - 1].convs)}")
        if last and number < 5:
            grid = [f"{label}.grid.scale", f"{label}.grid.zero"]
            x = g.around(g.pool(x, f"block{number}_pool"), grid, f"block{number}_pool.grid")
    row = net.head.weight / net.temperature
    pooled = g.node("Flatten", [g.node("GlobalAveragePool", [x], "average")], "features", axis=1)
    dense = [pooled, g.constant("dense.weight", row), g.constant("dense.bias", net.head.bias / net.temperature)]
    g.node("Sigmoid", [g.node("Gemm", dense, "logit", transB=1)], "probability")
    mapped = g.node("Conv", [x, g.constant("cam.weight", row.view(1, -1, 1, 1))], "cam.map", kernel_shape=[1, 1])
    g.node("Squeeze", [mapped, g.constant("cam.axes", np.array([1], np.int64))], "cam")
    more = {"features": [1, 512]} if features else {}
    g.save(path, name, {"probability": [1, 1], "logit": [1, 1], "cam": [1, 14, 14]} | more)
