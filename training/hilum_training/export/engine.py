"""Outputs of a shipped network on rows of the data set, by onnxruntime-node; kept in the cache by the network's digest."""
from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..data import ROOT, Row, cache_dir, digest, save_whole
from ..data.crops import MARGIN, Crops


def films_of(crops: Crops, rows: Sequence[Row], crop: str, region: str = "whole") -> np.ndarray:
    """uint8 [rows, 224, 224] of one crop, with what a region leaves out black."""
    index = np.array([r.index for r in rows], int)
    stored = crops.film[index] if crop == "film" else crops.box[index][:, MARGIN:-MARGIN, MARGIN:-MARGIN]
    kept = crops.kept(index, region)
    return np.ascontiguousarray(stored if kept is None else stored * kept.astype(np.uint8))


#: One plane of a network's input: uint8 films with mean and standard deviation.
Plane = tuple[np.ndarray, float, float]


def outputs(model: Path, planes: Sequence[Plane], wanted: dict[str, int]) -> dict[str, np.ndarray]:
    """``wanted``: output names and their numbers of values for a film."""
    key = digest(hashlib.sha256(model.read_bytes()).hexdigest(), json.dumps(wanted), *(hashlib.sha256(films).hexdigest() for films, _, _ in planes))
    path = cache_dir() / f"outputs-{model.parent.name}-{key}.npz"
    if not path.exists():
        found = computed(model, planes, wanted)
        save_whole(path, lambda file: np.savez(file, **found))
    with np.load(path) as stored:
        return dict(stored)


def computed(model: Path, planes: Sequence[Plane], wanted: dict[str, int]) -> dict[str, np.ndarray]:
    count = len(planes[0][0])
    with tempfile.TemporaryDirectory(dir=cache_dir()) as folder:
        at = Path(folder)
        described = []
        for place, (films, mean, std) in enumerate(planes):
            films.tofile(at / f"plane{place}.u8")
            described.append({"file": str(at / f"plane{place}.u8"), "mean": mean, "std": std})
        job = {"model": str(model), "count": count, "planes": described, "outputs": [{"name": n, "size": s, "file": str(at / f"{n}.f32")} for n, s in wanted.items()]}
        (at / "job.json").write_text(json.dumps(job), encoding="utf-8")
        subprocess.run(["node", str(ROOT / "training" / "run_networks.mjs"), str(at / "job.json")], check=True)
        return {name: np.fromfile(at / f"{name}.f32", "<f4").reshape(count, size) for name, size in wanted.items()}
