"""ONNX networks run by onnxruntime-node: the engine and the arithmetic of the service."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

RUNNER = Path(__file__).with_name("run_networks.mjs")

#: One plane of a network's input: uint8 films [n, 224, 224] with N = value / 255, and mean and standard deviation.
Plane = tuple[np.ndarray, float, float]


def computed(model: Path, planes: Sequence[Plane], wanted: dict[str, int], folder: Path) -> dict[str, np.ndarray]:
    """float32 [n, values] of each output in ``wanted``, which gives its number of values for a film. ``folder``: for
    the films and the answers meanwhile."""
    count = len(planes[0][0])
    with tempfile.TemporaryDirectory(dir=folder) as name:
        at = Path(name)
        described = []
        for place, (films, mean, std) in enumerate(planes):
            films.tofile(at / f"plane{place}.u8")
            described.append({"file": str(at / f"plane{place}.u8"), "mean": mean, "std": std})
        asked = [{"name": n, "size": size, "file": str(at / f"{n}.f32")} for n, size in wanted.items()]
        job = {"model": str(model), "count": count, "planes": described, "outputs": asked}
        (at / "job.json").write_text(json.dumps(job), encoding="utf-8")
        subprocess.run(["node", str(RUNNER), str(at / "job.json")], check=True)
        return {n: np.fromfile(at / f"{n}.f32", "<f4").reshape(count, size) for n, size in wanted.items()}
