"""What each classifier of the grid sees of a film: all of it, the lungs only, or all but the lungs (paper: c, d, e)."""
from __future__ import annotations

import numpy as np

REGIONS = ("film", "lungs", "removed")


def region_film(film: np.ndarray, lungs: np.ndarray, region: str) -> np.ndarray:
    """N [224, 224] with what the region leaves out set to 0. ``lungs``: the lungs-only film, whose pixels over 0 are the mask
    (a pixel of the lungs that is 0 is 0 in all three)."""
    if region == "film":
        return film
    return lungs if region == "lungs" else np.where(lungs > 0, np.float32(0), film)
