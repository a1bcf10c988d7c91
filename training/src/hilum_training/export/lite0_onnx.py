"""EfficientNet-Lite0 as ONNX (opset 13): in float, and with 8-bit arithmetic (QDQ) as it is shipped.

A classifier of findings is the mean of several networks over several regions of a film, which come as the planes of
one input [1, regions, 224, 224], and, with ``mirrored``, their mirror images. All go through as one batch. Outputs:

    probability, logits   [1, findings]
    cam                   [regions, findings, 14, 14]

The mean is one of logits, so it is exact in the maps: logit = constant + sum over regions of the mean of its map. A
mirror image's map is turned back before it is added.

8 bits: weights int8 per output channel, activations uint8, the stem and the first two stages in float (rounding them
costs most of the precision and saves little time). Behind a ReLU6 the scale ends at 6 at most and the zero point is 0,
so that rounding to the grid is the ReLU6; linear outputs and sums of a block get scale and zero point of their own.
Mean, dense layer and maps stay float."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ..nets.lite0 import Block, Conv, Lite0, same_padding
from .graph import SIZE, Graph, greatest_within

#: The stem and this many stages stay float.
FLOAT_STAGES = 2
Range = tuple[float, float]


class Ranges:
    """Least and greatest activations over films: of each ReLU6 within percentiles of each film, of each linear output
    and sum by channel.

    ``streams``: for each stage a factor by channel that its linear outputs and sums are divided by. Nothing but
    additions and 1 x 1 convolutions reads them, so the next convolutions take the factor back and the function stays
    the same, while one grid serves all channels (Nagel et al. 2019)."""

    def __init__(self, percentile: float = 99.99, strength: float = 0.5):
        self.percentile, self.strength = percentile, strength
        self.bounds: dict[str, Range] = {}
        self.channels: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    def note(self, name: str, x: torch.Tensor) -> torch.Tensor:
        if name.endswith(("project", "sum")):
            flat = x.permute(1, 0, 2, 3).flatten(1).numpy()
            low, high = self.channels.get(name, (np.zeros(len(flat)), np.zeros(len(flat))))
            self.channels[name] = np.minimum(low, flat.min(1)), np.maximum(high, flat.max(1))
            return x
        self.bounds[name] = 0.0, max(self.bounds.get(name, (0.0, 0.0))[1], greatest_within(x, self.percentile))
        return x

    def stream(self, stage: int) -> np.ndarray:
        """Factor of each channel of the stage's linear outputs, 1 at most."""
        parts = [np.maximum(-low, high) for name, (low, high) in self.channels.items() if name.startswith(f"s{stage}b")]
        most = np.max(parts, 0)
        return np.maximum((most / max(most.max(), 1e-6)) ** self.strength, 1e-3)

    def of(self, name: str) -> Range:
        if name in self.bounds:
            return self.bounds[name]
        low, high = self.channels[name]
        factor = self.stream(int(name[1]))
        return min(0.0, float((low / factor).min())), max(0.0, float((high / factor).max()))


@torch.no_grad()
def ranges(net: Lite0, z: torch.Tensor, percentile: float = 99.99, strength: float = 0.5) -> Ranges:
    """From films Z [n, 1, 224, 224]."""
    found = Ranges(percentile, strength)
    for film in z.split(1):
        x = found.note("stem", net.stem(film))
        for s, stage in enumerate(net.stages):
            for b, block in enumerate(stage):
                x = _note_block(block, x, f"s{s}b{b}", found.note)
        found.note("top", net.top(x))
    return found


def _note_block(
    block: Block, x: torch.Tensor, name: str, note: Callable[[str, torch.Tensor], torch.Tensor]
) -> torch.Tensor:
    y = x if block.expand is None else note(f"{name}.expand", block.expand(x))
    y = note(f"{name}.project", block.project(note(f"{name}.depthwise", block.depthwise(y))))
    return note(f"{name}.sum", x + y) if block.residual else y


class Lite0Graph(Graph):
    """Nodes of one or several networks. ``begin`` names one and its activation ranges for 8 bits, None for float."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Ranges | None = None
        self.prefix, self.size = "", SIZE
        self.grids: dict[str, float] = {}

    def begin(self, prefix: str, found: Ranges | None) -> Lite0Graph:
        self.prefix, self.found, self.size = prefix, found, SIZE
        return self

    def on_grid(self, x: str, name: str, bounds: Range) -> str:
        """x rounded to uint8 and back; in float as it is."""
        if self.found is None:
            return x
        low, high = min(bounds[0], 0.0), max(bounds[1], 1e-6)
        scale = float(np.float32((high - low) / 255))
        y = self.around(x, self.grid(scale, int(np.clip(round(-low / scale), 0, 255)), f"{name}.grid"), name)
        self.grids[y] = scale
        return y

    def layer(self, x: str, name: str, layer: Conv) -> str:
        """A convolution with its batch normalisation folded in, and ReLU6 where it has one."""
        conv = layer.conv
        (kernel_size, _), (stride, _), (dilation, _) = conv.kernel_size, conv.stride, conv.dilation
        before, behind = same_padding(self.size, (kernel_size - 1) * dilation + 1, stride)
        self.size = -(-self.size // stride)
        kernel, bias = self.equalised(name, *layer.folded())
        node = self.prefix + name
        shape = {
            "kernel_shape": [kernel_size] * 2,
            "strides": [stride] * 2,
            "dilations": [dilation] * 2,
            "group": conv.groups,
            "pads": [before, before, behind, behind],
        }
        found = self.rounding(name)
        if found is not None:
            low, high = found.of(name)
            parameters = self.quantised_parameters(node, kernel, bias, self.grids[x])
            linear = self.node("Conv", [x, *parameters], f"{node}.linear", **shape)
            return self.on_grid(linear, node, (0.0, min(high, 6.0)) if layer.act else (low, high))
        y = self.node(
            "Conv",
            [x, self.constant(f"{node}.weight", kernel), self.constant(f"{node}.bias", bias)],
            f"{node}.linear",
            **shape,
        )
        if not layer.act:
            return y
        return self.node("Clip", [y, self.once("zero", 0), self.once("six", 6)], node)

    def equalised(self, name: str, kernel: torch.Tensor, bias: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Kernel and bias of a 1 x 1 convolution that writes a stage's stream or reads one, with the stream's factors
        in them."""
        if self.found is None:
            return kernel, bias
        if name.endswith("project"):
            factor = torch.from_numpy(self.found.stream(int(name[1]))).float()
            return kernel / factor[:, None, None, None], bias / factor
        if name == "top" or name.endswith("expand"):
            stage = 6 if name == "top" else int(name[1]) - (name[2:4] == "b0")
            factor = torch.from_numpy(self.found.stream(stage)).float()
            return kernel * factor[None, :, None, None], bias
        return kernel, bias

    def once(self, name: str, value: float) -> str:
        if all(i.name != name for i in self.initializers):
            self.constant(name, np.float32(value))
        return name

    def block(self, x: str, name: str, block: Block) -> str:
        y = x if block.expand is None else self.layer(x, f"{name}.expand", block.expand)
        y = self.layer(self.layer(y, f"{name}.depthwise", block.depthwise), f"{name}.project", block.project)
        if not block.residual:
            return y
        total = self.node("Add", [x, y], f"{self.prefix}{name}.add")
        found = self.rounding(name)
        return total if found is None else self.on_grid(total, f"{self.prefix}{name}.sum", found.of(f"{name}.sum"))

    def rounding(self, name: str) -> Ranges | None:
        """Ranges of a layer that runs in 8 bits; None of the stem and the first stages.

        Their rounding costs most of the precision and saves little time."""
        first = name == "stem" or (name[0] == "s" and int(name[1]) < FLOAT_STAGES)
        return None if first else self.found

    def network(self, x: str, net: Lite0) -> str:
        x = self.layer(x, "stem", net.stem)
        for s, stage in enumerate(net.stages):
            if s == FLOAT_STAGES and self.found is not None:
                before = net.stages[s - 1]
                last = f"s{s - 1}b{len(before) - 1}.{'sum' if before[-1].residual else 'project'}"
                x = self.on_grid(x, f"{self.prefix}entry", self.found.of(last))
            for b, block in enumerate(stage):
                x = self.block(x, f"s{s}b{b}", block)
        return self.layer(x, "top", net.top)

    def taken(self, x: str, name: str, start: int, end: int, axis: int, step: int = 1) -> str:
        bounds = (
            self.constant(f"{name}.{key}", np.array([value], np.int64))
            for key, value in (("start", start), ("end", end), ("axis", axis), ("step", step))
        )
        return self.node("Slice", [x, *bounds], name)

    def planes_as_batch(self, x: str, planes: int) -> str:
        """[1, planes, 224, 224] -> [planes, 1, 224, 224]."""
        shape = self.constant("planes.shape", np.array([planes, 1, SIZE, SIZE], np.int64))
        return self.node("Reshape", [x, shape], "planes")

    def flipped(self, x: str, name: str) -> str:
        """Mirrored from left to right."""
        return self.taken(x, name, -1, -(2**31), 3, -1)


@dataclass(frozen=True)
class Member:
    """One network of a mean: ``weight`` [findings, 1280] and ``bias`` [findings] of its dense layer as shipped,
    calibration folded in; ``found``: activation ranges for 8 bits, None for float."""

    net: Lite0
    weight: np.ndarray
    bias: np.ndarray
    found: Ranges | None = None


def member_maps(g: Lite0Graph, x: str, member: Member, number: int, share: float) -> str:
    """The class activation maps [batch, findings, cells, cells] of a network, each times ``share``."""
    a = g.begin(f"n{number}.", member.found).network(x, member.net.eval())
    kernel = np.asarray(member.weight, np.float32) * np.float32(share)
    return g.node(
        "Conv",
        [a, g.constant(f"n{number}.cam.weight", kernel[:, :, None, None])],
        f"n{number}.maps",
        kernel_shape=[1, 1],
    )


@torch.no_grad()
def export_findings(members: list[Member], path: Path, name: str, regions: int = 2, mirrored: bool = True) -> None:
    findings, cells = len(members[0].bias), members[0].net.eval().activation(torch.zeros(1, 1, SIZE, SIZE)).shape[-1]
    g = Lite0Graph()
    x = "input" if regions == 1 else g.planes_as_batch("input", regions)
    x = g.node("Concat", [x, g.flipped(x, "mirror")], "batch", axis=0) if mirrored else x
    share = 1 / (len(members) * regions * (2 if mirrored else 1))
    maps = ""
    for number, member in enumerate(members):
        part = member_maps(g, x, member, number, share)
        maps = part if not maps else g.node("Add", [maps, part], f"sum{number}")
    if mirrored:
        plain, turned = g.taken(maps, "plain", 0, regions, 0), g.taken(maps, "turned", regions, 2 * regions, 0)
        maps = g.node("Add", [plain, g.flipped(turned, "back")], "both")
    cam = g.node("Identity", [maps], "cam")
    means = g.node("ReduceMean", [cam], "means", axes=[2, 3], keepdims=0)
    total = g.node("ReduceSum", [means, g.constant("regions", np.array([0], np.int64))], "total", keepdims=1)
    bias = np.mean([m.bias for m in members], 0).astype(np.float32)[None]
    g.node("Sigmoid", [g.node("Add", [total, g.constant("dense.bias", bias)], "logits")], "probability")
    map_shape = [regions, findings, cells, cells]
    g.save(path, name, {"probability": [1, findings], "logits": [1, findings], "cam": map_shape}, planes=regions)


@torch.no_grad()
def export_answers(
    net: Lite0,
    path: Path,
    name: str,
    weight: np.ndarray,
    bias: np.ndarray,
    frontal: int,
    lateral: int,
    found: Ranges | None = None,
) -> None:
    """One answer of several: ``answers`` [1, classes] by softmax; ``unlike`` [1, 1], the probability of all but
    frontal and lateral; ``lateral`` [1, 1], of the two views the probability of lateral."""
    g = Lite0Graph().begin("", found)
    a = g.network("input", net.eval())
    pooled = g.node("Flatten", [g.node("GlobalAveragePool", [a], "average")], "features", axis=1)
    g.node(
        "Gemm",
        [
            pooled,
            g.constant("dense.weight", np.asarray(weight, np.float32)),
            g.constant("dense.bias", np.asarray(bias, np.float32)),
        ],
        "logits",
        transB=1,
    )
    g.node("Softmax", ["logits"], "answers", axis=1)
    others = np.ones((len(bias), 1), np.float32)
    others[[frontal, lateral]] = 0
    summed = g.node("MatMul", ["answers", g.constant("others", others)], "others.sum")
    g.node("Clip", [summed, g.once("zero", 0), g.once("one", 1)], "unlike")
    side = np.zeros((len(bias), 1), np.float32)
    side[lateral], side[frontal] = 1, -1
    g.node("Sigmoid", [g.node("MatMul", ["logits", g.constant("side", side)], "side.logit")], "lateral")
    g.save(path, name, {"answers": [1, len(bias)], "logits": [1, len(bias)], "unlike": [1, 1], "lateral": [1, 1]})
