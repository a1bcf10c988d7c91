#!/usr/bin/env python3
"""The figures of a report.json of `hilum evaluate`, for the results page (training/results/evaluate.json)."""
from __future__ import annotations

import argparse
import json
from pathlib import Path

from hilum_training.results import write_result


def shown(entry: dict) -> str:
    low, high = entry["interval"]
    return f"{entry['value']:.3f} ({low:.3f}-{high:.3f})"


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
    write_result("evaluate", "npx hilum evaluate --labels FILE --films DIR --out OUT; python3 training/site_report.py OUT/report.json", 0, 0, 0, {"figures": figures})


if __name__ == "__main__":
    main()
