#!/usr/bin/env python3
"""Figures of a shipped model (models/<id>/model.onnx) on the test split, before and after 8-bit weights."""
from __future__ import annotations

import argparse
from pathlib import Path

from hilum_training import cards, manifests, reports
from hilum_training.data import Dataset
from hilum_training.journal import read_journal
from hilum_training.runtime import start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=("view", "lungs", "covid"))
    parser.add_argument("--data", help="folder with cxr/manifest.csv (default: $HILUM_DATA_DIR or ../shared/data)")
    parser.add_argument("--fast", action="store_true", help="bfloat16 instead of float32: a quick look, not for the record")
    parser.add_argument("--write", action="store_true", help="store the figures in metrics.json, manifest.json and card.md")
    parser.add_argument("--journal", type=Path, help="covid: the shipped model's scores from a journal (films-*.jsonl) of `hilum evaluate`, of the films it holds")
    args = parser.parse_args()
    start(1)
    more = {"journal": read_journal(args.journal)} if args.journal else {}
    report = getattr(reports, args.task)(Dataset(args.data), args.fast, **more)
    if args.write:
        target = manifests.folder(args.task)
        manifests.write_json(target / "metrics.json", report)
        manifest = manifests.read(args.task)
        manifest["metrics"] = brief(report)
        manifests.write_json(target / "manifest.json", manifest)
        cards.write(args.task)


def brief(report: dict) -> dict:
    """The report without its curve and its tables by source, which stay in metrics.json."""
    if isinstance(report, dict):
        return {k: brief(v) for k, v in report.items() if k not in ("roc", "bySource", "frontalSpecificityBySource")}
    return report


if __name__ == "__main__":
    main()
