#!/usr/bin/env python3
"""The figures of a report.json of `hilum evaluate`, for the results page: training/results/evaluate.json and docs/images/curves-shipped.svg."""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from hilum_training import curves
from hilum_training.results import write_result


CONFUSION = ("truePositive", "falseNegative", "falsePositive", "trueNegative")


def shown(entry: dict) -> str:
    bounds = entry["interval"]
    return f"{entry['value']:.3f}" + (f" ({bounds[0]:.3f}-{bounds[1]:.3f})" if bounds else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    report = json.loads(parser.parse_args().report.read_text(encoding="utf-8"))
    counts, figures = report["counts"], {}
    figures["films labelled, analysed, with COVID-19"] = f"{counts['labelled']}, {counts['analysed']}, {counts['positive']}"
    for entry in report["excluded"]:
        figures[f"not analysed: {entry['reason']}"] = f"{entry['positive']} with COVID-19, {entry['negative']} without"
    figures |= {"AUC ROC": shown(report["auc"]), "average precision": shown(report["averagePrecision"])}
    for name, words in (("atHalf", "0.5"), ("atOperatingPoint", "operating point")):
        at = report[name]
        for key in ("accuracy", "sensitivity", "specificity"):
            figures[f"{key} at {words} ({at['threshold']:.4f})"] = shown(at[key])
        figures[f"F1 at {words} ({at['threshold']:.4f})"] = shown({"value": at["f1"], "interval": at["f1Interval"]})
        figures[f"TP / FN / FP / TN at {words}"] = " / ".join(str(at["confusion"][key]) for key in CONFUSION)
    figures["sensitivity at operating point, films not analysed count as missed"] = shown(report["sensitivityWithLeftOut"])
    films = report["films"]
    curves.draw("curves-shipped", "The shipped pipeline on the test split",
                [("all films", np.array([film["positive"] for film in films]), np.array([film["probability"] for film in films]))])
    write_result("evaluate", "npx hilum evaluate --labels FILE --films DIR --out OUT; python3 training/site_report.py OUT/report.json", 0, 0, 0, {"figures": figures})


if __name__ == "__main__":
    main()
