"""Figures of merit with their intervals, all from plain arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

#: What is computed of labels and scores, by name.
Figures = Mapping[str, Callable[[np.ndarray, np.ndarray], float | None]]


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """2 |A and B| / (|A| + |B|) of two boolean masks; 1 for two empty ones."""
    total = int(a.sum()) + int(b.sum())
    return 1.0 if total == 0 else 2.0 * int((a & b).sum()) / total


def wilson(hits: int, n: int, z: float = 1.959964) -> list[float] | None:
    """95 % score interval of a share; None without cases."""
    if n == 0:
        return None
    p, f = hits / n, z * z / n
    centre, half = p + f / 2, z * math.sqrt(p * (1 - p) / n + f / (4 * n))
    return [max(0.0, (centre - half) / (1 + f)), min(1.0, (centre + half) / (1 + f))]


def ranks(scores: np.ndarray) -> np.ndarray:
    """1-based ranks, ties shared evenly."""
    _, inverse, count = np.unique(scores, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[inverse]


def auc(labels: np.ndarray, scores: np.ndarray) -> float | None:
    """Area under the ROC curve (Mann-Whitney, ties count half); None if one class is missing."""
    labels = np.asarray(labels, bool)
    pos, neg = int(labels.sum()), int((~labels).sum())
    if pos == 0 or neg == 0:
        return None
    return float((ranks(np.asarray(scores))[labels].sum() - pos * (pos + 1) / 2) / (pos * neg))


def auc_interval(
    labels: np.ndarray, scores: np.ndarray, patients: Sequence[str], rounds: int = 1000, seed: int = 1
) -> list[float] | None:
    """95 % bootstrap interval of the AUC, whole patients drawn with replacement."""
    if auc(labels, scores) is None:
        return None
    labels, scores = np.asarray(labels, bool), np.asarray(scores)
    groups = [np.flatnonzero(inverse) for inverse in _groups(patients)]
    rng, values = np.random.default_rng(seed), []
    for _ in range(rounds):
        picks = np.concatenate([groups[i] for i in rng.integers(0, len(groups), len(groups))])
        value = auc(labels[picks], scores[picks])
        if value is not None:
            values.append(value)
    return [float(v) for v in np.percentile(values, [2.5, 97.5])]


def _groups(patients: Sequence[str]) -> Iterator[np.ndarray]:
    _, inverse = np.unique(np.asarray(patients), return_inverse=True)
    for group in range(inverse.max() + 1):
        yield inverse == group


def share(hits: int, n: int) -> dict:
    return {"value": hits / n if n else None, "n": int(n), "interval95": wilson(int(hits), int(n))}


def binary(labels: np.ndarray, scores: np.ndarray, threshold: float) -> dict:
    """Sensitivity, specificity, accuracy (Wilson intervals) and F1 at one threshold (score >= threshold)."""
    labels, called = np.asarray(labels, bool), np.asarray(scores) >= threshold
    tp, tn = int((labels & called).sum()), int((~labels & ~called).sum())
    pos, neg = int(labels.sum()), int((~labels).sum())
    wrong = len(labels) - tp - tn
    return {
        "threshold": threshold,
        "sensitivity": share(tp, pos),
        "specificity": share(tn, neg),
        "accuracy": share(tp + tn, len(labels)),
        "f1": 2 * tp / (2 * tp + wrong) if tp + wrong else None,
    }


def calibration_error(labels: np.ndarray, probability: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error over equal-width bins."""
    labels, probability = np.asarray(labels, float), np.asarray(probability)
    which = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = [abs(labels[which == b].sum() - probability[which == b].sum()) for b in range(bins)]
    return float(sum(gaps) / len(labels))


def average_precision(labels: np.ndarray, scores: np.ndarray) -> float | None:
    """Area under the precision-recall curve as a step function (sum of precision x rise in recall, ties in one
    step)."""
    labels, scores = np.asarray(labels, bool), np.asarray(scores)
    if not labels.any():
        return None
    order = np.argsort(-scores, kind="stable")
    hits, last = np.cumsum(labels[order]), np.append(np.diff(scores[order]) != 0, True)
    precision, recall = (hits / np.arange(1, len(hits) + 1))[last], hits[last] / hits[-1]
    return float((precision * np.diff(recall, prepend=0.0)).sum())


def intervals(
    labels: np.ndarray, scores: np.ndarray, patients: Sequence[str], figures: Figures, rounds: int = 400, seed: int = 1
) -> dict:
    """95 % bootstrap intervals, whole patients drawn with replacement, of several ``figures`` {name: f(labels,
    scores)} at once."""
    labels, scores = np.asarray(labels, bool), np.asarray(scores)
    groups = [np.flatnonzero(inverse) for inverse in _groups(patients)]
    rng = np.random.default_rng(seed)
    values: dict[str, list[float]] = {name: [] for name in figures}
    for _ in range(rounds):
        picks = np.concatenate([groups[i] for i in rng.integers(0, len(groups), len(groups))])
        for name, figure in figures.items():
            value = figure(labels[picks], scores[picks])
            if value is not None:
                values[name].append(value)
    return {
        name: [float(v) for v in np.percentile(found, [2.5, 97.5])] if len(found) > rounds / 2 else None
        for name, found in values.items()
    }


def f1(labels: np.ndarray, scores: np.ndarray, threshold: float = 0.5) -> float | None:
    called = scores >= threshold
    both = int((labels & called).sum())
    total = int(labels.sum()) + int(called.sum())
    return 2 * both / total if total else None


def full(labels: np.ndarray, probability: np.ndarray, patients: Sequence[str], threshold: float = 0.5) -> dict:
    """The paper's figures with 95 % intervals: Wilson for shares, bootstrap by patient for AUC, AP and F1."""
    labels, p = np.asarray(labels, bool), np.asarray(probability)
    called = p >= threshold
    at = binary(labels, p, threshold)
    bounds = intervals(
        labels, p, patients, {"auc": auc, "ap": average_precision, "f1": lambda a, b: f1(a, b, threshold)}
    )
    return {
        "films": len(labels),
        "positive": int(labels.sum()),
        "patients": len(set(patients)),
        "auc": {"value": auc(labels, p), "interval95": bounds["auc"]},
        "ap": {
            "value": average_precision(labels, p) if labels.any() and not labels.all() else None,
            "interval95": bounds["ap"],
        },
        "f1": {"value": at["f1"], "interval95": bounds["f1"]},
        "accuracy": at["accuracy"],
        "sensitivity": at["sensitivity"],
        "specificity": at["specificity"],
        "confusion": {
            "tp": int((labels & called).sum()),
            "fn": int((labels & ~called).sum()),
            "fp": int((~labels & called).sum()),
            "tn": int((~labels & ~called).sum()),
        },
    }


def operating_point(labels: np.ndarray, scores: np.ndarray, sensitivity: float) -> float:
    """The highest threshold that still finds ``sensitivity`` of the positives (score >= threshold)."""
    ordered = np.sort(scores[labels])[::-1]
    return float(ordered[int(np.ceil(sensitivity * len(ordered))) - 1])
