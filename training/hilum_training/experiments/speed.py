"""What the networks of one film cost together, in passes of an 8-bit VGG19, all measured in one run."""
from __future__ import annotations

import json
import subprocess
from pathlib import Path

from ..data import ROOT

#: The networks that a film of the default set goes through.
LINE = ("gate-lite0", "view-lite0", "lungs-unet16", "findings-lite0")
VGG = "covid-vgg19-lungs"


def milliseconds(models: list[Path], rounds: int = 30) -> dict[str, float]:
    """Median of one thread, by folder's name."""
    done = subprocess.run(["node", str(ROOT / "training" / "time_networks.mjs"), str(rounds), *map(str, models)], check=True, stdout=subprocess.PIPE)
    return {Path(model).parent.name: value for model, value in json.loads(done.stdout).items()}


def report(folder: Path, vgg: Path | None = None) -> dict:
    """``vgg``: an 8-bit VGG19; the paper's own costs what version 2's did."""
    models = [folder / name / "model.onnx" for name in LINE]
    found = milliseconds([*models, vgg or ROOT / "models" / VGG / "model.onnx"])
    total = sum(found[name] for name in LINE)
    return {"milliseconds": found, "together": total, "passesOfVgg19": total / found[VGG]}
