"""The U-Net with 8-bit arithmetic (QDQ): output probability [1, 1, 224, 224]. The last convolution and the sigmoid
stay float."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ..nets.unet import DoubleConv, UNet, fold_batch_norm
from .graph import Graph

Range = tuple[float, float]
#: Takes notice of an activation by its name, and gives it back.
Note = Callable[[str, torch.Tensor], torch.Tensor]


def percentile_range(x: torch.Tensor, percentile: float) -> Range:
    values = x.flatten().numpy()
    last = values.size - 1
    at = min(last, int(np.ceil(values.size * percentile / 100)) - 1)
    ordered = np.partition(values, (last - at, at))
    return min(0.0, float(ordered[last - at])), max(1e-6, float(ordered[at]))


@torch.no_grad()
def ranges(net: UNet, z: torch.Tensor, percentile: float = 99.99) -> dict[str, Range]:
    """Least and greatest of each convolution's output over films Z, within percentiles of each film. Batch
    normalisation is folded already."""
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
        for level, (up, block) in enumerate(zip(net.up, net.join, strict=True)):
            x = _double(block, torch.cat([note(f"up{level}", up(x)), skips[3 - level]], 1), f"join{level}", note)
    return found


def _double(block: DoubleConv, x: torch.Tensor, name: str, note: Note) -> torch.Tensor:
    return note(f"{name}_conv2", F.relu(block.conv2(note(f"{name}_conv1", F.relu(block.conv1(x))))))


class UNetGraph(Graph):
    """``grids``: scale and names of the grid that each value lies on."""

    def __init__(self, found: dict[str, Range]):
        super().__init__()
        self.found = found
        self.grids: dict[str, tuple[float, list[str]]] = {}

    def on_grid(self, x: str, name: str, bounds: Range) -> str:
        low, high = min(bounds[0], 0.0), max(bounds[1], 1e-6)
        scale = float(np.float32((high - low) / 255))
        names = self.grid(scale, int(np.clip(round(-low / scale), 0, 255)), f"{name}.grid")
        return self.again(x, names, name, scale)

    def again(self, x: str, names: list[str], name: str, scale: float) -> str:
        y = self.around(x, names, name)
        self.grids[y] = scale, names
        return y

    def rounded(self, x: str, name: str, layer: nn.Conv2d) -> str:
        parameters = self.quantised_parameters(name, layer.weight, layer.bias, self.grids[x][0])
        linear = self.node("Conv", [x, *parameters], f"{name}.linear", kernel_shape=[3, 3], pads=[1] * 4)
        return self.on_grid(self.node("Relu", [linear], name), name, self.found[name])

    def raised(self, x: str, name: str, layer: nn.ConvTranspose2d) -> str:
        """In float: engines have no whole-number kernel for transposed convolutions, and they are a small part."""
        inputs = [x, self.stored_weight(name, layer.weight, axis=1), self.constant(f"{name}.bias", layer.bias)]
        up = self.node("ConvTranspose", inputs, name, kernel_shape=[2, 2], strides=[2, 2])
        return self.on_grid(up, name, self.found[name])

    def last(self, x: str, layer: nn.Conv2d) -> str:
        inputs = [x, self.stored_weight("out", layer.weight), self.constant("out.bias", layer.bias)]
        linear = self.node("Conv", inputs, "out.linear", kernel_shape=[1, 1], pads=[0] * 4)
        return self.node("Sigmoid", [linear], "probability")

    def double(self, x: str, name: str, block: DoubleConv) -> str:
        return self.rounded(self.rounded(x, f"{name}_conv1", block.conv1), f"{name}_conv2", block.conv2)

    def pooled(self, x: str, name: str) -> str:
        scale, names = self.grids[x]
        return self.again(self.pool(x, name), names, name, scale)


@torch.no_grad()
def export_unet_qdq(net: UNet, path: Path, name: str, found: dict[str, Range], mean: float, std: float) -> None:
    net = fold_batch_norm(net.eval())
    g = UNetGraph(found)
    x, skips = g.on_grid("input", "input", (-mean / std, (1 - mean) / std)), []
    for level, block in enumerate(net.down):
        x = g.double(x if level == 0 else g.pooled(x, f"down{level}_pool"), f"down{level}", block)
        skips.append(x)
    for level, (up, block) in enumerate(zip(net.up, net.join, strict=True)):
        both = g.node("Concat", [g.raised(x, f"up{level}", up), skips[3 - level]], f"join{level}", axis=1)
        x = g.double(
            g.on_grid(both, f"join{level}", _wider(found[f"up{level}"], found[f"down{3 - level}_conv2"])),
            f"join{level}",
            block,
        )
    g.last(x, net.out)
    g.save(path, name, {"probability": [1, 1, 224, 224]})


def _wider(a: Range, b: Range) -> Range:
    return min(a[0], b[0]), max(a[1], b[1])
