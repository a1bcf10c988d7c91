"""What each classifier of the grid sees of a film: all of it, the lungs only, or all but the lungs (paper: c, d, e)."""
from __future__ import annotations

import numpy as np

REGIONS = ("film", "lungs", "removed")
#: The lungs by their own grey values: their 1st to 99th percentile becomes 0 to 1. Tried against the loss on unseen sources.
SCALED = "scaled"


def region_film(film: np.ndarray, lungs: np.ndarray, region: str) -> np.ndarray:
    """N [224, 224] with what the region leaves out set to 0. ``lungs``: the lungs-only film, whose pixels over 0 are the mask
    (a pixel of the lungs that is 0 is 0 in all three)."""
    if region == "film":
        return film
    if region == SCALED:
        return scaled(lungs)
    return lungs if region == "lungs" else np.where(lungs > 0, np.float32(0), film)


def scaled(lungs: np.ndarray) -> np.ndarray:
    mask = lungs > 0
    if not mask.any():
        return lungs
    low, high = np.percentile(lungs[mask], (1, 99))
    return np.where(mask, np.clip((lungs - low) / max(high - low, 1e-3), 0, 1), 0).astype(np.float32)
