"""Puts the gate's figures into its folder: metrics.json, the manifest's `metrics` and card.md.

    npm run gate -- --pictures DIR --out FILE.jsonl --json > FIGURES.json
    python3 training/gate_card.py --figures FIGURES.json

Figures of another network are refused.
"""
from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from hilum_training import cards, manifests


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--figures", type=Path, required=True)
    figures = json.loads(parser.parse_args().figures.read_text(encoding="utf-8"))
    manifest = manifests.read("gate")
    if f"{manifest['id']} {manifest['sha256'][:12]}" not in figures["models"]:
        sys.exit(f"these are figures of {figures['models']}, not of the shipped gate")
    folder = manifests.folder("gate")
    manifests.write_json(folder / "metrics.json", figures)
    films, others = cards.named(figures["whole"], "films"), cards.named(figures["whole"], "no films")
    manifest["metrics"] = {"test": {"filmsRefused": cards.by_line(films), "othersRefused": cards.by_line(others)}}
    manifests.write_json(folder / "manifest.json", manifest)
    cards.write("gate")
    return 0


if __name__ == "__main__":
    sys.exit(main())
