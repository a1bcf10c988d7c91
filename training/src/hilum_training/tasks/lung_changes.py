"""Random changes of films and their masks while the U-Net trains, on batches [n, 1, h, w] of N in 0..1."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch.nn import functional as F


def affine_grid(
    n: int, size: int, rng: np.random.Generator, degrees: float, zoom: float, shift: float, flip: float
) -> torch.Tensor:
    """Sampling grid: rotation, scale and aspect 1 +- zoom, shift as a share of the film, mirrored with ``flip``."""
    theta = np.zeros((n, 2, 3), np.float32)
    for i in range(n):
        angle = math.radians(rng.uniform(-degrees, degrees))
        sx, sy = np.exp(rng.uniform(-zoom, zoom, 2) + rng.uniform(-zoom, zoom) / 2)
        mirror = -1 if rng.random() < flip else 1
        theta[i] = [
            [mirror * sx * math.cos(angle), -sx * math.sin(angle), 2 * rng.uniform(-shift, shift)],
            [mirror * sy * math.sin(angle), sy * math.cos(angle), 2 * rng.uniform(-shift, shift)],
        ]
    return F.affine_grid(torch.from_numpy(theta), (n, 1, size, size), align_corners=False)


def warp(x: torch.Tensor, grid: torch.Tensor, padding: str = "zeros") -> torch.Tensor:
    return F.grid_sample(x, grid, mode="bilinear", padding_mode=padding, align_corners=False)


def intensity(x: torch.Tensor, rng: np.random.Generator, noise: float = 0.03, blur: float = 0.2) -> torch.Tensor:
    """Gamma 0.6 to 1.7, gain and offset, sometimes blurred or noisy; clipped to 0..1."""
    n = x.shape[0]

    def column(values: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.asarray(values, np.float32)).view(n, 1, 1, 1)

    x = x.clamp(0, 1) ** column(np.exp(rng.uniform(-0.5, 0.53, n)))
    x = x * column(rng.uniform(0.8, 1.15, n)) + column(rng.uniform(-0.08, 0.08, n))
    soft = column(rng.random(n) < blur)
    x = soft * F.avg_pool2d(x, 3, 1, 1, count_include_pad=False) + (1 - soft) * x
    grain = torch.from_numpy(rng.standard_normal(tuple(x.shape), dtype=np.float32))
    return (x + grain * column(noise * rng.random(n) * (rng.random(n) < 0.5))).clamp(0, 1)
