"""EfficientNet-Lite0 on one grey channel, global average pooling and a dense layer with one output for each finding.

    Z [n, 1, 224, 224] -> stem, seven stages, 1 x 1 convolution -> A [n, 1280, 14, 14] (``dense``) or [n, 1280, 7, 7]
    logits = W . mean_xy(A) + b         probability = sigmoid(logit)

No squeeze-and-excitation and ReLU6 throughout (Tan and Le, 2019; the Lite variants of 2020), so that it runs well in
8 bits. The logit is linear in A: sum_k w_k A_k / cells is Grad-CAM before its ReLU, exactly.

Convolutions pad as TensorFlow does (SAME: the odd pixel right and below). Z = (N - 0.5) / 0.5 with N in 0..1, as for
ImageNet; a grey film shown as RGB has equal colours, so the first kernel is summed over them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

MEAN, STD = 0.5, 0.5
EPS = 1e-3
FEATURES = 1280
STEM = 32
#: expansion, kernel, stride, outputs, blocks
STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
LAST_STRIDE = 5
RELU6 = int(torch.__version__.split(".")[0]) >= 2


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's SAME: zeros before and behind along one axis of ``size``."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class Depthwise(torch.autograd.Function):
    """A depthwise convolution whose gradients are computed in the arithmetic that the processor is fast in.

    oneDNN's bfloat16 gradient is up to a hundred times as slow as its float32 one for the input at stride 2, twice as
    slow for a kernel of 5 x 5.
    """

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weight: torch.Tensor, stride: int, padding: int, dilation: int
    ) -> torch.Tensor:
        ctx.save_for_backward(x, weight)
        ctx.shape = [stride] * 2, [padding] * 2, [dilation] * 2
        return F.conv2d(x, weight.to(x.dtype), None, stride, padding, dilation, x.shape[1])

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        to_input, to_weight = ctx.needs_input_grad[:2]
        wide_input, wide_weight = ctx.shape[0][0] > 1, weight.shape[-1] > 3
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        first = Depthwise.gradients(
            ctx, gradient, x, weight, wide_input, (to_input, to_weight and wide_weight == wide_input)
        )
        if to_weight and wide_weight != wide_input:
            return (
                first[0],
                Depthwise.gradients(ctx, gradient, x, weight, wide_weight, (False, True))[1],
                None,
                None,
                None,
            )
        return *first, None, None, None

    @staticmethod
    def gradients(
        ctx: Any, gradient: torch.Tensor, x: torch.Tensor, weight: torch.Tensor, wide: bool, wanted: tuple[bool, bool]
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """(to the input, to the weight), as ``wanted``, in float32 where ``wide``."""
        if not any(wanted):
            return None, None
        dtype = torch.float32 if wide else x.dtype
        dx, dw, _ = torch.ops.aten.convolution_backward(
            gradient.to(dtype),
            x.to(dtype),
            weight.to(dtype),
            None,
            *ctx.shape,
            False,
            [0, 0],
            x.shape[1],
            [*wanted, False],
        )
        return dx.to(x.dtype) if wanted[0] else None, dw.to(weight.dtype) if wanted[1] else None


def relu6(x: torch.Tensor) -> torch.Tensor:
    """PyTorch 1.13 has no gradient of relu6 in bfloat16, later ones have one that is faster than clamp's."""
    if not torch.is_grad_enabled():
        return x.clamp_(0, 6)
    return F.relu6(x) if RELU6 else x.clamp(0, 6)


class Conv(nn.Module):
    """Convolution, batch normalisation and, with ``act``, ReLU6."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1, act: bool = True):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=EPS)
        self.act = act

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kernel, stride, dilation = self.conv.kernel_size[0], self.conv.stride[0], self.conv.dilation[0]
        before, behind = same_padding(x.shape[-1], (kernel - 1) * dilation + 1, stride)
        if before != behind:
            x, before = F.pad(x, (before, behind, before, behind)), 0
        weight, groups = self.conv.weight, self.conv.groups
        if not torch.is_grad_enabled() and not self.norm.training:
            x = F.conv2d(x, *self.folded(), stride, before, dilation, groups)
        elif groups > 1 and x.device.type == "cpu":
            x = self.norm(Depthwise.apply(x, weight, stride, before, dilation))
        else:
            x = self.norm(F.conv2d(x, weight, None, stride, before, dilation, groups))
        return relu6(x) if self.act else x

    def folded(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Kernel and bias with the batch normalisation in them: w g / sqrt(v + eps), beta - m g / sqrt(v + eps)."""
        gain = self.norm.weight / torch.sqrt(self.norm.running_var + self.norm.eps)
        return self.conv.weight * gain[:, None, None, None], self.norm.bias - self.norm.running_mean * gain


class Block(nn.Module):
    """1 x 1 expansion (not in the first stage), depthwise convolution, linear 1 x 1 convolution; added to its input
    where the shapes agree."""

    def __init__(self, inputs: int, outputs: int, expansion: int, kernel: int, stride: int):
        super().__init__()
        width = inputs * expansion
        self.expand = Conv(inputs, width) if expansion > 1 else None
        self.depthwise = Conv(width, width, kernel, stride, groups=width)
        self.project = Conv(width, outputs, act=False)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x if self.expand is None else self.expand(x)
        y = self.project(self.depthwise(y))
        return x + y if self.residual else y


class Lite0(nn.Module):
    """``findings``: outputs of the dense layer."""

    def __init__(self, findings: int = 1, dropout: float = 0.3):
        super().__init__()
        self.stem = Conv(1, STEM, 3, 2)
        stages, inputs = [], STEM
        for expansion, kernel, stride, outputs, count in STAGES:
            blocks = []
            for number in range(count):
                blocks.append(Block(inputs, outputs, expansion, kernel, stride if number == 0 else 1))
                inputs = outputs
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        self.top = Conv(inputs, FEATURES)
        self.head = nn.Linear(FEATURES, findings)
        self.dropout = dropout
        self.frozen = 0

    def dense(self, on: bool = True) -> Lite0:
        """The last stride is left out and what follows it dilated: the same weights on 14 x 14 cells instead of 7 x
        7."""
        stride, dilation = (1, 2) if on else (2, 1)
        self.stages[LAST_STRIDE][0].depthwise.conv.stride = (stride, stride)
        for stage in self.stages[LAST_STRIDE:]:
            for number, block in enumerate(stage):
                own = 1 if stage is self.stages[LAST_STRIDE] and number == 0 else dilation
                block.depthwise.conv.dilation = (own, own)
        return self

    def freeze(self, stages: int) -> Lite0:
        """Stem and the first ``stages`` stages keep their weights and statistics."""
        self.frozen = stages
        for module in self._first():
            module.requires_grad_(False)
        return self.train(self.training)

    def _first(self) -> list[nn.Module]:
        return [self.stem, *self.stages[: self.frozen]] if self.frozen else []

    def train(self, mode: bool = True) -> Lite0:
        super().train(mode)
        for module in self._first():
            module.eval()
        return self

    def activation(self, z: torch.Tensor) -> torch.Tensor:
        """Z -> A, the activation behind the last convolution."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            x = self.stem(z)
            for stage in self.stages[: self.frozen]:
                x = stage(x)
        for stage in self.stages[self.frozen :]:
            x = stage(x)
        return self.top(x)

    def classify(self, a: torch.Tensor) -> torch.Tensor:
        """A -> logits [n, findings]."""
        return self.head(F.dropout(a.float().mean((2, 3)), self.dropout, self.training))

    def cam(self, a: torch.Tensor) -> torch.Tensor:
        """A -> class activation maps before ReLU [n, findings, h, w] = sum_k w_k A_k."""
        return torch.einsum("nkij,fk->nfij", a.float(), self.head.weight)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.classify(self.activation(z))

    def convolutions(self) -> Iterator[tuple[str, Conv, str]]:
        """(name in the ImageNet file, layer, its batch normalisation there) in the order of the graph."""
        yield "conv_stem", self.stem, "bn1"
        for s, stage in enumerate(self.stages):
            for b, block in enumerate(stage):
                names = ("conv_dw", "conv_pw") if block.expand is None else ("conv_pw", "conv_dw", "conv_pwl")
                layers = [x for x in (block.expand, block.depthwise, block.project) if x is not None]
                for number, (name, layer) in enumerate(zip(names, layers, strict=True), 1):
                    yield f"blocks.{s}.{b}.{name}", layer, f"blocks.{s}.{b}.bn{number}"
        yield "conv_head", self.top, "bn2"


@torch.no_grad()
def start_from_imagenet(net: Lite0, weights: Path) -> Lite0:
    """All convolutions from the npz; the dense layer stays at random."""
    stored = np.load(weights)
    for name, layer, norm in net.convolutions():
        kernel = torch.from_numpy(stored[f"{name}.weight"].astype(np.float32))
        layer.conv.weight.copy_(kernel.sum(1, keepdim=True) if name == "conv_stem" else kernel)
        for key in ("weight", "bias", "running_mean", "running_var"):
            getattr(layer.norm, key).copy_(torch.from_numpy(stored[f"{norm}.{key}"].astype(np.float32)))
    return net
