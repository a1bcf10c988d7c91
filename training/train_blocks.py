#!/usr/bin/env python3
"""Does it help to train blocks 4-5 too? Lungs only, with and without the sources left out (training/results/blocks.json). Resumable by epoch; nothing is exported.

Learnt from the films that the shipped model learnt from; scored on the grid's films (grid.py), as its dense layers are.
"""
from __future__ import annotations

import argparse
import time

import hilum_training  # noqa: F401 - first, it sets how OpenMP waits
import numpy as np
import torch

from hilum_training import blocks, classifier, covid_task, external_task as ext, features, grid_task, heads
from hilum_training.arguments import some
from hilum_training.data import Dataset
from hilum_training.metrics import auc
from hilum_training.results import FOLDER, read_result, write_result
from hilum_training.runtime import Run, start

NOBODY = "nobody"
GROUPS = {NOBODY: lambda r: False} | {name: ext.GROUPS[name] for name in ("Cohen + cxnet + figure1 + ozturk's COVID-19", "Cohen + figure1 + actualmed", "actualmed")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder with cxr/manifest.csv (default: $HILUM_DATA_DIR or ../shared/data)")
    parser.add_argument("--out", nargs="+", choices=GROUPS, default=list(GROUPS), help="groups of sources left out, one training each; what was measured of others stays")
    parser.add_argument("--epochs", type=some, default=4)
    parser.add_argument("--draws", type=some, default=1440, help="films per epoch, both classes alike")
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument("--decay", type=float, default=0.02)
    parser.add_argument("--dropout", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    start(args.seed)
    films, began = Films(Dataset(args.data), args.seed), time.time()
    before = read_result("blocks") if (FOLDER / "blocks.json").exists() else {"runs": [], "seconds": 0}
    done = {r["out"]: r for r in before["runs"]}
    for out in args.out:
        done[out] = {"out": out} | trained(films, out, args)
        write_result("blocks", "python3 training/train_blocks.py", args.seed, args.epochs, before["seconds"] + time.time() - began, {"runs": list(done.values())})


class Films:
    """Rows and block-3 output of training (and one augmented copy), validation and the grid's films that are scored."""

    def __init__(self, data: Dataset, seed: int):
        self.train, self.val = covid_task.training_rows(data, seed), covid_task.validation_rows(data, seed)
        lungs = covid_task.lung_films(data, self.train)
        mean, std = (round(float(v), 6) for v in (lungs.mean(dtype=np.float64), lungs.std(dtype=np.float64)))
        net = classifier.new_network(data, lungs, mean, std, seed)
        self.copies = [features.cached("covid", net, lungs, mean, std),
                       features.cached("covid-0", net, lungs, mean, std, features.changer(300, 0.5), 0)]
        self.validation = features.cached("covid-val", net, covid_task.lung_films(data, self.val), mean, std)
        rows = grid_task.grid_rows(data)
        scored = [i for i, r in enumerate(rows) if r.split == "test" or any(out(r) for out in GROUPS.values())]
        self.table = grid_task.Table([rows[i] for i in scored])
        self.scored = features.cached("covid-scored", net, grid_task.region_films(data, rows, "lungs")[scored], mean, std)
        self.block3 = features.tensor_key(net)


def trained(films: Films, out: str, args) -> dict:
    train, val = (np.array([not GROUPS[out](r) for r in rows]) for rows in (films.train, films.val))
    rows = [r for r, use in zip(films.train, train) if use]
    labels, copies = np.array([r.covid for r in rows]), [np.array(copy[train]) for copy in films.copies]
    val_features, val_labels = np.array(films.validation[val]), np.array([r.covid for r, use in zip(films.val, val) if use])
    config = {k: getattr(args, k) for k in ("epochs", "draws", "rate", "decay", "dropout", "seed")}
    run = Run("blocks", config | {"block3": films.block3, "rows": [r.index for r in rows]})
    net = blocks.Blocks(args.dropout).to(memory_format=torch.channels_last)
    optimiser = blocks.optimiser(net, args.rate, args.decay)
    state = run.load() or {"epoch": 0, "curve": []}
    if state["epoch"]:
        net.load_state_dict(state["net"])
        optimiser.load_state_dict(state["optimiser"])
    for number in range(state["epoch"], args.epochs):
        began = time.time()
        loss = blocks.epoch(net, optimiser, copies, labels, classifier.draw_weights(rows, labels), number, args)
        line = {"epoch": number + 1, "loss": loss, "validationAuc": auc(val_labels, blocks.logits(net, val_features)), "seconds": time.time() - began}
        print(out, line, flush=True)
        state |= {"epoch": number + 1, "curve": [*state["curve"], line], "net": net.state_dict(), "optimiser": optimiser.state_dict()}
        run.save(**state)
    head = heads.calibrated(heads.Head(np.ones(1), 0.0, 0.0), blocks.logits(net, val_features)[:, None], val_labels)
    return {"train": {"films": len(rows), "covid": int(labels.sum())}, "curve": state["curve"]} | scores(films, head, net, out)


def scores(films: Films, head: heads.Head, net: blocks.Blocks, out: str) -> dict:
    """The test split of the sources seen, and all films of those left out."""
    table, p = films.table, head.probability(blocks.logits(net, films.scored)[:, None])
    left, test = table.where(GROUPS[out]), table.split == "test"
    disease = (table.source == "cohen") & (table.finding != "normal") & (left | (test & (out == NOBODY)))
    figures = {"seenSources": ext.scored(table, p, test & ~left), "leftOut": ext.scored(table, p, left), "cohenDisease": ext.scored(table, p, disease),
               "cohenKermany": ext.scored(table, p, test & ~left & table.where(grid_task.NEGATIVES["Cohen + Kermany"]))}
    print(out, {name: entry and entry["auc"] for name, entry in figures.items()}, flush=True)
    return figures


if __name__ == "__main__":
    main()
