"""The U-Net with 8-bit arithmetic (QDQ): output probability [1, 1, 224, 224]. The last convolution and the sigmoid stay float."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ..onnx_export import Graph
from ..qdq import quantised_weight
from ..unet import UNet, fold_batch_norm

Range = tuple[float, float]


def percentile_range(x: torch.Tensor, percentile: float) -> Range:
    values = x.flatten().numpy()
    last = values.size - 1
    at = min(last, int(np.ceil(values.size * percentile / 100)) - 1)
    ordered = np.partition(values, (last - at, at))
    return min(0.0, float(ordered[last - at])), max(1e-6, float(ordered[at]))


@torch.no_grad()
def ranges(net: UNet, z: torch.Tensor, percentile: float = 99.99) -> dict[str, Range]:
    """Least and greatest of each convolution's output over films Z, within percentiles of each film. Batch normalisation is folded already."""
    found: dict[str, Range] = {}

    def note(name: str, x: torch.Tensor) -> torch.Tensor:
        low, high = percentile_range(x, percentile)
        before = found.get(name, (0.0, 0.0))
        found[name] = min(before[0], low), max(before[1], high)
        return x

    for x in z.split(1):
        skips = []
        for level, block in enumerate(net.down):
            x = _double(block, x if level == 0 else F.max_pool2d(x, 2), f"down{level}", note)
            skips.append(x)
        for level, (up, block) in enumerate(zip(net.up, net.join)):
            x = _double(block, torch.cat([note(f"up{level}", up(x)), skips[3 - level]], 1), f"join{level}", note)
    return found


def _double(block, x: torch.Tensor, name: str, note) -> torch.Tensor:
    return note(f"{name}_conv2", F.relu(block.conv2(note(f"{name}_conv1", F.relu(block.conv1(x))))))


class UNetGraph(Graph):
    def __init__(self, found: dict[str, Range]):
        super().__init__()
        self.found, self.grids = found, {}

    def on_grid(self, x: str, name: str, bounds: Range) -> str:
        low, high = min(bounds[0], 0.0), max(bounds[1], 1e-6)
        scale = np.float32((high - low) / 255)
        names = [self.constant(f"{name}.grid.scale", scale), self.constant(f"{name}.grid.zero", np.uint8(np.clip(round(-low / float(scale)), 0, 255)))]
        return self.again(x, names, name, scale)

    def again(self, x: str, names: list[str], name: str, scale) -> str:
        y = self.node("DequantizeLinear", [self.node("QuantizeLinear", [x, *names], f"{name}.q8"), *names], f"{name}.dq")
        self.grids[y] = (scale, names)
        return y

    def weights(self, x: str, name: str, layer: nn.Module) -> list[str]:
        q, scale = quantised_weight(layer.weight.float(), 8)
        bias_scale = (scale * self.grids[x][0]).astype(np.float32)
        whole = np.clip(np.round(layer.bias.numpy().astype(np.float64) / bias_scale), -2**31, 2**31 - 1).astype(np.int32)
        zeros = np.zeros(len(scale), np.int8)
        weight = self.node("DequantizeLinear", [self.constant(f"{name}.q", q), self.constant(f"{name}.scale", scale), self.constant(f"{name}.zero", zeros)], f"{name}.weight", axis=0)
        offset = self.node("DequantizeLinear", [self.constant(f"{name}.bias.q", whole), self.constant(f"{name}.bias.scale", bias_scale),
                                                self.constant(f"{name}.bias.zero", zeros.astype(np.int32))], f"{name}.bias", axis=0)
        return [x, weight, offset]

    def rounded(self, x: str, name: str, layer: nn.Module) -> str:
        y = self.node("Relu", [self.node("Conv", self.weights(x, name, layer), f"{name}.linear", kernel_shape=[3, 3], pads=[1] * 4)], name)
        return self.on_grid(y, name, self.found[name])

    def double(self, x: str, name: str, block) -> str:
        return self.rounded(self.rounded(x, f"{name}_conv1", block.conv1), f"{name}_conv2", block.conv2)

    def pooled(self, x: str, name: str) -> str:
        scale, names = self.grids[x]
        return self.again(self.pool(x, name), names, name, scale)


@torch.no_grad()
def export_unet_qdq(net: UNet, path: Path, name: str, found: dict[str, Range], mean: float, std: float) -> None:
    """Transposed convolutions run in float between grids: engines have no whole-number kernel for them, and they are a small part."""
    net = fold_batch_norm(net.eval())
    g = UNetGraph(found)
    x, skips = g.on_grid("input", "input", (-mean / std, (1 - mean) / std)), []
    for level, block in enumerate(net.down):
        x = g.double(x if level == 0 else g.pooled(x, f"down{level}_pool"), f"down{level}", block)
        skips.append(x)
    for level, (up, block) in enumerate(zip(net.up, net.join)):
        raised = g.on_grid(g.up(x, f"up{level}", up), f"up{level}", found[f"up{level}"])
        both = g.node("Concat", [raised, skips[3 - level]], f"join{level}", axis=1)
        x = g.double(g.on_grid(both, f"join{level}", _wider(found[f"up{level}"], found[f"down{3 - level}_conv2"])), f"join{level}", block)
    g.node("Sigmoid", [g.conv(x, "out", net.out, relu=False)], "probability")
    g.save(path, name, {"probability": [1, 1, 224, 224]})


def _wider(a: Range, b: Range) -> Range:
    return min(a[0], b[0]), max(a[1], b[1])
