"""EfficientNet-Lite0 as ONNX (opset 13): in float, and with 8-bit arithmetic (QDQ) as it is shipped.

Outputs: probabilities [1, findings], logits [1, findings], cam [1, findings, 14, 14] (logit = mean of the map + bias, exactly).
With ``mirrored`` the film and its mirror image go through as a batch of two; logits and maps are the means of both, the second map
turned back, so that the map still sums to the logit.

8 bits: weights int8 per output channel, activations uint8. Behind a ReLU6 the scale ends at 6 at most and the zero point is 0, so that rounding to
the grid is the ReLU6; linear outputs and sums of a block get scale and zero point of their own. Mean, dense layer and map stay float.
"""
from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ..nets.lite0 import Block, Conv, Lite0, same_padding
from ..onnx_export import Graph
from ..qdq import quantised_weight

SIZE = 224
Range = tuple[float, float]


@torch.no_grad()
def ranges(net: Lite0, z: torch.Tensor, percentile: float = 99.99) -> dict[str, Range]:
    """For each convolution and each sum the least and greatest, over films Z [n, 1, 224, 224], of the film's percentiles; 0 lies within."""
    found: dict[str, Range] = {}

    def note(name: str, x: torch.Tensor) -> torch.Tensor:
        values = x.flatten().numpy()
        last = values.size - 1
        at = min(last, int(np.ceil(values.size * percentile / 100)) - 1)
        ordered = np.partition(values, (last - at, at))
        low, high = found.get(name, (0.0, 0.0))
        found[name] = min(low, float(ordered[last - at])), max(high, float(ordered[at]))
        return x

    for film in z.split(1):
        x = note("stem", net.stem(film))
        for s, stage in enumerate(net.stages):
            for b, block in enumerate(stage):
                x = _note_block(block, x, f"s{s}b{b}", note)
        note("top", net.top(x))
    return found


def _note_block(block: Block, x: torch.Tensor, name: str, note) -> torch.Tensor:
    y = x if block.expand is None else note(f"{name}.expand", block.expand(x))
    y = note(f"{name}.project", block.project(note(f"{name}.depthwise", block.depthwise(y))))
    return note(f"{name}.sum", x + y) if block.residual else y


class Lite0Graph(Graph):
    """Nodes of one network; ``found``: activation ranges for 8 bits, None for float."""

    def __init__(self, found: dict[str, Range] | None):
        super().__init__()
        self.found, self.grids, self.size = found, {}, SIZE

    def on_grid(self, x: str, name: str, bounds: Range) -> str:
        """x rounded to uint8 and back; in float as it is."""
        if self.found is None:
            return x
        low, high = min(bounds[0], 0.0), max(bounds[1], 1e-6)
        scale = np.float32((high - low) / 255)
        zero = int(np.clip(round(-low / float(scale)), 0, 255))
        names = [self.constant(f"{name}.grid.scale", scale), self.constant(f"{name}.grid.zero", np.uint8(zero))]
        y = self.node("DequantizeLinear", [self.node("QuantizeLinear", [x, *names], f"{name}.q8"), *names], f"{name}.dq")
        self.grids[y] = scale
        return y

    def rounded_conv(self, x: str, name: str, kernel: torch.Tensor, bias: torch.Tensor, **shape) -> str:
        q, scale = quantised_weight(kernel.float(), 8)
        bias_scale = (scale * self.grids[x]).astype(np.float32)
        whole = np.clip(np.round(bias.numpy().astype(np.float64) / bias_scale), -2**31, 2**31 - 1).astype(np.int32)
        weight = self.node("DequantizeLinear", [self.constant(f"{name}.q", q), self.constant(f"{name}.scale", scale),
                                                self.constant(f"{name}.zero", np.zeros(len(scale), np.int8))], f"{name}.weight", axis=0)
        offset = self.node("DequantizeLinear", [self.constant(f"{name}.bias.q", whole), self.constant(f"{name}.bias.scale", bias_scale),
                                                self.constant(f"{name}.bias.zero", np.zeros(len(scale), np.int32))], f"{name}.bias", axis=0)
        return self.node("Conv", [x, weight, offset], f"{name}.linear", **shape)

    def layer(self, x: str, name: str, layer: Conv) -> str:
        """A convolution with its batch normalisation folded in, and ReLU6 where it has one."""
        conv = layer.conv
        (kernel_size, _), (stride, _), (dilation, _) = conv.kernel_size, conv.stride, conv.dilation
        before, behind = same_padding(self.size, (kernel_size - 1) * dilation + 1, stride)
        self.size = -(-self.size // stride)
        kernel, bias = layer.folded()
        shape = {"kernel_shape": [kernel_size] * 2, "strides": [stride] * 2, "dilations": [dilation] * 2, "group": conv.groups,
                 "pads": [before, before, behind, behind]}
        if self.found is not None:
            low, high = self.found[name]
            return self.on_grid(self.rounded_conv(x, name, kernel, bias, **shape), name, (0.0, min(high, 6.0)) if layer.act else (low, high))
        y = self.node("Conv", [x, self.constant(f"{name}.weight", kernel), self.constant(f"{name}.bias", bias)], f"{name}.linear", **shape)
        if not layer.act:
            return y
        return self.node("Clip", [y, self.once("zero", 0), self.once("six", 6)], name)

    def once(self, name: str, value: float) -> str:
        if all(i.name != name for i in self.initializers):
            self.constant(name, np.float32(value))
        return name

    def block(self, x: str, name: str, block: Block) -> str:
        y = x if block.expand is None else self.layer(x, f"{name}.expand", block.expand)
        y = self.layer(self.layer(y, f"{name}.depthwise", block.depthwise), f"{name}.project", block.project)
        if not block.residual:
            return y
        total = self.node("Add", [x, y], f"{name}.add")
        return self.on_grid(total, f"{name}.sum", self.found[f"{name}.sum"] if self.found else (0.0, 0.0))

    def network(self, x: str, net: Lite0) -> str:
        x = self.layer(x, "stem", net.stem)
        for s, stage in enumerate(net.stages):
            for b, block in enumerate(stage):
                x = self.block(x, f"s{s}b{b}", block)
        return self.layer(x, "top", net.top)

    def flipped(self, x: str, name: str, axis: int) -> str:
        starts, ends, axes, steps = (self.constant(f"{name}.{key}", np.array([value], np.int64))
                                     for key, value in (("start", -1), ("end", -(2**31)), ("axis", axis), ("step", -1)))
        return self.node("Slice", [x, starts, ends, axes, steps], name)




@torch.no_grad()
def export_lite0(net: Lite0, path: Path, name: str, weight: np.ndarray, bias: np.ndarray, found: dict[str, Range] | None = None,
                 mirrored: bool = False) -> None:
    """``weight`` [findings, 1280] and ``bias`` [findings]: the dense layer as shipped, calibration folded in."""
    findings, cells = len(bias), net.eval().activation(torch.zeros(1, 1, SIZE, SIZE)).shape[-1]
    g = Lite0Graph(found)
    x = g.on_grid("input", "input", (-1.0, 1.0))
    if mirrored:
        x = g.node("Concat", [x, g.flipped(x, "mirror", 3)], "pair", axis=0)
        g.grids[x] = g.grids.get("input.dq")
        if found is not None:
            x = g.on_grid(x, "pair", (-1.0, 1.0))
    a = g.network(x, net)
    kernel = np.asarray(weight, np.float32)
    maps = g.node("Conv", [a, g.constant("cam.weight", kernel[:, :, None, None])], "maps", kernel_shape=[1, 1])
    if mirrored:
        first, second = (g.node("Slice", [maps, *(g.constant(f"half{i}.{k}", np.array([v], np.int64)) for k, v in (("start", i), ("end", i + 1), ("axis", 0)))], f"half{i}") for i in (0, 1))
        maps = g.node("Mul", [g.node("Add", [first, g.flipped(second, "back", 3)], "both"), g.constant("mean", np.float32(0.5))], "mean.map")
    g.node("Identity", [maps], "cam")
    pooled = g.node("Flatten", [g.node("GlobalAveragePool", [maps], "average")], "sums", axis=1)
    g.node("Sigmoid", [g.node("Add", [pooled, g.constant("dense.bias", np.asarray(bias, np.float32)[None])], "logits")], "probabilities")
    g.save(path, name, {"probabilities": [1, findings], "logits": [1, findings], "cam": [1, findings, cells, cells]})
