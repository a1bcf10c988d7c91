#!/usr/bin/env python3
"""Float, 8-bit weights and 8-bit arithmetic side by side on the test split (training/results/quantised.json). Needs `npm run build`.

The 8-bit scores are those that `hilum evaluate` has written to its journal (--journal films-*.jsonl): the shipped pipeline's own, for the films
it has done so far. Same dense layer in all three (version 2's calibration undone), so that only the arithmetic differs; the shipped calibration stands in the last line.
"""
from __future__ import annotations

import argparse
import json
import subprocess
import time
from pathlib import Path

import hilum_training  # noqa: F401 - first, it sets how OpenMP waits
import numpy as np
from scipy.special import expit, logit

from hilum_training import manifests
from hilum_training.data import ROOT, Dataset, cache_dir, known_finding, save_whole
from hilum_training.journal import answered, read_journal
from hilum_training.metrics import auc, auc_interval, binary, calibration_error, full
from hilum_training.onnx_export import load_vgg
from hilum_training.results import write_result
from hilum_training.runtime import start
from hilum_training.scoring import float_path, scores, seen_films, vgg_scores
from hilum_training.shipped import keep_first
from quantise_static import write_trial

TRIAL = 100


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder with cxr/manifest.csv (default: $HILUM_DATA_DIR or ../shared/data)")
    parser.add_argument("--journal", type=Path, required=True, help="films-*.jsonl of `hilum evaluate` over the test split with the shipped models")
    args = parser.parse_args()
    start(1)
    data, began = Dataset(args.data), time.time()
    journal = read_journal(args.journal)
    models = [one(data, task, journal) for task in ("covid", "view")]
    write_result("quantised", "python3 training/quantised.py --journal OUT/films-*.jsonl", 1, 0, time.time() - began, {"models": models})


def one(data: Dataset, task: str, journal: dict) -> dict:
    split = data.select(lambda r: r.split == "test" and (task == "view" or known_finding(r)))
    use = np.array([answered(journal, r.path, "view" if task == "view" else "probability") for r in split])
    rows = [r for r, u in zip(split, use) if u]
    labels = np.array([r.lateral if task == "view" else r.covid for r in rows])
    manifest, (first, _) = manifests.read(task), keep_first(task)
    shipped = np.array([journal[r.path]["probability"] if task == "covid" else float(journal[r.path]["view"] == "lateral") for r in rows])
    fitted = manifest["metrics"].get("validation", {})
    plain = expit((logit(shipped) - fitted.get("offset", 0.0)) * fitted.get("temperature", 1.0)) if "offset" in fitted else shipped
    compared = compare(data, task, first)
    sizes = {"float": float_path(task).stat().st_size, "weights": first.stat().st_size, "qdq": (manifests.folder(task) / "model.onnx").stat().st_size}
    p = {"float": scores(task, data, split, False, before=True)[use], "weights": first_scores(data, task, split, first)[use], "qdq": plain, "shipped": shipped}
    patients, cut = [r.patient for r in rows], manifest["operatingPoint"]["threshold"] if task == "view" else 0.5
    if task == "view":  # the journal holds the answer, not its probability
        p = {name: (q >= cut).astype(float) for name, q in p.items()}
    kinds = {name: {"accuracy": binary(labels, q, cut)["accuracy"], "auc": {"value": auc(labels, q), "interval95": auc_interval(labels, q, patients, 400)} if task == "covid" else None,
                    "calibrationError": calibration_error(labels, q) if task == "covid" else None, "megabytes": sizes.get(name, sizes["qdq"]) / 1e6,
                    "timesAsFast": f"{compared['timesAsFast']:.1f}" if name in ("qdq", "shipped") else "1"} for name, q in p.items()}
    more = {"calibration": calibration(split, first_scores(data, task, split, first), fitted)} if "offset" in fitted else {}
    print(task, {k: (v["accuracy"], v["auc"], v["calibrationError"]) for k, v in kinds.items()}, flush=True)
    return {"id": manifest["id"], "films": len(rows), "threshold": cut, "kinds": kinds, "compared": compared,
            "logitCorrelation": float(np.corrcoef(logit(plain), logit(p["weights"]))[0, 1]) if task == "covid" else None} | more


def calibration(rows, first: np.ndarray, fitted: dict) -> dict:
    """Version 1's probabilities of the whole test split, as they were and with the shipped scale and offset: only the calibration differs."""
    labels, patients = np.array([r.covid for r in rows]), [r.patient for r in rows]
    after = expit(logit(first) / fitted["temperature"] + fitted["offset"])
    return {name: full(labels, p, patients) | {"calibrationError": calibration_error(labels, p)} for name, p in (("before", first), ("after", after))}


def first_scores(data: Dataset, task: str, rows, first: Path) -> np.ndarray:
    path = cache_dir() / f"scores-{task}-first.npy"
    if not path.exists():
        shape = manifests.read(task)["input"]
        found = vgg_scores(load_vgg(first), seen_films(task, data, rows), shape["mean"], shape["std"], False)
        save_whole(path, lambda file: np.save(file, found))
    return np.load(path)


def compare(data: Dataset, task: str, first: Path) -> dict:
    """scripts/models/compare-models.mjs on films of the test split, both graphs turn by turn: seconds and maps."""
    folder, uncalibrated = cache_dir() / "first" / manifests.IDS[task], cache_dir() / "uncalibrated" / manifests.IDS[task]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(first.read_bytes())
    (folder / "manifest.json").write_bytes(first.with_suffix(".json").read_bytes())
    result = cache_dir() / f"compared-{task}-{manifests.read(task)['sha256'][:16]}.json"
    if not result.exists():
        trial = cache_dir() / "trial"
        write_trial(data, argparse.Namespace(task=task, trial=TRIAL, seed=1, out=trial))
        against = uncalibrated if uncalibrated.exists() else manifests.folder(task)
        command = ["node", str(ROOT / "scripts" / "models" / "compare-models.mjs"), str(folder), str(against), "--films", str(trial / f"trial-{task}.json"), "--threads", "1", "--json"]
        result.write_text(subprocess.run(command, check=True, capture_output=True, text=True).stdout, encoding="utf-8")
    return json.loads(result.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
