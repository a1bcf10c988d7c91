#!/usr/bin/env python3
"""Version 2 of models/covid-vgg19-lungs or models/view-vgg19: 8-bit arithmetic (QDQ), and for COVID-19 probabilities calibrated again
on what the quantised graph gives for the validation split, with operating points for sensitivities of 0.90, 0.95 and 0.99."""
from __future__ import annotations

import argparse

import hilum_training  # noqa: F401 - first, it sets how OpenMP waits
import numpy as np
import torch

from hilum_training import grid_task, heads, manifests
from hilum_training.covid_export import LIMITATIONS
from hilum_training.covid_task import validation_rows
from hilum_training.data import Dataset, cache_dir
from hilum_training.metrics import auc, binary, calibration_error
from hilum_training.onnx_export import load_vgg
from hilum_training.operating_points import operating_points
from hilum_training.ort import run_onnx
from hilum_training.qdq import activation_maxima
from hilum_training.qdq_export import put_head, quantisation, write_qdq
from hilum_training.runtime import start
from hilum_training.scoring import seen_films, sha256
from hilum_training.shipped import keep_first
from quantise_static import sample, seen

VIEW_FILMS = 48
VERSION = "2.0.0"
CALIBRATED = "temperature fitted on validation and folded into the dense layer."
CALIBRATED_AGAIN = "scale and offset (Platt) fitted on what the quantised graph gives for the validation split, and folded into the dense layer."


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=("view", "covid"))
    parser.add_argument("--data", help="folder with cxr/manifest.csv (default: $HILUM_DATA_DIR or ../shared/data)")
    args = parser.parse_args()
    start(grid_task.SEED)
    {"view": view, "covid": covid}[args.task](Dataset(args.data))


def view(data: Dataset) -> None:
    """Same weights and threshold; only the arithmetic is another."""
    first, manifest = keep_first("view")
    net, shape = load_vgg(first), manifest["input"]
    rows = sample(data, "view", "train", VIEW_FILMS, grid_task.SEED)
    z = (torch.from_numpy(seen(data, "view", rows))[:, None] - shape["mean"]) / shape["std"]
    maxima = activation_maxima(net, z, grid_task.PERCENTILE)
    write_qdq(net, manifests.folder("view") / "model.onnx", manifest["id"], maxima, shape["mean"], shape["std"])
    manifests.write("view", manifest | {"quantisation": quantisation(VIEW_FILMS, grid_task.PERCENTILE, grid_task.SEED)}, VERSION)


def covid(data: Dataset) -> None:
    """The first version's dense layer, its scale and offset (Platt) fitted to the quantised graph's validation logits."""
    first, manifest = keep_first("covid")
    base = grid_task.backbone(data, "lungs")
    weight, bias = base.net.head.weight[0].detach().double().numpy(), float(base.net.head.bias)
    rows = validation_rows(data, grid_task.SEED)
    labels = np.array([r.covid for r in rows])
    target = cache_dir() / f"{base.onnx.stem}.validation.f32"
    x = run_onnx(base.onnx, seen_films("covid", data, rows), base.mean, base.std, target, "features", grid_task.FEATURES)
    plain = cache_dir() / "uncalibrated" / manifest["id"]
    plain.mkdir(parents=True, exist_ok=True)
    write_qdq(put_head(base.net, weight, bias), plain / "model.onnx", manifest["id"], base.maxima, base.mean, base.std)
    manifests.write_json(plain / "manifest.json", manifest | {"sha256": sha256(plain / "model.onnx")})  # for quantised.py
    head = heads.calibrated(heads.Head(weight, bias, 0), x, labels)
    write_qdq(put_head(base.net, head.weight, head.bias), manifests.folder("covid") / "model.onnx", manifest["id"], base.maxima, base.mean, base.std)
    p = head.probability(x)
    points = operating_points(labels, p)
    threshold = points[1]["threshold"]
    slope = float(np.linalg.norm(head.weight) / np.linalg.norm(weight))
    validation = {
        "films": len(rows), "covid": int(labels.sum()), "auc": auc(labels, p), "temperature": 1 / slope, "offset": head.bias - slope * bias,
        "calibrationErrorBefore": calibration_error(labels, heads.Head(weight, bias, 0).probability(x)),
        "calibrationErrorAfter": calibration_error(labels, p),
        "atOperatingPoint": binary(labels, p, threshold), "atHalf": binary(labels, p, 0.5)}
    print(validation, points, flush=True)
    manifests.write("covid", manifest | {
        "training": manifest["training"] | {"notes": manifest["training"]["notes"].replace(CALIBRATED, CALIBRATED_AGAIN)},
        "operatingPoint": manifest["operatingPoint"] | {"threshold": threshold}, "operatingPoints": points, "metrics": {"validation": validation},
        "limitations": LIMITATIONS,
        "quantisation": quantisation(grid_task.CALIBRATION, grid_task.PERCENTILE, grid_task.SEED)}, VERSION)


if __name__ == "__main__":
    main()
