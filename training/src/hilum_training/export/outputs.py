"""Outputs of a shipped network on rows of the data set, by onnxruntime-node; kept in the cache by the network's
digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..data import Row, cache_dir, digest, save_whole
from ..data.crops import MARGIN, Crops
from ..engine import Plane, computed


def films_of(crops: Crops, rows: Sequence[Row], crop: str, region: str = "whole") -> np.ndarray:
    """uint8 [rows, 224, 224] of one crop, with what a region leaves out black."""
    index = np.array([r.index for r in rows], int)
    stored = crops.film[index] if crop == "film" else crops.box[index][:, MARGIN:-MARGIN, MARGIN:-MARGIN]
    kept = crops.kept(index, region)
    return np.ascontiguousarray(stored if kept is None else stored * kept.astype(np.uint8))


def outputs(model: Path, planes: Sequence[Plane], wanted: dict[str, int]) -> dict[str, np.ndarray]:
    """``wanted``: output names and their numbers of values for a film."""
    key = digest(
        hashlib.sha256(model.read_bytes()).hexdigest(),
        json.dumps(wanted),
        *(hashlib.sha256(films).hexdigest() for films, _, _ in planes),
    )
    path = cache_dir() / f"outputs-{model.parent.name}-{key}.npz"
    if not path.exists():
        found = computed(model, planes, wanted, cache_dir())
        save_whole(path, lambda file: np.savez(file, **found))
    with np.load(path) as stored:
        return dict(stored)
