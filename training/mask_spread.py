#!/usr/bin/env python3
"""What Dice can mean here (training/results/masks.json): a border one pixel off, and two masks of the same film by different hands."""
from __future__ import annotations

import argparse
import csv
import time

import hilum_training  # noqa: F401 - first, it sets how OpenMP waits
import numpy as np
from scipy import ndimage

from hilum_training.data import Dataset, read_grey
from hilum_training.metrics import dice
from hilum_training.preprocess import resize
from hilum_training.results import write_result


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder with cxr/manifest.csv (default: $HILUM_DATA_DIR or ../shared/data)")
    data, began = Dataset(parser.parse_args().data), time.time()
    rows = data.select(lambda r: r.manual_mask and r.split == "test")
    masks = [data.masks()[r.index] > 127 for r in rows]
    cells = [described(f"border one pixel {way}, 224 x 224, {source}", [dice(change(m), m) for m, r in zip(masks, rows) if source in ("all", r.source)])
             for source in ("all", "montgomery", "shenzhen") for way, change in (("in", ndimage.binary_erosion), ("out", ndimage.binary_dilation))]
    cells += second_masks(data)
    write_result("masks", "python3 training/mask_spread.py", 0, 0, time.time() - began, {"cells": cells})


def second_masks(data: Dataset) -> list[dict]:
    """Films with a V7 mask and lungVAE's: not the same definition of the lung, which is the point."""
    with (data.folder / "manifest.csv").open(encoding="utf-8") as file:
        pairs = [(r["source"], r["mask_path"], r["auto_mask_path"]) for r in csv.DictReader(file) if r["mask_path"] and r["auto_mask_path"] and r["mask_kind"].startswith("v7")]
    found = [(source, dice(*(resize(read_grey(data.folder / p) > 127) >= 0.5 for p in paths))) for source, *paths in pairs]
    return [described(f"V7 mask against lungVAE's, {name}", [d for source, d in found if source == name]) for name in sorted({s for s, _ in found})]


def described(what: str, values: list[float]) -> dict:
    return {"what": what, "films": len(values), "mean": float(np.mean(values)), "median": float(np.median(values)), "lowest": float(np.min(values))}


if __name__ == "__main__":
    main()
