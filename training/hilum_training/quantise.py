"""8-bit weights: one int8 per weight, one float scale per output channel, w = scale * q with q in -127..127."""
from __future__ import annotations

import torch


def _per_channel(weight: torch.Tensor, axis: int) -> list[int]:
    return [-1 if d == axis else 1 for d in range(weight.dim())]


def quantise(weight: torch.Tensor, axis: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """(q int8, scale float32), shaped so that q * scale broadcasts; ``axis`` is the output channel."""
    others = [d for d in range(weight.dim()) if d != axis]
    scale = weight.detach().abs().amax(others).clamp_min(1e-12) / 127
    scale = scale.view(_per_channel(weight, axis)).float()
    return torch.round(weight.detach().float() / scale).clamp(-127, 127).to(torch.int8), scale


def rounded(weight: torch.Tensor, axis: int = 0) -> torch.Tensor:
    """The float weights that the 8-bit ones expand to."""
    q, scale = quantise(weight, axis)
    return q.float() * scale


class StraightThrough(torch.autograd.Function):
    """Rounds going forward, passes the gradient unchanged: training sees the weights that will be shipped."""

    @staticmethod
    def forward(ctx, weight):
        return rounded(weight)

    @staticmethod
    def backward(ctx, gradient):
        return gradient
