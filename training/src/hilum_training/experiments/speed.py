"""What the networks of one film cost together, in passes of an 8-bit VGG19, all measured in one run."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from ..export.manifests import MODELS

#: The networks that a film of the default set goes through.
LINE = ("gate-lite0", "lungs-unet16", "findings-lite0")
VGG = "covid-vgg19-lungs"
RUNNER = Path(__file__).with_name("time_networks.mjs")


def milliseconds(models: list[Path], rounds: int = 30) -> dict[str, float]:
    """Median of one thread, by folder's name."""
    command = ["node", str(RUNNER), str(rounds), *map(str, models)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return {Path(model).parent.name: value for model, value in json.loads(done.stdout).items()}


def report(folder: Path, rounds: int = 30) -> dict | None:
    """Of the default set's networks in ``folder``, beside an 8-bit VGG19 there or in models/; None where one is
    missing."""
    vgg = next((at / VGG for at in (folder, MODELS) if (at / VGG / "model.onnx").exists()), folder / VGG)
    models = [at / "model.onnx" for at in (*(folder / name for name in LINE), vgg)]
    if not all(model.exists() for model in models):
        return None
    found = milliseconds(models, rounds)
    total = sum(found[name] for name in LINE)
    return {"milliseconds": found, "together": total, "passesOfVgg19": total / found[VGG]}
