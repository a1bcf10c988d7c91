"""Dense layers on frozen mean activations [n, 512]: logistic regression, its penalty and its calibration."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from .metrics import auc

PENALTIES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)


@dataclass(frozen=True)
class Head:
    """logit = w . x + b on raw features; the calibration is folded in."""

    weight: np.ndarray
    bias: float
    penalty: float

    def logit(self, x: np.ndarray) -> np.ndarray:
        return x.astype(np.float64) @ self.weight + self.bias

    def probability(self, x: np.ndarray) -> np.ndarray:
        return expit(self.logit(x))


def fit(x: np.ndarray, y: np.ndarray, weight: np.ndarray, penalty: float) -> Head:
    """Weighted logistic loss + penalty |w|^2 on columns of unit spread, by L-BFGS."""
    x, weight = x.astype(np.float64), weight / weight.sum()
    centre, spread = x.mean(0), x.std(0)
    spread = np.maximum(spread, np.median(spread))  # a channel that hardly varies must not get a huge weight
    z, sign = (x - centre) / spread, np.where(y, 1.0, -1.0)

    def value(v):
        margin = sign * (z @ v[:-1] + v[-1])
        pull = -weight * sign * expit(-margin)
        gradient = np.append(z.T @ pull + 2 * penalty * v[:-1], pull.sum())
        return (weight * np.logaddexp(0, -margin)).sum() + penalty * (v[:-1] ** 2).sum(), gradient

    v = minimize(value, np.zeros(z.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 400}).x
    w = v[:-1] / spread
    return Head(w, float(v[-1] - (w * centre).sum()), penalty)


def calibrated(head: Head, x: np.ndarray, y: np.ndarray, offset: bool = True) -> Head:
    """Temperature (and offset: Platt's scaling, because training weighs both classes alike) by least log loss on ``x``, folded in."""
    z, sign = head.logit(x), np.where(y, 1.0, -1.0)

    def value(v):
        return np.logaddexp(0, -sign * (np.exp(v[0]) * z + (v[1] if offset else 0.0))).mean()

    v = minimize(value, np.zeros(2), method="Nelder-Mead").x
    slope = float(np.exp(v[0]))
    return Head(head.weight * slope, head.bias * slope + (float(v[1]) if offset else 0.0), head.penalty)


def chosen(x, y, weight, x_val, y_val, penalties=PENALTIES) -> Head:
    """The penalty with the best validation AUC, calibrated on validation."""
    candidates = [fit(x, y, weight, p) for p in penalties]
    best = max(candidates, key=lambda h: auc(y_val, h.logit(x_val)))
    return calibrated(best, x_val, y_val)
