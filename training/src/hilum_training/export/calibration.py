"""Platt's scaling: what a logit becomes so that probabilities mean something."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize


@dataclass(frozen=True)
class Calibration:
    """probability = sigmoid(slope x mean logit + offset), by least log loss on the validation split."""

    slope: float
    offset: float


#: The network's own probability.
UNCALIBRATED = Calibration(1.0, 0.0)


def platt(logits: np.ndarray, labels: np.ndarray) -> Calibration:
    """From logits [n] and whether each film is positive."""
    sign = np.where(labels, 1.0, -1.0)

    def loss(v: np.ndarray) -> float:
        return float(np.logaddexp(0, -sign * (np.exp(v[0]) * logits + v[1])).mean())

    slope, offset = minimize(loss, np.zeros(2), method="Nelder-Mead").x
    return Calibration(float(np.exp(slope)), float(offset))
