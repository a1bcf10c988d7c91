"""When is a lung mask believable? Bounds on four plain figures of the mask, taken from real frontal films."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..data.preprocess import clean_mask

NAMES = ("lungFraction", "components", "smallerSideShare", "meanProbability")


def describe(probability: np.ndarray) -> dict[str, float]:
    """Figures of one lung probability map [224, 224]:

    lungFraction       lung pixels of the cleaned mask as a share of the film
    components         number of 4-connected parts of the cleaned mask
    smallerSideShare   share of the lung pixels on the side with fewer, left or right of the column in the
                       middle of the cleaned mask's bounding box, (first + last lung column + 1) / 2
    meanProbability    mean lung probability over the cleaned mask's pixels
    """
    mask = clean_mask(probability)
    area = int(mask.sum())
    if area == 0:
        return {"lungFraction": 0.0, "components": 0, "smallerSideShare": 0.0, "meanProbability": 0.0}
    columns = np.flatnonzero(mask.any(0))
    middle = (columns[0] + columns[-1] + 1) / 2
    left = int(mask[:, np.arange(mask.shape[1]) + 0.5 < middle].sum())
    return {
        "lungFraction": area / mask.size,
        "components": int(ndimage.label(mask)[1]),
        "smallerSideShare": min(left, area - left) / area,
        "meanProbability": float(np.asarray(probability, np.float64)[mask].mean()),
    }


def bounds(figures: list[dict[str, float]]) -> dict:
    """0.1 to 99.9 percentile over real films, widened by a tenth (mean probability by 1 %; components: 1 to the most
    seen). Wide, because the gate refuses what is no frontal chest film before."""

    def values(name: str) -> np.ndarray:
        return np.array([f[name] for f in figures], float)

    fraction = np.percentile(values("lungFraction"), [0.1, 99.9])
    return {
        "lungFraction": {"min": round(fraction[0] * 0.9, 4), "max": round(fraction[1] * 1.1, 4)},
        "components": {"min": 1, "max": int(values("components").max())},
        "smallerSideShare": {"min": round(float(np.percentile(values("smallerSideShare"), 0.1)) * 0.9, 4)},
        "meanProbability": {"min": round(float(np.percentile(values("meanProbability"), 0.1)) * 0.99, 4)},
    }


def reasons(figures: dict[str, float], limits: dict) -> list[str]:
    """The figures that are out of bounds; empty = plausible."""
    wrong = []
    for name in NAMES:
        low, high = limits[name].get("min", -np.inf), limits[name].get("max", np.inf)
        if not low <= figures[name] <= high:
            wrong.append(name)
    return wrong
