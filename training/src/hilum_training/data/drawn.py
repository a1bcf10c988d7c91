"""The service's own drawn films, which the demonstration and the tests run on: the first check learns what they are."""

from __future__ import annotations

import subprocess

import numpy as np

from .dataset import ROOT
from .preprocess import SIZE


def drawn_films(count: int, lateral: bool = False) -> np.ndarray:
    """N of ``count`` frontal or lateral drawings as uint8 [count, 224, 224]; of other seeds than those of the tests."""
    command = ["node", str(ROOT / "scripts" / "models" / "drawn-films.cjs"), str(count)]
    raw = subprocess.run(command + (["lateral"] if lateral else []), check=True, stdout=subprocess.PIPE).stdout
    return np.frombuffer(raw, np.uint8).reshape(count, SIZE, SIZE)
