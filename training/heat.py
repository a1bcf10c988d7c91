#!/usr/bin/env python3
"""Heat maps of the paper's models c, d and e (whole film, lungs only, lungs removed) for the same COVID-19 films of the test split.

Numbers go to training/results/heat.json; --out DIR also gets a sheet of pictures. Real films: keep DIR outside the repository.
"""
from __future__ import annotations

import argparse
import time
from pathlib import Path

import hilum_training  # noqa: F401 - first, it sets how OpenMP waits
import numpy as np
from PIL import Image

from hilum_training import grid_task as task
from hilum_training.arguments import some
from hilum_training.data import ROOT, Dataset, cache_dir, digest
from hilum_training.metrics import intervals
from hilum_training.ort import run_onnx
from hilum_training.preprocess import SIZE, triangle_matrix
from hilum_training.qdq_export import put_head, write_qdq
from hilum_training.regions import REGIONS
from hilum_training.results import write_result
from hilum_training.runtime import start

SHEET = 12


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder with cxr/manifest.csv (default: $HILUM_DATA_DIR or ../shared/data)")
    parser.add_argument("--films", type=some, default=60, help="COVID-19 films of the test split, drawn at random")
    parser.add_argument("--out", type=Path, help="folder for the sheet, outside the repository")
    args = parser.parse_args()
    if args.out and args.out.resolve().is_relative_to(ROOT):
        parser.error("--out lies in the repository: real films do not belong there")
    start(task.SEED)
    data, began = Dataset(args.data), time.time()
    rows = task.grid_rows(data)
    table = task.Table(rows)
    picks = np.sort(np.random.default_rng(task.SEED).permutation(np.flatnonzero((table.split == "test") & table.covid))[:args.films])
    lungs = np.array(task.region_films(data, rows, "lungs")[picks]) > 0
    maps = {region: heat(data, rows, table, region, picks) for region in REGIONS}
    patients = table.patient[picks]
    write_result("heat", f"python3 training/heat.py --films {args.films}", task.SEED, 0, time.time() - began,
                 {"cells": [{"region": r, "films": len(picks), "lungArea": float(lungs.mean())} | shares(m, lungs, patients) for r, m in maps.items()]})
    if args.out:
        sheet(np.array(task.region_films(data, rows, "film")[picks[:SHEET]]), [m[:SHEET] for m in maps.values()], args.out)


def heat(data: Dataset, rows, table: task.Table, region: str, picks: np.ndarray) -> np.ndarray:
    """Positive class activation [n, 224, 224] of the dense layer that was trained on all other films."""
    base = task.backbone(data, region)
    head = task.trained(task.features(data, rows, region), table, np.ones(len(rows), bool))
    onnx = cache_dir() / f"heat-{region}.onnx"
    write_qdq(put_head(base.net, head.weight, head.bias), onnx, f"heat-{region}", base.maxima, base.mean, base.std)
    films = cache_dir() / f"heat-films-{region}-{digest(*picks)}.npy"
    np.save(films, task.region_films(data, rows, region)[picks])
    target = cache_dir() / f"heat-{region}-{digest(*picks, head.bias)}.f32"
    cam = run_onnx(onnx, np.load(films, mmap_mode="r"), base.mean, base.std, target, "cam", 196).reshape(-1, 14, 14)
    up = triangle_matrix(14, SIZE)
    return np.maximum(up @ cam @ up.T, 0)


def shares(maps: np.ndarray, lungs: np.ndarray, patients) -> dict:
    """Films without any positive heat are left out of the share."""
    total = maps.sum((1, 2))
    some = total > 0
    inside = (maps * lungs).sum((1, 2))[some] / total[some]
    hottest = np.array([m[np.unravel_index(h.argmax(), h.shape)] for h, m in zip(maps[some], lungs[some])], float)

    def mean(values):
        return {"value": float(values.mean()), "interval95": intervals(np.ones(len(values), bool), values, patients[some], {"m": lambda _, v: float(v.mean())})["m"]}

    return {"withHeat": int(some.sum()), "insideLungs": mean(inside), "hottestInside": mean(hottest)}


def sheet(films: np.ndarray, maps: list[np.ndarray], out: Path) -> None:
    """One film a row: as it is, then with the heat of c, d and e in red."""
    lines = []
    for i, film in enumerate(films):
        cells = [np.repeat(film[..., None], 3, 2)]
        for m in maps:
            strength = (m[i] / max(float(m[i].max()), 1e-6))[..., None] * 0.6
            cells.append(cells[0] * (1 - strength) + np.array([1.0, 0.1, 0.0]) * strength)
        lines.append(np.concatenate(cells, 1))
    out.mkdir(parents=True, exist_ok=True)
    Image.fromarray((np.concatenate(lines) * 255).clip(0, 255).astype(np.uint8)).save(out / "heat.png")


if __name__ == "__main__":
    main()
