"""metrics.json of a shipped classifier: the honest figures of the runs first, then what the 8-bit graph gives on the
test split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit

from ..data import Row
from ..data.crops import Frame
from ..data.labels import COVID, label_table
from ..data.partition import frontal, patient_key
from ..data.preprocess import SIZE, triangle_matrix
from ..export.ship import Findings
from ..metrics import auc, calibration_error, full, intervals, share
from .evaluate import INSIDE, SUBGROUPS, diseased_nih

CELLS = 14


def test_rows(made: Findings) -> list[Row]:
    return made.data.select(lambda r: frontal(r) and r.split == "test")


def figures(made: Findings, model: Path, manifest: dict) -> dict:
    """``made``: export.ship.Findings; ``model``: the graph in its folder."""
    rows = test_rows(made)
    z = made.logits(model, rows)
    report: dict[str, Any] = {
        "split": "test",
        "inside": [],
        "pooled": {},
        "bySubgroup": {},
        "bySource": {},
        "calibrationError": {},
    }
    for place, (name, threshold) in enumerate(zip(made.findings, thresholds(manifest), strict=True)):
        labels = label_table(rows, (name,))[:, 0]
        known = labels >= 0
        chosen, p, y = [r for r, k in zip(rows, known, strict=True) if k], expit(z[known, place]), labels[known] == 1
        report["pooled"][name] = {
            "atHalf": full(y, p, keys(chosen)),
            "atOperatingPoint": full(y, p, keys(chosen), threshold),
        }
        report["calibrationError"][name] = calibration_error(y, p)
        report["bySubgroup"][name] = grouped(chosen, y, p, SUBGROUPS)
        report["bySource"][name] = grouped(
            chosen, y, p, {s: (lambda r, s=s: r.source == s) for s in sorted({r.source for r in chosen})}
        )
        for source, keep, findings in INSIDE:
            use = [i for i, r in enumerate(chosen) if keep(r)]
            if name in findings and len(set(y[use])) == 2:
                report["inside"].append(
                    {"rows": source, "finding": name} | full(y[use], p[use], keys([chosen[i] for i in use]))
                )
    report["diseasedAdultsCalled"] = called(rows, z[:, made.findings.index(COVID)], manifest)
    report["heat"] = heat(made, model)
    return report


def heads(manifest: dict) -> list[dict]:
    """Of version 1's keys the only finding."""
    return manifest.get("heads") or [manifest]


def thresholds(manifest: dict) -> list[float]:
    return [head["operatingPoint"]["threshold"] for head in heads(manifest)]


def keys(rows: Sequence[Row]) -> list[str]:
    return [patient_key(r) for r in rows]


def grouped(rows: Sequence[Row], y: np.ndarray, p: np.ndarray, groups: dict) -> dict:
    """Figures at 0.5 of each group of films that is not empty."""
    found = {}
    for name, keep in groups.items():
        use = [i for i, r in enumerate(rows) if keep(r)]
        if use:
            found[name] = full(y[use], p[use], keys([rows[i] for i in use]))
    return found


def called(rows: Sequence[Row], z: np.ndarray, manifest: dict) -> dict:
    """Diseased adults of NIH, of years before COVID-19, that the operating points call urgent."""
    use, points = np.array([diseased_nih(r) for r in rows]), heads(manifest)[0]["operatingPoints"]
    p = expit(z[use])
    return {
        f"{point['sensitivity']:.2f}": share(int((p >= point["threshold"]).sum()), int(use.sum())) for point in points
    }


def compared(made: Findings, plain: Path, rounded: Path, rows: Sequence[Row]) -> dict:
    """Float against 8 bits, by finding: AUC of both, how far the logits lie apart, films on the other side of 0.5."""
    a, b = made.logits(plain, rows), made.logits(rounded, rows)
    found = {}
    for place, name in enumerate(made.findings):
        labels = label_table(rows, (name,))[:, 0]
        known, apart = labels >= 0, a[:, place] - b[:, place]
        found[name] = {
            "films": len(rows),
            "aucFloat": auc(labels[known] == 1, a[known, place]),
            "aucEightBit": auc(labels[known] == 1, b[known, place]),
            "rms": float(np.sqrt((apart**2).mean())),
            "spread": float(a[:, place].std()),
            "otherSide": int(((a[:, place] > 0) != (b[:, place] > 0)).sum()),
        }
    return found


def raised(cam: np.ndarray) -> np.ndarray:
    """[n, 14, 14] -> [n, 224, 224], by the triangle filter."""
    up = triangle_matrix(cam.shape[-1], SIZE)
    return up @ cam @ up.T


def on_film(film_cam: np.ndarray, box_cam: np.ndarray | None, box: Frame) -> np.ndarray:
    """Heat as logit per share of the film's area, [224, 224]: its mean is the logit without the constant. The box's
    map is laid over the box."""
    heat = raised(film_cam[None])[0]
    if box_cam is None:
        return heat
    left, top, right, bottom = box
    tall, wide = bottom - top, right - left
    cells = box_cam.shape[-1]
    heat[top:bottom, left:right] += (
        triangle_matrix(cells, tall) @ box_cam @ triangle_matrix(cells, wide).T * (SIZE**2 / (tall * wide))
    )
    return heat


def heat(made: Findings, model: Path, most: int = 120) -> dict:
    """Share of COVID-19's positive heat inside the lungs, on COVID-19 films of the test split."""
    rows = [r for r in test_rows(made) if r.covid][:most]
    count, place = len(made.findings), made.findings.index(COVID)
    cam = made.run(model, rows, {"cam": len(made.kinds) * count * CELLS * CELLS})["cam"].reshape(
        -1, len(made.kinds), count, CELLS, CELLS
    )[:, :, place]
    maps = {kind: cam[:, at] for at, kind in enumerate(made.kinds)}
    lungs, boxes = made.crops.lungs(), made.crops.boxes()
    inside, hottest, patients = [], [], []
    for i, row in enumerate(rows):
        h = np.maximum(on_film(maps["film"][i], maps["box"][i] if "box" in maps else None, boxes[row.index]), 0)
        mask = lungs[row.index]
        if h.sum() > 0:
            inside.append(float((h * mask).sum() / h.sum()))
            hottest.append(float(mask[np.unravel_index(h.argmax(), h.shape)]))
            patients.append(patient_key(row))

    def mean(found: list[float]) -> dict:
        values = np.array(found)
        return {
            "value": float(values.mean()),
            "interval95": intervals(np.ones(len(values), bool), values, patients, {"m": lambda _, v: float(v.mean())})[
                "m"
            ],
        }

    area = float(np.mean([lungs[r.index].mean() for r in rows]))
    return {
        "films": len(rows),
        "withHeat": len(inside),
        "lungArea": area,
        "insideLungs": mean(inside),
        "hottestInside": mean(hottest),
    }
