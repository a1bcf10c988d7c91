"""An output of an ONNX graph for many films, by onnxruntime-node: the engine and the arithmetic of the service."""
from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np

from .data import ROOT


def run_onnx(onnx: Path, films: np.memmap, mean: float, std: float, target: Path, output: str, size: int) -> np.ndarray:
    """float32 [n, size] of N ``films`` [n, 224, 224], a memory-mapped .npy file; a run that was ended goes on where it was."""
    if not target.exists() or target.stat().st_size < 4 * size * len(films):
        arguments = (onnx, films.filename, films.offset, len(films), mean, std, target, output, size)
        subprocess.run(["node", str(ROOT / "training" / "run_onnx.mjs"), *map(str, arguments)], check=True)
    return np.fromfile(target, "<f4").reshape(len(films), size)
