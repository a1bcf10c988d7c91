#!/usr/bin/env python3
"""VGG16 and VGG19 from scratch at 112 x 112 on the same small budget (training/results/scratch.json). Resumable by epoch; nothing is exported.

view, covid   the shipped models' films, the whole test split
grid          the paper's grid on grid.py's films: {lungs, film, removed} x two kinds of negatives (needs grid.py features)
"""
from __future__ import annotations

import argparse
import time

import hilum_training  # noqa: F401 - first, it sets how OpenMP waits
import numpy as np
import torch
from scipy.special import expit
from torch.nn import functional as F

from hilum_training import augment, classifier, covid_task, grid_task, view_task
from hilum_training.arguments import some
from hilum_training.data import Dataset, known_finding
from hilum_training.metrics import full
from hilum_training.results import FOLDER, read_result, write_result
from hilum_training.runtime import Run, cosine, mixed, start
from hilum_training.scratch import Scratch

BATCH = 16
CELL = ("region", "negatives", "net")
KINDS = ("all other films", "Cohen + Kermany")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder with cxr/manifest.csv (default: $HILUM_DATA_DIR or ../shared/data)")
    parser.add_argument("--task", nargs="+", choices=("view", "covid", "grid"), default=["view", "covid", "grid"])
    parser.add_argument("--net", nargs="+", choices=("vgg16", "vgg19"), default=["vgg16", "vgg19"])
    parser.add_argument("--epochs", type=some, default=2)
    parser.add_argument("--draws", type=some, default=480, help="films per epoch, both classes alike")
    parser.add_argument("--rate", type=float, default=3e-4)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    start(args.seed)
    data, began = Dataset(args.data), time.time()
    result = {"models": [], "cells": []} | (read_result("scratch") if (FOLDER / "scratch.json").exists() else {})
    models, cells = ({tuple(e[k] for k in keys): e for e in result[name]} for name, keys in (("models", ("task", "net")), ("cells", CELL)))

    def write():
        write_result("scratch", "python3 training/train_scratch.py", args.seed, args.epochs, time.time() - began, {"models": list(models.values()), "cells": list(cells.values())})

    for name in args.task:
        if name == "grid":
            for region, negatives, train, test in grid_sets(data):
                for kind in args.net:
                    cell = {"region": region, "negatives": negatives, "net": kind}
                    cells[tuple(cell.values())] = cell | one(f"covid-{region}-{negatives}", kind, train, test, args)
                    write()
            continue
        train, test = {"view": view_sets, "covid": covid_sets}[name](data, args.seed)
        for kind in args.net:
            models[name, kind] = {"task": name, "net": kind} | one(name, kind, train, test, args)
            write()


def half(films: np.ndarray) -> np.ndarray:
    """[n, 224, 224] -> [n, 112, 112], means of 2 x 2."""
    return np.asarray(films, np.float32).reshape(len(films), 112, 2, 112, 2).mean((2, 4))


def view_sets(data: Dataset, seed: int):
    rows = view_task.pool(data, seed)
    train = [r for r, use in zip(rows, view_task.shipped(rows)) if use]
    test = data.select(lambda r: r.split == "test")
    return [(part, half(data.films()[[r.index for r in part]]), np.array([r.lateral for r in part])) for part in (train, test)]


def covid_sets(data: Dataset, seed: int):
    """Lungs only: the shipped model's training rows, the whole test split."""
    parts = covid_task.training_rows(data, seed), data.select(lambda r: r.split == "test" and known_finding(r))
    return [(part, half(covid_task.lung_films(data, part, fast=not i)), np.array([r.covid for r in part])) for i, part in enumerate(parts)]


def grid_sets(data: Dataset):
    """Region, kind of negatives, training and test sets of each cell of the grid: the region first that the shipped model sees."""
    rows = grid_task.grid_rows(data)
    for region in ("lungs", "film", "removed"):
        films = grid_task.region_films(data, rows, region)
        for kind in KINDS:
            parts = [[i for i, r in enumerate(rows) if r.split == split and grid_task.NEGATIVES[kind](r)] for split in ("train", "test")]
            yield region, kind, *(([rows[i] for i in part], half(films[part]), np.array([rows[i].covid for i in part])) for part in parts)


def one(name: str, kind: str, train, test, args) -> dict:
    rows, films, labels = train
    run = Run(f"scratch-{name}-{kind}".replace(" ", ""), {k: getattr(args, k) for k in ("epochs", "draws", "rate", "seed")} | {"rows": [r.index for r in rows]})
    net = Scratch(kind).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), lr=args.rate, weight_decay=1e-3)
    state = run.load() or {"epoch": 0, "curve": []}
    if state["epoch"]:
        net.load_state_dict(state["net"])
        optimiser.load_state_dict(state["optimiser"])
    mean, std, chance = films.mean(), films.std(), classifier.draw_weights(rows, labels)
    for epoch in range(state["epoch"], args.epochs):
        line = epoch_of(net, optimiser, films, labels, chance, mean, std, epoch, args)
        print(kind, name, line, flush=True)
        state |= {"epoch": epoch + 1, "curve": [*state["curve"], line], "net": net.state_dict(), "optimiser": optimiser.state_dict()}
        run.save(**state)
    p = expit(scored(net, test[1], mean, std))
    return {"epochs": state["epoch"], "draws": args.draws, "train": {"films": len(rows), "covid": int(labels.sum())}, "trainSeconds": sum(e["seconds"] for e in state["curve"]),
            "parameters": sum(q.numel() for q in net.parameters()), "test": full(test[2], p, np.array([r.patient for r in test[0]]))}


def epoch_of(net, optimiser, films, labels, chance, mean, std, epoch: int, args) -> dict:
    rng, began, total, steps = np.random.default_rng([args.seed, epoch]), time.time(), 0.0, args.draws // BATCH
    net.train()
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = args.rate * cosine(epoch * steps + step, args.epochs * steps, warm=5)
        picks = rng.choice(len(labels), BATCH, p=chance)
        x = torch.from_numpy(films[picks])[:, None]
        grid = augment.affine_grid(BATCH, x.shape[-1], rng, degrees=8, zoom=0.1, shift=0.05, flip=0.5)
        x = augment.intensity(augment.warp(x, grid), rng)
        with mixed():
            z = net(((x - mean) / std).contiguous(memory_format=torch.channels_last))
        value = F.binary_cross_entropy_with_logits(z.float(), torch.from_numpy(labels[picks].astype(np.float32)))
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        total += value.item()
    return {"loss": total / steps, "seconds": time.time() - began}


@torch.no_grad()
def scored(net, films: np.ndarray, mean: float, std: float) -> np.ndarray:
    net.eval()
    out = []
    for i in range(0, len(films), BATCH):
        with mixed():
            out.append(net(((torch.from_numpy(films[i:i + BATCH])[:, None] - mean) / std).contiguous(memory_format=torch.channels_last)))
    return torch.cat(out).double().numpy()


if __name__ == "__main__":
    main()
