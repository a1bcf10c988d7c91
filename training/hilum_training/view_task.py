"""What the view model learns from, and its cross-validation by patient.

There are 47 laterals of 42 patients, all from the Cohen collection; 38 of them under CC BY-NC-SA, 9 without a
licence. Licensed frontals of the same collection are in the pool, so that "Cohen" cannot stand for "lateral".
The shipped model sees the licensed rows of the train and validation splits; the test split stays unseen. The
cross-validation puts every lateral once into a fold that its model has not seen, and trains on licensed rows only.
"""
from __future__ import annotations

import numpy as np

from .data import Dataset, Row, view_licence_allows
from .metrics import auc, binary

PER_SOURCE = 70


def pool(data: Dataset, seed: int) -> list[Row]:
    """All laterals, all licensed Cohen frontals outside the test split, and up to 70 of each other source."""
    rng = np.random.default_rng(seed)
    laterals = data.select(lambda r: r.lateral)
    frontals = data.select(lambda r: not r.lateral and r.split != "test" and view_licence_allows(r))
    chosen = []
    for source in sorted({r.source for r in frontals}):
        rows = [r for r in frontals if r.source == source]
        limit = len(rows) if source == "cohen" else PER_SOURCE
        chosen += [rows[i] for i in sorted(rng.permutation(len(rows))[:limit])]
    return sorted(laterals + chosen, key=lambda r: r.index)


def licensed(rows: list[Row]) -> np.ndarray:
    return np.array([view_licence_allows(r) for r in rows])


def shipped(rows: list[Row]) -> np.ndarray:
    """Rows the shipped model is trained on."""
    return licensed(rows) & np.array([r.split != "test" for r in rows])


def folds(rows: list[Row], count: int, seed: int) -> np.ndarray:
    """Fold of each row; a patient's films share one, patients with laterals are dealt out evenly."""
    rng, fold = np.random.default_rng(seed), {}
    with_lateral = sorted({r.patient for r in rows if r.lateral})
    others = sorted({r.patient for r in rows} - set(with_lateral))
    for patients in (with_lateral, others):
        for place, i in enumerate(rng.permutation(len(patients))):
            fold[patients[i]] = place % count
    return np.array([fold[r.patient] for r in rows])


class Part:
    """Some films of several stored arrays, read one by one: ``parts`` is [(array, place), ...]."""

    def __init__(self, parts, use=None):
        self.parts = parts if use is None else [parts[i] for i in use]

    def __len__(self):
        return len(self.parts)

    def __getitem__(self, key):
        if isinstance(key, slice):
            return np.stack([array[i] for array, i in self.parts[key]])
        array, i = self.parts[key]
        return array[i]


def stack(plain, laterals, changed, frontals, changed_frontals):
    """Films and their augmented copies as one list of parts, and the pool row each of them comes from."""
    parts = [(plain, i) for i in range(len(plain))]
    owner = list(range(len(plain)))
    for films, copies in ((laterals, changed), (frontals, changed_frontals)):
        for copy in copies:
            parts += [(copy, i) for i in range(len(copy))]
            owner += list(films)
    return parts, np.array(owner)


def cross_validated(rows, labels, probability, count: int) -> dict:
    """Figures over all folds, and the threshold: half-way, in log odds, between the lowest lateral and the
    frontals' 99.5th percentile - but never above 0.5, so that doubt leads to "lateral" (not analysed)."""
    def odds(p):
        return np.log(p / (1 - p))

    p = np.clip(probability, 1e-9, 1 - 1e-9)
    lowest, high = odds(p[labels].min()), odds(np.percentile(p[~labels], 99.5))
    middle = (lowest + high) / 2 if lowest > high else lowest - 0.25
    threshold = float(min(0.5, 1 / (1 + np.exp(-middle))))
    return {
        "folds": count,
        "laterals": int(labels.sum()),
        "lateralPatients": len({r.patient for r, l in zip(rows, labels) if l}),
        "frontals": int((~labels).sum()),
        "auc": auc(labels, p),
        "lowestLateral": float(p[labels].min()),
        "frontal99_5thPercentile": float(np.percentile(p[~labels], 99.5)),
        "highestFrontal": float(p[~labels].max()),
        "atThreshold": binary(labels, p, threshold),
        "atHalf": binary(labels, p, 0.5),
    }
