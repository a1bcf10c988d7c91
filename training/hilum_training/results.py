"""training/results/*.json: what a command measured, small enough to be committed; docs/results.md is written from it."""
from __future__ import annotations

import datetime
import json
from pathlib import Path

from .data import ROOT
from .manifests import write_json

FOLDER = ROOT / "training" / "results"


def write_result(name: str, command: str, seed: int, epochs: float, seconds: float, result: dict) -> None:
    FOLDER.mkdir(exist_ok=True)
    head = {"command": command, "date": datetime.date.today().isoformat(), "seed": seed, "epochs": epochs, "seconds": round(seconds)}
    write_json(FOLDER / f"{name}.json", head | result)
    print(f"wrote training/results/{name}.json", flush=True)


def read_result(name: str, folder: Path = FOLDER) -> dict:
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
