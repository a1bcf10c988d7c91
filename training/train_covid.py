#!/usr/bin/env python3
"""Train and export the COVID-19 VGG19 on lungs only (models/covid-vgg19-lungs). Needs models/lungs-unet16. Resumable."""
from __future__ import annotations

import argparse

import hilum_training  # noqa: F401 - first, it sets how OpenMP waits
import numpy as np
import torch

from hilum_training import classifier, covid_task, features
from hilum_training.arguments import count, some
from hilum_training.covid_export import export_covid
from hilum_training.data import Dataset
from hilum_training.metrics import auc, binary, calibration_error
from hilum_training.runtime import Run, start

MIRRORED = 0.5


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder with cxr/manifest.csv (default: $HILUM_DATA_DIR or ../shared/data)")
    parser.add_argument("--epochs", type=count, default=0, help="of blocks 4-5; 0: dense layer only")
    parser.add_argument("--draws", type=some, default=1440, help="films per epoch")
    parser.add_argument("--rate", type=float, default=2e-6)
    parser.add_argument("--penalty", type=float, default=3e-4, help="of the dense layer's squared weights")
    parser.add_argument("--copies", type=count, default=1, help="augmented copies of each film")
    parser.add_argument("--limit", type=count, default=0, help="films per source, for a quick trial")
    parser.add_argument("--sensitivity", type=float, default=0.95, help="of the urgent operating point, on validation")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--export-only", action="store_true", help="export the best epoch of the last checkpoint")
    args = parser.parse_args()
    start(args.seed)
    data = Dataset(args.data)

    rows = covid_task.training_rows(data, args.seed, args.limit)
    labels = np.array([r.covid for r in rows])
    films = covid_task.lung_films(data, rows)
    mean, std = (round(float(v), 6) for v in (films.mean(dtype=np.float64), films.std(dtype=np.float64)))
    net = classifier.new_network(data, films, mean, std, args.seed)
    print(f"{len(rows)} films, {labels.sum()} COVID-19, mean {mean}, std {std}", flush=True)
    copies = [features.cached("covid", net, films, mean, std)]
    copies += [features.cached(f"covid-{i}", net, films, mean, std, features.changer(300 + i, MIRRORED), i)
               for i in range(args.copies)]
    val = covid_task.validation_rows(data, args.seed, args.limit)
    val_labels = np.array([r.covid for r in val])
    val_features = features.cached("covid-val", net, covid_task.lung_films(data, val), mean, std)

    config = {k: getattr(args, k) for k in ("epochs", "draws", "rate", "penalty", "copies", "seed")} | {
        "data": data.key, "rows": [r.index for r in rows], "block3": features.tensor_key(net), "films": float(films.mean())}
    first = features.kept(f"covid-{len(rows)}-{args.copies}", net, lambda: torch.cat([classifier.pooled(net, copy) for copy in copies]))
    state = classifier.fit(Run("covid-vgg19", config), net, copies, labels, classifier.draw_weights(rows, labels),
                           epochs=args.epochs, draws=args.draws, rate=args.rate, seed=args.seed,
                           validation=classifier.validator(val_features, val_labels), first=first,
                           penalty=args.penalty, stop=args.export_only)
    z = classifier.logits(net, val_features)
    net.temperature.fill_(classifier.best_temperature(z, val_labels))
    p = classifier.sigmoid(z / float(net.temperature))
    threshold = round(covid_task.operating_point(val_labels, p, args.sensitivity), 6)
    validation = {
        "films": len(val), "covid": int(val_labels.sum()), "auc": auc(val_labels, p), "temperature": float(net.temperature),
        "calibrationErrorBefore": calibration_error(val_labels, classifier.sigmoid(z)),
        "calibrationErrorAfter": calibration_error(val_labels, p),
        "atOperatingPoint": binary(val_labels, p, threshold), "atHalf": binary(val_labels, p, 0.5),
    }
    print(validation, flush=True)
    export_covid(net, state, rows, threshold, validation, mean, std, args)


if __name__ == "__main__":
    main()
