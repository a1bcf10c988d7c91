"""Thresholds for chosen sensitivities, from validation scores."""

from __future__ import annotations

import numpy as np

from ..metrics import operating_point

SENSITIVITIES = (0.90, 0.95, 0.99)


def operating_points(labels: np.ndarray, probability: np.ndarray) -> list[dict]:
    """The manifest's ``operatingPoints``: the highest threshold that finds each share, rounded down, and what it
    leaves of the negatives."""
    points = []
    for sensitivity in SENSITIVITIES:
        threshold = np.floor(operating_point(labels, probability, sensitivity) * 1e6) / 1e6
        points.append(
            {
                "sensitivity": sensitivity,
                "threshold": float(threshold),
                "specificity": float((probability[~labels] < threshold).mean()),
            }
        )
    return points
