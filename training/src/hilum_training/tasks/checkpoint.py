"""The folder of one run: its settings, checkpoint, log and what it predicts. A run that was ended goes on from its
last checkpoint."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..data import cache_dir, save_whole


def as_stored(settings: dict) -> dict:
    """As JSON gives them back."""
    return json.loads(json.dumps(settings))


class RunFolder:
    def __init__(self, name: str, settings: dict, root: Path | None = None):
        self.name, self.settings = name, as_stored(settings)
        self.path = (root or cache_dir()) / "runs" / name
        self.path.mkdir(parents=True, exist_ok=True)
        self.began = time.time()
        if self._read("settings.json") != self.settings:
            self._clear()
            self._write("settings.json", self.settings)

    @classmethod
    def opened(cls, path: Path) -> RunFolder:
        """What is there, whatever its settings."""
        settings = json.loads((path / "settings.json").read_text(encoding="utf-8"))
        return cls(path.name, settings, path.parents[1])

    @classmethod
    def finished(cls, name: str, settings: dict) -> RunFolder:
        """The folder of a finished run of these settings; SystemExit where there is none."""
        path = cache_dir() / "runs" / name
        if not (path / "done.json").exists():
            raise SystemExit(f"the run {name} is not finished: python -m hilum_training run-queue")
        folder = cls.opened(path)
        if folder.settings != as_stored(settings):
            raise SystemExit(f"the run {name} was made with other settings: python -m hilum_training run-queue")
        return folder

    def facts(self) -> dict:
        """What ``finish`` noted: rows trained on, seconds and the like."""
        return self._read("done.json") or {}

    def _clear(self) -> None:
        """What was made with other settings is of no use."""
        for file in self.path.iterdir():
            file.unlink()

    def _read(self, name: str) -> dict | None:
        path = self.path / name
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def _write(self, name: str, value: dict) -> None:
        save_whole(self.path / name, lambda file: file.write((json.dumps(value, indent=1) + "\n").encode()))

    @property
    def done(self) -> bool:
        return (self.path / "done.json").exists()

    def load(self) -> dict | None:
        path = self.path / "checkpoint.pt"
        return torch.load(path, map_location="cpu") if path.exists() else None

    def save(self, **state: Any) -> None:
        save_whole(self.path / "checkpoint.pt", lambda file: torch.save(state, file))

    def tell(self, **line: Any) -> None:
        """One line of the log, on standard output too."""
        line = {"run": self.name, "time": time.strftime("%Y-%m-%dT%H:%M:%S")} | line
        with open(self.path / "log.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)

    def finish(self, predictions: dict[str, np.ndarray], weights: dict, **facts: Any) -> None:
        """Predictions and final weights; the optimiser's state is no longer needed."""
        save_whole(self.path / "predictions.npz", lambda file: np.savez_compressed(file, **predictions))
        save_whole(self.path / "weights.pt", lambda file: torch.save(weights, file))
        self._write("done.json", facts | {"finished": time.strftime("%Y-%m-%dT%H:%M:%S")})
        (self.path / "checkpoint.pt").unlink(missing_ok=True)

    def predictions(self) -> dict[str, np.ndarray]:
        with np.load(self.path / "predictions.npz") as stored:
            return dict(stored)

    def weights(self) -> dict:
        return torch.load(self.path / "weights.pt", map_location="cpu")
