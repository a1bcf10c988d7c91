#!/usr/bin/env python3
"""The paper's grid and the external test, on frozen VGG19 features: only dense layers are trained (0 epochs of the blocks).

features   mean activations of every film, whole, lungs only, lungs removed; scaled: lungs by their own greys (minutes each; goes on where it was ended)
grid       {film, lungs, removed} x three kinds of negatives -> training/results/grid.json
external   sources left out of training together -> training/results/external.json
within     the Cohen collection alone, cross-validated by patient -> training/results/within.json
"""
from __future__ import annotations

import argparse
import time

import hilum_training  # noqa: F401 - first, it sets how OpenMP waits
import numpy as np

from hilum_training import curves, external_task as ext, grid_task as task, heads
from hilum_training.data import Dataset
from hilum_training.metrics import calibration_error, full
from hilum_training.regions import REGIONS, SCALED
from hilum_training.results import FOLDER, read_result, write_result
from hilum_training.runtime import start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("features", "grid", "external", "within"))
    parser.add_argument("--region", choices=(*REGIONS, SCALED), action="append", help="only these (default: film, lungs, removed; external: scaled too)")
    parser.add_argument("--data", help="folder with cxr/manifest.csv (default: $HILUM_DATA_DIR or ../shared/data)")
    args = parser.parse_args()
    start(task.SEED)
    data = Dataset(args.data)
    rows, began = task.grid_rows(data), time.time()
    regions = args.region or ((*REGIONS, SCALED) if args.what == "external" else REGIONS)
    x = {region: task.features(data, rows, region) for region in regions}
    if args.what == "features":
        return
    table = task.Table(rows)
    if args.what == "external":
        result = external(table, x, task.changed_features(data, rows, "lungs") if "lungs" in x else None)
    else:
        result = {"grid": grid, "within": within}[args.what](table, x)
    write_result(args.what, f"python3 training/grid.py {args.what}", task.SEED, 0, time.time() - began, result)


def grid(table: task.Table, x: dict) -> dict:
    """One cell per region and kind of negatives: the test split, in all, by source and by view; curves to docs/images."""
    cells, lines = [], {kind: [] for kind in task.NEGATIVES}
    for region, features in x.items():
        for kind, allowed in task.NEGATIVES.items():
            use = table.where(allowed)
            head = task.trained(features, table, use)
            test = use & (table.split == "test")
            p = head.probability(features[test])
            part = table.take(test)
            lines[kind].append((region, part.covid, p))
            cells.append({"region": region, "negatives": kind, "penalty": head.penalty,
                          "train": table.counts(use & (table.split == "train")),
                          "test": full(part.covid, p, part.patient) | {"calibrationError": calibration_error(part.covid, p)},
                          "bySource": grouped(part, p, part.source), "byView": grouped(part, p, part.view)})
            print(region, kind, {k: round(v["value"], 4) for k, v in cells[-1]["test"].items() if isinstance(v, dict) and "value" in v}, flush=True)
    for kind, drawn in lines.items():
        curves.draw(f"curves-{kind.replace(' + ', '-').replace(' ', '-').lower()}", f"Test split, COVID-19 against: {kind}", drawn)
    return {"cells": cells}


def grouped(part: task.Table, p: np.ndarray, names: np.ndarray) -> dict:
    return {str(name): full(part.covid[names == name], p[names == name], part.patient[names == name]) for name in sorted(set(names))}


def external(table: task.Table, x: dict, copies: np.ndarray | None) -> dict:
    """Every group of sources left out of training and validation, by every way that was tried; ``copies``: features of augmented copies of the
    lungs, which they alone have. Runs of regions that are not asked for are kept as they stand in the file."""
    runs = [r for r in stored("external", "runs") if r["region"] not in x]
    for region, features in x.items():
        for way in ext.WAYS if region == "lungs" else ext.WAYS[:-1]:
            for name, out in ext.GROUPS.items():
                augmented = copies if way == ext.AUGMENTED else None
                runs.append({"region": region, "way": way, "out": name} | ext.left_out(features, table, table.where(out), way, augmented))
            print(region, way, {r["out"]: ext.brief(r) for r in runs[-len(ext.GROUPS):]}, flush=True)
    return {"runs": sorted(runs, key=lambda r: ((*REGIONS, SCALED).index(r["region"]), ext.WAYS.index(r["way"])))}


def stored(name: str, key: str) -> list[dict]:
    return read_result(name)[key] if (FOLDER / f"{name}.json").exists() else []


def within(table: task.Table, x: dict) -> dict:
    """COVID-19 against other disease within Cohen: only its own films, five folds by patient; scores of all folds pooled."""
    cells = []
    for region, features in x.items():
        cells.append({"region": region} | ext.cross_validated(features, table, table.where(lambda r: r.source == "cohen" and r.finding != "normal")))
        print(region, cells[-1]["figures"]["auc"], flush=True)
    return {"cells": cells}


if __name__ == "__main__":
    main()
