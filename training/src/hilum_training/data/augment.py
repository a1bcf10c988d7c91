"""Random changes of films while training, on batches [n, 1, h, w] of N in 0..1, drawn from a generator that the step
seeds."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F

DEGREES, SCALE, STRETCH, SHIFT, FLIP = 10.0, 0.12, 0.06, 0.07, 0.5
GAMMA, CONTRAST, BRIGHTNESS, NOISE, COARSE = 0.35, 0.2, 0.1, 0.02, 1 / 3


def column(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.asarray(values, np.float32)).view(-1, 1, 1, 1)


def matrices(
    n: int,
    rng: np.random.Generator,
    degrees: float = DEGREES,
    scale: float = SCALE,
    stretch: float = STRETCH,
    shift: float = SHIFT,
    flip: float = FLIP,
) -> np.ndarray:
    """float32 [n, 2, 3] for torch's affine_grid: from the output's -1..1 to the input's, for a picture that fills
    it."""
    angle = np.radians(rng.uniform(-degrees, degrees, n))
    size, ratio = 1 + rng.uniform(-scale, scale, n), 1 + rng.uniform(-stretch, stretch, n)
    mirror = np.where(rng.random(n) < flip, -1.0, 1.0)
    sx, sy = size * ratio, size / ratio
    theta = np.zeros((n, 2, 3), np.float32)
    theta[:, 0, 0], theta[:, 0, 1] = mirror * sx * np.cos(angle), -sx * np.sin(angle)
    theta[:, 1, 0], theta[:, 1, 1] = mirror * sy * np.sin(angle), sy * np.cos(angle)
    theta[:, :, 2] = 2 * rng.uniform(-shift, shift, (n, 2))
    return theta


def warp(x: torch.Tensor, theta: np.ndarray, size: int, padding: str = "zeros") -> torch.Tensor:
    """The middle ``size`` x ``size`` of x, changed: a margin around it is what comes in from outside."""
    part = size / x.shape[-1]
    grid = F.affine_grid(torch.from_numpy(theta * np.float32(part)), (len(x), 1, size, size), align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode=padding, align_corners=False)


def coarse(x: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Scaled down to 40 to 90 % and up again: what compression and resampling left behind is gone."""
    size = x.shape[-1]
    low = max(8, round(size * rng.uniform(0.4, 0.9)))
    small = F.interpolate(x, (low, low), mode="bilinear", align_corners=False, antialias=True)
    return F.interpolate(small, (size, size), mode="bilinear", align_corners=False)


def exposure(x: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Gamma, contrast about the middle, brightness and noise; clipped to 0..1."""
    n = len(x)
    x = x.clamp(0, 1) ** column(np.exp(rng.uniform(-GAMMA, GAMMA, n)))
    x = (
        (x - 0.5) * column(1 + rng.uniform(-CONTRAST, CONTRAST, n))
        + 0.5
        + column(rng.uniform(-BRIGHTNESS, BRIGHTNESS, n))
    )
    grain = torch.from_numpy(rng.standard_normal(tuple(x.shape), dtype=np.float32))
    return (x + grain * column(NOISE * rng.random(n))).clamp(0, 1)


def augmented(x: torch.Tensor, rng: np.random.Generator, size: int, kept: torch.Tensor | None = None) -> torch.Tensor:
    """The recipe: moved, sometimes made coarse, exposed otherwise. What is not ``kept`` (1 or 0 like x) becomes black
    behind all that."""
    theta, padding = matrices(len(x), rng), "border" if rng.random() < 0.5 else "zeros"
    moved = warp(x, theta, size, padding)
    if rng.random() < COARSE:
        moved = coarse(moved, rng)
    moved = exposure(moved, rng)
    return moved if kept is None else moved * (warp(kept, theta, size) >= 0.5)
