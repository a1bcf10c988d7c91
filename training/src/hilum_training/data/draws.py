"""Which films a pass draws, and how often."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .dataset import Row


def draw_chances(rows: Sequence[Row], positive: np.ndarray, share: float = 0.5) -> np.ndarray:
    """Chance of each film: ``share`` for the positives together; within a class each source counts as the square root
    of its number of films, so that no source is learnt for the class. A class without films leaves all to the
    other."""
    sources = np.array([r.source for r in rows])
    chance = np.zeros(len(rows))
    for label, part in ((True, share), (False, 1 - share)):
        members = positive == label
        names, count = np.unique(sources[members], return_counts=True)
        for name, n in zip(names, count, strict=True):
            chance[members & (sources == name)] = part / np.sqrt(n) / np.sqrt(count).sum()
    return chance / chance.sum()
