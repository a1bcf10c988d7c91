"""The first check in five folds: what it refuses, and whether it tells laterals."""

from __future__ import annotations

import numpy as np

from ..data import Dataset
from ..data.not_films import HELD_OUT
from ..metrics import share
from ..tasks.check import CLASSES, FOLDS, KIND_CLASS, OTHER, lateral_share, refusal
from ..tasks.kept import finished

#: Share of the other folds' frontal films that a fold's threshold may refuse.
REFUSED = 0.005


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def read_fold(k: int) -> dict[str, np.ndarray] | None:
    run = finished(f"check-fold{k}")
    if run is None:
        return None
    found = run.predictions
    return found | {name: softmax(found[name].astype(np.float64)) for name in ("logits", "kindLogits", "pictureLogits")}


def judged(data: Dataset, fold: dict[str, np.ndarray], threshold: float) -> dict[str, list]:
    """Lists of (name, refused or right, reason told) of one fold."""
    rows = [data.rows[i] for i in fold["rows"]]
    refused = refusal(fold["logits"]) >= threshold
    sideways = ~refused & (lateral_share(fold["logits"]) > 0.5)
    frontal, lateral = ([i for i, row in enumerate(rows) if row.lateral == view] for view in (False, True))
    kinds, pictures = refusal(fold["kindLogits"]) >= threshold, refusal(fold["pictureLogits"]) >= threshold
    reasons = [CLASSES[i] for i in OTHER + fold["kindLogits"][:, OTHER:].argmax(1)]
    return {
        "frontal": [(rows[i].source, bool(refused[i])) for i in frontal],
        "frontalLateral": [(rows[i].source, bool(sideways[i])) for i in frontal],
        "lateral": [(rows[i].patient, bool(sideways[i])) for i in lateral],
        "changed": [(str(k), bool(r), why) for k, r, why in zip(fold["kinds"], kinds, reasons, strict=True)],
        "picture": [(str(g), bool(r)) for g, r in zip(fold["pictureGroups"], pictures, strict=True)],
    }


def report(data: Dataset) -> dict | None:
    """None until all folds are finished. Each fold's threshold comes from the frontal films of the others."""
    folds = [fold for fold in (read_fold(k) for k in range(FOLDS)) if fold is not None]
    if len(folds) < FOLDS:
        return None
    scores = [refusal(f["logits"])[[not data.rows[i].lateral for i in f["rows"]]] for f in folds]
    found: dict[str, list] = {}
    thresholds = [
        float(np.quantile(np.concatenate([s for j, s in enumerate(scores) if j != k]), 1 - REFUSED, method="higher"))
        for k in range(FOLDS)
    ]
    for fold, threshold in zip(folds, thresholds, strict=True):
        for name, entries in judged(data, fold, threshold).items():
            found.setdefault(name, []).extend(entries)
    known = [e for e in found["changed"] if e[0] not in HELD_OUT]
    return {
        "folds": FOLDS,
        "thresholds": thresholds,
        "frontalRefused": counted(found["frontal"]),
        "frontalCalledLateral": counted(found["frontalLateral"]),
        "lateralCalledLateral": counted(found["lateral"]),
        "notFilmsRefused": counted([*known, *found["picture"]]),
        "kindsNeverSeenRefused": counted([e for e in found["changed"] if e[0] in HELD_OUT]),
        "picturesRefused": counted(found["picture"]),
        "frontalRefusedBySource": by_name(found["frontal"]),
        "changedRefusedByKind": by_name(found["changed"]),
        "reasonTold": share(
            sum(CLASSES[KIND_CLASS[k]] == reason for k, refused, reason in known if refused),
            sum(refused for _, refused, _ in known),
        ),
    }


def counted(entries: list) -> dict:
    return share(sum(e[1] for e in entries), len(entries))


def by_name(entries: list) -> dict:
    return {name: counted([e for e in entries if e[0] == name]) for name in sorted({e[0] for e in entries})}
