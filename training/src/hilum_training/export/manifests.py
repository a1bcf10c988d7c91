"""Model folders: manifest.json and metrics.json beside model.onnx, and the SHA-256 that ties them."""

from __future__ import annotations

import datetime
import hashlib
import json
import math
from pathlib import Path
from typing import Any

from ..data import ROOT
from ..data.preprocess import MASK_THRESHOLD, MIN_COMPONENT_FRACTION

MODELS = ROOT / "models"
#: The U-Net that gives the lungs of whatever a classifier sees of a film.
LUNGS = "lungs-unet16"
INTENDED_USE = "Research use only. Not a medical device, not for diagnosis."


def input_block(region: str, mean: float, std: float) -> dict:
    return {
        "name": "input",
        "shape": [1, 1, 224, 224],
        "region": region,
        "fill": 0,
        "intensity": "min-max",
        "resample": "antialiased-triangle",
        "range": [0, 1],
        "mean": round(mean, 6),
        "std": round(std, 6),
    }


def mask_block() -> dict:
    """How a lung probability becomes a mask; the same for the service's outline and for the covid model's input."""
    return {"threshold": MASK_THRESHOLD, "connectivity": 4, "minComponentFraction": MIN_COMPONENT_FRACTION}


def training_block(data: list[dict], epochs: float, seed: int, command: str, notes: str) -> dict:
    return {
        "data": data,
        "split": "60/20/20 by patient, column split of cxr/manifest.csv",
        "epochs": epochs,
        "seed": seed,
        "command": command,
        "date": datetime.date.today().isoformat(),
        "notes": notes,
    }


def write_folder(target: Path, manifest: dict, version: str) -> None:
    """Completes and writes the manifest of a folder of any name."""
    sha = hashlib.sha256((target / "model.onnx").read_bytes()).hexdigest()
    head = {"schemaVersion": manifest.get("schemaVersion", 1), "id": target.name, "version": version}
    write_json(
        target / "manifest.json",
        head | manifest | head | {"file": "model.onnx", "sha256": sha, "engine": "onnx", "intendedUse": INTENDED_USE},
    )


def tidy(value: Any) -> Any:
    """Floats to 6 significant digits, recursively; refuses NaN and infinity."""
    if isinstance(value, dict):
        return {k: tidy(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [tidy(v) for v in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("a figure is not finite")
        return float(f"{value:.6g}")
    return value


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(tidy(value), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
