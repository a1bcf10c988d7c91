"""Sources kept out of training entirely: the groups, the ways of training that were tried against the loss, and the scores."""
from __future__ import annotations

import numpy as np

from . import classifier, heads
from .grid_task import DISEASE, Table
from .metrics import auc, average_precision, binary, intervals
from .view_task import folds

#: Left out together. Cohen, cxnet, figure1 and ozturk's COVID-19 films were gathered from the same papers; hannover is
#: de-duplicated against Cohen in the manifest.
GROUPS = {
    "Cohen + cxnet + figure1 + ozturk's COVID-19": lambda r: r.source in ("cohen", "cxnet", "figure1") or (r.source == "ozturk" and r.covid),
    "Cohen + figure1 + actualmed": lambda r: r.source in ("cohen", "figure1", "actualmed"),
    "hannover": lambda r: r.source == "hannover",
    "actualmed": lambda r: r.source == "actualmed",
    "kermany": lambda r: r.source == "kermany",
    "radiography": lambda r: r.source == "radiography",
    "montgomery + shenzhen": lambda r: r.source in ("montgomery", "shenzhen"),
    "ozturk's others (NIH)": lambda r: r.source == "ozturk" and not r.covid,
}

AUGMENTED = "augmented copies"
FIXED = {"as shipped": 3e-4, "penalty 0.03": 3e-2, "penalty 0.3": 3e-1, "sources alike": 3e-4, "other disease only": 3e-3,
         "standardised by source": 3e-3, "source directions removed": 3e-3, AUGMENTED: 3e-4}
WAYS = tuple(FIXED)


def alike(rows, labels: np.ndarray) -> np.ndarray:
    """Both classes the same in all; within a class every source the same, however few films it has."""
    keys = np.array([f"{label}|{r.source}" for r, label in zip(rows, labels)])
    names, inverse, count = np.unique(keys, return_inverse=True, return_counts=True)
    sources = {label: sum(n.startswith(f"{label}|") for n in names) for label in (True, False)}
    return np.array([0.5 / sources[bool(label)] / count[i] for label, i in zip(labels, inverse)])


def standardised(features: np.ndarray, table: Table) -> np.ndarray:
    """Columns to mean 0 and spread 1 within every source, labels unseen: what a site could do with its own first films.
    It also takes away what a source full of COVID-19 has in common."""
    out = np.empty_like(features)
    for source in set(table.source):
        i = table.source == source
        out[i] = (features[i] - features[i].mean(0)) / np.maximum(features[i].std(0), np.median(features[i].std(0)))
    return out


def without_sources(features: np.ndarray, table: Table, train: np.ndarray) -> np.ndarray:
    """Features without the directions between the means of training sources of one class (nuisance attribute projection)."""
    spread = features[train].std(0)
    z = features / np.maximum(spread, np.median(spread))
    directions = []
    for label in (True, False):
        members = train & (table.covid == label)
        means = [z[members & (table.source == s)].mean(0) for s in sorted(set(table.source[members])) if (members & (table.source == s)).sum() >= 10]
        directions += list(np.array(means) - np.mean(means, 0))
    _, size, basis = np.linalg.svd(np.array(directions), full_matrices=False)
    basis = basis[size > 1e-6 * size[0]]
    return (z - (z @ basis.T) @ basis).astype(np.float32)


def left_out(features: np.ndarray, table: Table, out: np.ndarray, way: str, copies: np.ndarray | None = None) -> dict:
    """Train and validation splits of all else train and calibrate; all films of the group are scored, of every split.
    ``copies``: features of an augmented copy of every film, learnt from beside the films."""
    allowed = ~out & (table.where(lambda r: r.covid or r.finding in DISEASE) if way == "other disease only" else True)
    train, val = allowed & (table.split == "train"), allowed & (table.split == "val")
    if way == "standardised by source":
        features = standardised(features, table)
    if way == "source directions removed":
        features = without_sources(features, table, train)
    part = table.take(train)
    weights = alike(part.rows, part.covid) if way == "sources alike" else classifier.draw_weights(part.rows, part.covid)
    x, y = features[train], part.covid
    if copies is not None:
        x, y, weights = np.concatenate([x, copies[train]]), np.tile(y, 2), np.tile(weights, 2)
    head = heads.calibrated(heads.fit(x, y, weights, FIXED[way]), features[val], table.covid[val])
    p = head.probability(features)
    seen = allowed & (table.split == "test")
    return {"train": table.counts(train), "seenSources": scored(table, p, seen), "leftOut": scored(table, p, out),
            "bySource": {s: scored(table, p, out & (table.source == s)) for s in sorted(set(table.source[out]))} if way == "as shipped" else None,
            "cohenDisease": scored(table, p, out & (table.source == "cohen") & (table.finding != "normal"))}


def scored(table: Table, p: np.ndarray, use: np.ndarray) -> dict | None:
    if not use.any():
        return None
    y, p, patients = table.covid[use], p[use], table.patient[use]
    at = binary(y, p, 0.5)
    both = y.any() and not y.all()
    bounds = intervals(y, p, patients, {"auc": auc, "ap": average_precision}, 200) if both else {}
    return {"films": len(y), "positive": int(y.sum()), "auc": {"value": auc(y, p), "interval95": bounds.get("auc")},
            "ap": {"value": average_precision(y, p) if both else None, "interval95": bounds.get("ap")},
            "sensitivity": at["sensitivity"], "specificity": at["specificity"], "accuracy": at["accuracy"], "f1": at["f1"]}


def brief(run: dict) -> str:
    entry = run["leftOut"]
    if entry["auc"]["value"] is None:
        name = "sensitivity" if entry["positive"] else "specificity"
        return f"{name} {entry[name]['value']:.3f}"
    cohen = run["cohenDisease"]
    return f"AUC {entry['auc']['value']:.3f}" + (f", Cohen disease {cohen['auc']['value']:.3f}" if cohen else "")


def cross_validated(features: np.ndarray, table: Table, use: np.ndarray, count: int = 5, penalty: float = 1e-2) -> dict:
    """Five folds by patient within ``use``; ranks pooled over the folds after each fold's logits were centred."""
    part, x = table.take(use), features[use]
    fold, z = folds(part.rows, count, 1), np.zeros(int(use.sum()))
    for k in range(count):
        train = fold != k
        y = part.covid[train]
        head = heads.fit(x[train], y, np.where(y, 0.5 / y.sum(), 0.5 / (~y).sum()), penalty)
        z[~train] = head.logit(x[~train]) - np.median(head.logit(x[train]))
    p = 1 / (1 + np.exp(-z))
    return {"folds": count, "penalty": penalty, "figures": scored(part, p, np.ones(len(p), bool))}
