#!/usr/bin/env python3
"""U-Net with 16, 32 and 64 first filters on the same small budget, for the table: training/results/unets.json. Resumable; nothing is exported.

The shipped lungs are train_lungs.py's, with many more epochs. Each size is written to the table as soon as it is done.
"""
from __future__ import annotations

import argparse
import time

import hilum_training  # noqa: F401 - first, it sets how OpenMP waits
import numpy as np
import torch
from torch.nn import functional as F

from hilum_training.arguments import some
from hilum_training.data import Dataset
from hilum_training.lung_export import lung_probability
from hilum_training.metrics import dice, intervals, iou
from hilum_training.preprocess import clean_mask
from hilum_training.results import FOLDER, read_result, write_result
from hilum_training.runtime import start
from train_lungs import fit


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder with cxr/manifest.csv (default: $HILUM_DATA_DIR or ../shared/data)")
    parser.add_argument("--filters", type=int, choices=(16, 32, 64), nargs="+", default=[16, 32, 64])
    parser.add_argument("--epochs", type=some, default=6, help="all at 112 x 112, on the manual masks and the adults of V7")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    start(args.seed)
    data, began = Dataset(args.data), time.time()
    sizes = {e["filters"]: e for e in (read_result("unets")["sizes"] if (FOLDER / "unets.json").exists() else [])}
    for filters in args.filters:
        budget = argparse.Namespace(filters=filters, coarse=args.epochs, fine=0, rate=2e-3, children=0, seed=args.seed, export_only=False)
        net, state, rows, mean, std = fit(budget, data)
        sizes[filters] = {"filters": filters, "epochs": state["epoch"], "films": len(rows), "parameters": sum(p.numel() for p in net.parameters()),
                          "trainSeconds": sum(e["seconds"] for e in state["curve"])} | measured(data, net, mean, std)
        write_result("unets", "python3 training/train_unets.py", args.seed, args.epochs, time.time() - began,
                     {"sizes": [sizes[k] for k in sorted(sizes)]})


def measured(data: Dataset, net, mean: float, std: float) -> dict:
    """Mean Dice and IoU over the test split's manual masks at 224 x 224, by source, with bootstrap intervals by patient.
    The network sees the films as it learnt them, at 112 x 112; its probability is enlarged."""
    rows = data.select(lambda r: r.manual_mask and r.split == "test")
    films = F.avg_pool2d(torch.from_numpy(data.films()[[r.index for r in rows]])[:, None], 2)[:, 0].numpy()
    small = torch.from_numpy(lung_probability(net, films, mean, std, fast=True))[:, None]
    found = [clean_mask(p) for p in F.interpolate(small, scale_factor=2, mode="bilinear", align_corners=False)[:, 0].numpy()]
    truth = [data.masks()[r.index] > 127 for r in rows]
    return {"bySource": by_source(rows, found, truth)}


def by_source(rows, found, truth) -> dict:
    d, j = (np.array([f(a, b) for a, b in zip(found, truth)]) for f in (dice, iou))
    names, patients = np.array([r.source for r in rows]), np.array([r.patient for r in rows])
    groups = {"all": np.ones(len(rows), bool)} | {str(s): names == s for s in sorted(set(names))}
    return {name: {"films": int(use.sum()), "dice": mean_of(d[use], patients[use]), "iou": mean_of(j[use], patients[use]),
                   "diceMedian": float(np.median(d[use])), "diceLowest": float(d[use].min())} for name, use in groups.items()}


def mean_of(values: np.ndarray, patients: np.ndarray) -> dict:
    bounds = intervals(np.ones(len(values), bool), values, patients, {"mean": lambda _, v: float(v.mean())})
    return {"value": float(values.mean()), "interval95": bounds["mean"]}


if __name__ == "__main__":
    main()
