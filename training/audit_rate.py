#!/usr/bin/env python3
"""How often the shortcut audit warns on the test split (training/results/audit.json).

A film is asked about where the shipped classifier reaches its operating point (--journal: its probabilities, films-*.jsonl of `hilum evaluate`); the audit
warns where models/covid-vgg19-removed, run by onnxruntime as in the service, reaches its own.
"""
from __future__ import annotations

import argparse
import time
from pathlib import Path

import hilum_training  # noqa: F401 - first, it sets how OpenMP waits
import numpy as np
from scipy.special import expit

from hilum_training import manifests
from hilum_training.covid_task import lung_films
from hilum_training.data import Dataset, Row, cache_dir, digest, known_finding
from hilum_training.journal import answered, read_journal
from hilum_training.metrics import share
from hilum_training.ort import run_onnx
from hilum_training.regions import region_film
from hilum_training.results import write_result
from hilum_training.runtime import start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder with cxr/manifest.csv (default: $HILUM_DATA_DIR or ../shared/data)")
    parser.add_argument("--journal", type=Path, required=True)
    args = parser.parse_args()
    start(1)
    data, journal, began = Dataset(args.data), read_journal(args.journal), time.time()
    cut, own = (manifests.read(task)["operatingPoint"]["threshold"] for task in ("covid", "removed"))
    rows = data.select(lambda r: r.split == "test" and known_finding(r) and answered(journal, r.path, "probability"))
    asked = [r for r in rows if journal[r.path]["probability"] >= cut]
    warned = outside(data, asked) >= own
    groups = {"all": np.ones(len(asked), bool), "with COVID-19": np.array([r.covid for r in asked]), "without": np.array([not r.covid for r in asked])}
    groups |= {source: np.array([r.source == source for r in asked]) for source in sorted({r.source for r in asked})}
    write_result("audit", "python3 training/audit_rate.py --journal OUT/films-*.jsonl", 1, 0, time.time() - began, {
        "analysed": len(rows), "groups": [{"name": name, "atOperatingPoint": int(use.sum()), "warned": int((warned & use).sum()),
                                           "share": share(int((warned & use).sum()), int(use.sum()))} for name, use in groups.items()]})


def outside(data: Dataset, rows: list[Row]) -> np.ndarray:
    """Probability of the network that sees all but the lungs."""
    shape, films = manifests.read("removed")["input"], data.films()
    key = digest(data.key, manifests.read("removed")["sha256"], manifests.read("lungs")["sha256"], *(r.index for r in rows))
    path = cache_dir() / f"audit-{key}.npy"
    np.save(path, np.stack([region_film(films[r.index], only, "removed") for r, only in zip(rows, lung_films(data, rows, fast=False))]).astype(np.float32))
    logits = run_onnx(manifests.folder("removed") / "model.onnx", np.load(path, mmap_mode="r"), shape["mean"], shape["std"], path.with_suffix(".f32"), "logit", 1)
    return expit(logits[:, 0].astype(np.float64))


if __name__ == "__main__":
    main()
