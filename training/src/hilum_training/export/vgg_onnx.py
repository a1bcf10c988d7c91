"""VGG16 and VGG19 as ONNX with 8-bit arithmetic (QDQ), or in float: outputs probability [1, 1], logit [1, 1] and cam
[1, 14, 14]."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ..nets.vgg import MEAN, STD, Vgg
from .graph import Graph, greatest_within

SIZE = 224


def convolutions(net: Vgg) -> Iterator[tuple[int, str, nn.Conv2d, bool]]:
    for number, block in enumerate(net.blocks, 1):
        for layer, conv in enumerate(block, 1):
            yield number, f"block{number}_conv{layer}", conv, layer == len(block)


@torch.no_grad()
def maxima(net: Vgg, z: torch.Tensor, percentile: float = 99.99) -> dict[str, float]:
    """For each convolution the greatest, over films Z, of the film's percentile behind ReLU."""
    greatest: dict[str, float] = {}
    for x in z.split(1):
        for number, name, conv, last in convolutions(net):
            x = F.relu(conv(x))
            greatest[name] = max(greatest.get(name, 0.0), greatest_within(x, percentile))
            if last and number < 5:
                x = F.max_pool2d(x, 2)
    return greatest


@torch.no_grad()
def export_vgg(
    net: Vgg, path: Path, name: str, weight: np.ndarray, bias: float, found: dict[str, float] | None = None
) -> None:
    """``weight`` [512] and ``bias`` of the dense layer, calibration folded in; ``found``: activation maxima for 8
    bits, None for float."""
    g, x, scale = Graph(), "input", (1 / STD) / 255
    if found is not None:
        x = g.around(x, g.grid(scale, round(MEAN / STD / scale), "input.grid"), "input.grid")
    for number, label, conv, last in convolutions(net):
        if found is None:
            parameters = [g.constant(f"{label}.weight", conv.weight), g.constant(f"{label}.bias", conv.bias)]
        else:
            parameters = g.quantised_parameters(label, conv.weight, conv.bias, scale)
        linear = g.node("Conv", [x, *parameters], f"{label}.linear", kernel_shape=[3, 3], pads=[1] * 4)
        x, grid = g.node("Relu", [linear], label), []
        if found is not None:
            scale = max(found[label], 1e-6) / 255
            grid = g.grid(scale, 0, f"{label}.grid")
            x = g.around(x, grid, f"{label}.grid")
        if last and number < 5:
            x = g.pool(x, f"block{number}_pool")
            x = g.around(x, grid, f"block{number}_pool.grid") if grid else x
    row = np.asarray(weight, np.float32)[None]
    pooled = g.node("Flatten", [g.node("GlobalAveragePool", [x], "average")], "features", axis=1)
    g.node(
        "Sigmoid",
        [
            g.node(
                "Gemm",
                [pooled, g.constant("dense.weight", row), g.constant("dense.bias", np.float32([bias]))],
                "logit",
                transB=1,
            )
        ],
        "probability",
    )
    mapped = g.node("Conv", [x, g.constant("cam.weight", row[:, :, None, None])], "cam.map", kernel_shape=[1, 1])
    g.node("Squeeze", [mapped, g.constant("cam.axes", np.array([1], np.int64))], "cam")
    g.save(path, name, {"probability": [1, 1], "logit": [1, 1], "cam": [1, 14, 14]})
