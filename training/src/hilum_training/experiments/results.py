"""training/results/*.json: what a command measured, small enough to be committed; docs/results.md is made of it."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

from ..data import ROOT
from ..export.manifests import write_json

FOLDER = ROOT / "training" / "results"


def write_result(name: str, command: str, result: dict, folder: Path | None = None) -> None:
    target = folder or FOLDER
    target.mkdir(parents=True, exist_ok=True)
    head = {"command": command, "date": datetime.date.today().isoformat()}
    write_json(target / f"{name}.json", head | result)
    print(f"wrote {target.name}/{name}.json", flush=True)


def read_result(name: str, folder: Path | None = None) -> dict:
    return json.loads(((folder or FOLDER) / f"{name}.json").read_text(encoding="utf-8"))
