"""What the lung U-Net learns from: targets, where they may be trusted, and the loss.

The lung here is the manual definition of Montgomery and Shenzhen: the lung fields without heart and mediastinum.
V7's polygons include the lung behind the heart. They are used as partial labels for films that look unlike
Montgomery and Shenzhen (bedside films of sick adults, children): outside a V7 polygon is background, inside is
lung, except for an ignored zone where the heart may lie - the central 60 % of the polygons' bounding box in its
lower 70 % - which carries no loss. There the network keeps to what the manual masks teach.
"""
from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F

from .data import Dataset, Row, covid_licence_allows

IGNORE_WIDTH = 0.60
IGNORE_HEIGHT = 0.70


def heart_zone(mask: np.ndarray) -> np.ndarray:
    """Boolean [h, w]: inside a V7 mask, the medial lower part that may be heart."""
    zone = np.zeros(mask.shape, bool)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if rows.size == 0:
        return zone
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    width, middle = right - left, (left + right) / 2
    x0, x1 = round(middle - IGNORE_WIDTH / 2 * width), round(middle + IGNORE_WIDTH / 2 * width)
    zone[round(bottom - IGNORE_HEIGHT * (bottom - top)):bottom, x0:x1] = True
    return zone & mask


def targets(data: Dataset, rows: list[Row]) -> tuple[np.ndarray, np.ndarray]:
    """Lung share [n, 224, 224] in 0..255 and trust [n, 224, 224] in 0..1, both uint8."""
    mask = np.stack([data.masks()[row.index] for row in rows])
    trust = np.ones_like(mask)
    for i, row in enumerate(rows):
        if row.v7_mask:
            trust[i][heart_zone(mask[i] > 127)] = 0
    return mask, trust


def training_rows(data: Dataset, children: int, seed: int) -> list[Row]:
    """Train-split rows with a manual mask, and V7 rows of permissive licence (children's films subsampled)."""
    train = data.select(lambda r: r.split == "train" and covid_licence_allows(r))
    manual = [r for r in train if r.manual_mask]
    adults = [r for r in train if r.v7_mask and r.source != "kermany"]
    young = [r for r in train if r.v7_mask and r.source == "kermany"]
    chosen = np.random.default_rng(seed).permutation(len(young))[:children]
    return manual + adults + [young[i] for i in sorted(chosen)]


def loss(logits: torch.Tensor, target: torch.Tensor, trust: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy plus 1 - soft Dice, both over trusted pixels only; all [n, 1, h, w]."""
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    entropy = (entropy * trust).sum() / trust.sum()
    lung = torch.sigmoid(logits) * trust
    overlap = (lung * target).sum((1, 2, 3))
    size = lung.sum((1, 2, 3)) + (target * trust).sum((1, 2, 3))
    return entropy + (1 - (2 * overlap + 1) / (size + 1)).mean()
