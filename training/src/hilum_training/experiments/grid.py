"""The paper's grid: figures of each finished VGG run on its test films, at 0.5 behind Platt's scaling on its
validation films."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
from scipy.special import expit

from ..data import Dataset
from ..data.partition import patient_key
from ..export.calibration import platt
from ..metrics import calibration_error, full
from ..tasks.kept import finished
from ..tasks.vgg import VggRun, is_positive
from .plan import grid, paper_line


def cell(data: Dataset, run: VggRun) -> dict | None:
    done = finished(run.name)
    if done is None:
        return None
    stored, facts = done.predictions, done.facts
    rows = [data.rows[i] for i in stored["rows"]]
    y, z = np.array([is_positive(r, run.positive) for r in rows]), stored["logits"].astype(np.float64)
    val, test = (np.array([r.split == name for r in rows]) for name in ("val", "test"))
    calibration = platt(z[val], y[val])
    p = expit(calibration.slope * z[test] + calibration.offset)
    trained = [data.rows[i] for i in facts["trained"]]
    return {
        key: asdict(run)[key] for key in ("name", "net", "transfer", "frozen", "region", "negatives", "positive")
    } | {
        "epochs": facts["epochs"],
        "draws": facts["draws"],
        "parameters": facts["parameters"],
        "train": {"films": len(trained), "positive": sum(is_positive(r, run.positive) for r in trained)},
        "test": full(y[test], p, [patient_key(r) for r, t in zip(rows, test, strict=True) if t]),
        "calibrationError": calibration_error(y[test], p),
    }


def report(data: Dataset) -> dict:
    cells = [cell(data, run) for run in [*paper_line(), *grid()]]
    return {"cells": [c for c in cells if c is not None]}
