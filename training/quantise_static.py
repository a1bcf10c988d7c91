#!/usr/bin/env python3
"""The view or COVID-19 model with 8-bit arithmetic (QDQ), in a folder of its own; what is shipped stays as it is.

``--trial N`` writes films of the test split with their labels beside it, as the network sees them:
``node scripts/models/compare-models.mjs`` runs both networks on them.
"""
from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import torch

from hilum_training import manifests
from hilum_training.arguments import count, some
from hilum_training.covid_task import lung_films
from hilum_training.data import Dataset, Row, covid_licence_allows, known_finding, view_licence_allows
from hilum_training.onnx_export import load_vgg
from hilum_training.qdq import activation_maxima, export_qdq
from hilum_training.runtime import start

LICENSED = {"view": view_licence_allows, "covid": lambda r: known_finding(r) and covid_licence_allows(r)}
POSITIVE = {"view": lambda r: r.lateral, "covid": lambda r: r.covid}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=("view", "covid"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--films", type=some, default=48, help="calibration films, from the train split, both classes alike (48)")
    parser.add_argument("--percentile", type=float, default=99.99, help="of a film's activations; 100 is the maximum (99.99)")
    parser.add_argument("--bits", type=int, choices=(7, 8), default=8, help="of the weights: 7 for processors without VNNI")
    parser.add_argument("--trial", type=count, default=0, help="films of the test split to write for the comparison")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", help="folder with cxr/manifest.csv (default: $HILUM_DATA_DIR or ../shared/data)")
    args = parser.parse_args()
    start(args.seed)
    data, manifest = Dataset(args.data), manifests.read(args.task)
    if args.trial:
        write_trial(data, args)
    quantise(data, manifest, args)


def quantise(data: Dataset, manifest: dict, args) -> None:
    source, target = manifests.folder(args.task), args.out / manifest["id"]
    target.mkdir(parents=True, exist_ok=True)
    net = load_vgg(source / "model.onnx")
    rows = sample(data, args.task, "train", args.films, args.seed)
    mean, std = manifest["input"]["mean"], manifest["input"]["std"]
    z = (torch.from_numpy(seen(data, args.task, rows))[:, None] - mean) / std
    maxima = activation_maxima(net, z, args.percentile)
    path = target / "model.onnx"
    export_qdq(net, path, manifest["id"], maxima, ((0 - mean) / std, (1 - mean) / std), args.bits)
    how = {"kind": "QDQ, weights int8 per output channel, activations uint8", "weightBits": args.bits, "percentile": args.percentile,
           "films": len(rows), "split": "train", "seed": args.seed, "from": manifest["sha256"]}
    sha = hashlib.sha256(path.read_bytes()).hexdigest()
    manifests.write_json(target / "manifest.json", manifest | {"sha256": sha, "quantisation": how})
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, {len(rows)} calibration films", flush=True)


def sample(data: Dataset, task: str, split: str, count: int, seed: int) -> list[Row]:
    """Half of each class, as far as there are films; calibration takes licensed films only."""
    rng = np.random.default_rng([seed, split == "test"])
    allowed = LICENSED[task] if split == "train" else (known_finding if task == "covid" else lambda r: True)
    chosen: list[Row] = []
    for positive in (True, False):
        pool = data.select(lambda r: r.split == split and allowed(r) and POSITIVE[task](r) == positive)
        most = count // 2 if positive else count - len(chosen)
        chosen += [pool[i] for i in sorted(rng.permutation(len(pool))[:most])]
    return chosen


def seen(data: Dataset, task: str, rows: list[Row]) -> np.ndarray:
    """N as the network sees it: float32 [n, 224, 224]."""
    return lung_films(data, rows, fast=False) if task == "covid" else np.array(data.films()[[r.index for r in rows]])


def write_trial(data: Dataset, args) -> None:
    rows = sample(data, args.task, "test", args.trial, args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    seen(data, args.task, rows).astype("<f4").tofile(args.out / f"trial-{args.task}.f32")
    labels = [bool(POSITIVE[args.task](r)) for r in rows]
    (args.out / f"trial-{args.task}.json").write_text(json.dumps({"films": f"trial-{args.task}.f32", "labels": labels}), encoding="utf-8")


if __name__ == "__main__":
    main()
