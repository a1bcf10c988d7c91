"""What finished runs predicted, kept in the repository: figures are made anew from it without training anything again.

``training/results/runs/NAME.npz`` holds the run's predictions (logits in half precision) and, as JSON, its settings
and facts; no weights, no films."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..data import ROOT, cache_dir, save_whole
from .checkpoint import RunFolder

KEPT = ROOT / "training" / "results" / "runs"
RESERVED = ("settings", "facts")


@dataclass(frozen=True)
class Finished:
    settings: dict
    facts: dict
    predictions: dict[str, np.ndarray]


def halved(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float16) if array.dtype == np.float32 else array


def keep(name: str) -> Path:
    """Writes what the finished run ``name`` of the cache predicted into the repository."""
    folder = RunFolder.opened(cache_dir() / "runs" / name)
    if not folder.done:
        raise SystemExit(f"the run {name} is not finished")
    words = {"settings": np.array(json.dumps(folder.settings)), "facts": np.array(json.dumps(folder.facts()))}
    target = KEPT / f"{name}.npz"
    target.parent.mkdir(parents=True, exist_ok=True)
    save_whole(
        target,
        lambda file: np.savez_compressed(
            file, **words, **{key: halved(value) for key, value in folder.predictions().items()}
        ),
    )
    return target


def finished(name: str) -> Finished | None:
    """Of the cache, else of the repository; None where the run is in neither. Logits of both are in half precision, so
    that both give the same figures."""
    path = cache_dir() / "runs" / name
    if (path / "done.json").exists():
        folder = RunFolder.opened(path)
        return Finished(
            folder.settings, folder.facts(), {key: halved(value) for key, value in folder.predictions().items()}
        )
    return kept(name)


def kept(name: str) -> Finished | None:
    path = KEPT / f"{name}.npz"
    if not path.exists():
        return None
    with np.load(path) as stored:
        words = {key: json.loads(str(stored[key])) for key in RESERVED}
        return Finished(
            words["settings"], words["facts"], {key: stored[key] for key in stored.files if key not in RESERVED}
        )
