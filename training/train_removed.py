#!/usr/bin/env python3
"""Make models/covid-vgg19-removed: COVID-19 or not on all but the lungs, for the shortcut audit. Needs models/lungs-unet16.

What it can tell, it tells from outside the lungs: the source, not the disease. Only its dense layer is trained (grid.py's frozen features).
"""
from __future__ import annotations

import argparse

import hilum_training  # noqa: F401 - first, it sets how OpenMP waits
import numpy as np

from hilum_training import cards, grid_task as task, manifests
from hilum_training.data import Dataset, covid_licence_allows, licence_table
from hilum_training.metrics import calibration_error, full
from hilum_training.operating_points import operating_points
from hilum_training.qdq_export import put_head, quantisation, write_qdq
from hilum_training.runtime import start
from hilum_training.view_export import ARCHITECTURE


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder with cxr/manifest.csv (default: $HILUM_DATA_DIR or ../shared/data)")
    start(task.SEED)
    data = Dataset(parser.parse_args().data)
    rows = task.grid_rows(data)
    x, table = task.features(data, rows, "removed"), task.Table(rows)
    licensed = table.where(covid_licence_allows)
    head = task.trained(x, table, licensed)
    base = task.backbone(data, "removed")
    target = manifests.folder("removed")
    target.mkdir(parents=True, exist_ok=True)
    write_qdq(put_head(base.net, head.weight, head.bias), target / "model.onnx", manifests.IDS["removed"], base.maxima, base.mean, base.std)
    export(table, licensed, head, x, base.mean, base.std, target)


def export(table: task.Table, licensed: np.ndarray, head, x: np.ndarray, mean: float, std: float, target) -> None:
    val, test, train = (table.split == name for name in ("val", "test", "train"))
    p = head.probability(x)
    points = operating_points(table.covid[licensed & val], p[licensed & val])
    figures = {"validation": full(table.covid[licensed & val], p[licensed & val], table.patient[licensed & val]),
               "test": {"split": "test, at most 100 films of a large source", "precision": "quantised features",
                        **full(table.covid[test], p[test], table.patient[test]), "calibrationError": calibration_error(table.covid[test], p[test])}}
    manifests.write_json(target / "metrics.json", figures)
    manifests.write("removed", {
        "task": "classification",
        "title": "COVID-19 or not on all but the lungs, VGG19 (audit)",
        "architecture": ARCHITECTURE,
        "input": manifests.input_block("removed", mean, std),
        "lungsModel": manifests.IDS["lungs"],
        "output": {"probability": "probability", "cam": "cam"},
        "classes": [
            {"label": "not COVID-19"},
            {"label": "COVID-19", "code": {"value": "840544004", "scheme": "SCT", "meaning": "Suspected disease caused by SARS-CoV-2"}}],
        "positive": 1,
        "operatingPoint": {"threshold": points[1]["threshold"], "meaning": "the highest threshold with 95 % sensitivity on the validation "
                           "split's licensed rows; for comparison with the lungs-only model, not for triage"},
        "operatingPoints": points,
        "camLayer": "block5_conv4",
        "quantisation": quantisation(task.CALIBRATION, task.PERCENTILE, task.SEED),
        "training": manifests.training_block(
            licence_table([table.rows[i] for i in np.flatnonzero(licensed & train)]), 0, task.SEED, "python3 training/train_removed.py",
            "Blocks 1-3 ImageNet (Visual Geometry Group, CC BY 4.0), not trained further; blocks 4-5 at their start; the dense layer is a logistic "
            f"regression on the quantised graph's mean activations, penalty {head.penalty:g} and Platt's scaling chosen on validation."),
        "metrics": figures,
        "licence": "See ../LICENSE.md. Learnt from CC BY 3.0, CC BY 4.0, NLM and NIH films.",
        "limitations": [
            "It does not see the lungs. That it tells COVID-19 from the rest all the same shows how much source and class are tied in these films.",
            "For the shortcut audit only: where it is as sure as the lungs-only model, the evidence may lie outside the lungs.",
            "Learnt from at most 160 films of a source."],
    })
    cards.write("removed")
    print(figures["test"], flush=True)


if __name__ == "__main__":
    main()
