"""The data set: manifest rows, films and masks on the 224 x 224 grid, and who may train on what."""

from __future__ import annotations

import csv
import hashlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from .preprocess import SIZE

ROOT = Path(__file__).resolve().parents[4]
V7 = "v7-reviewed"
NIH = "NIH ChestX-ray8"


@dataclass(frozen=True)
class Row:
    """One film of the manifest. ``index`` is its line, counted from 0."""

    index: int
    path: str
    source: str
    patient: str
    view: str
    finding: str
    mask_path: str
    mask_kind: str
    licence: str
    split: str
    host: str = ""
    sex: str = ""
    age: str = ""
    labels: str = ""
    heartless_mask_path: str = ""

    @property
    def lateral(self) -> bool:
        return self.view == "L"

    @property
    def covid(self) -> bool:
        return self.finding == "covid"

    @property
    def manual_mask(self) -> bool:
        return bool(self.mask_path) and self.mask_kind == "manual"

    @property
    def v7_mask(self) -> bool:
        return bool(self.mask_path) and self.mask_kind.startswith(V7)


def default_data_dir() -> Path:
    return Path(os.environ.get("HILUM_DATA_DIR") or ROOT / ".." / "shared" / "data").resolve()


def cache_dir() -> Path:
    """Checkpoints and intermediate arrays: never inside the work tree."""
    default = Path.home() / ".cache" / "hilum" / "training"
    folder = Path(os.environ.get("HILUM_CACHE_DIR") or default)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def save_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """The file is there whole or not at all: what a kill leaves must not be taken for the result by the next start."""
    part = path.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as file:
        write(file)
    part.rename(path)


def digest(*parts: object) -> str:
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:16]


class Dataset:
    """``<data>/cxr/manifest.csv`` and the arrays made of it, cached on disk."""

    def __init__(self, data: Path | None = None):
        self.folder = Path(data or default_data_dir()) / "cxr"
        manifest = self.folder / "manifest.csv"
        if not manifest.is_file():
            sys.exit(
                f"{manifest} is not there: HILUM_DATA_DIR or --data DIR names the folder of the data set "
                "(training/README.md says what lies in it)"
            )
        text = manifest.read_text(encoding="utf-8")
        self.key = digest(text, SIZE, "triangle-1")
        table = csv.DictReader(text.splitlines())
        self.rows = [
            Row(
                i,
                r["path"],
                r["source"],
                f"{r['source']}/{r['patient_id'] or r['path']}",
                r["view"],
                r["finding"],
                r["mask_path"],
                r["mask_kind"],
                r["licence"],
                r["split"],
                r.get("host", ""),
                r.get("sex", ""),
                r.get("age", ""),
                r.get("labels", ""),
                r.get("heartless_mask_path", ""),
            )
            for i, r in enumerate(table)
        ]

    def select(self, keep: Callable[[Row], bool]) -> list[Row]:
        return [row for row in self.rows if keep(row)]


def read_grey(path: Path) -> np.ndarray:
    """A JPEG or PNG as a 2-D uint8 array."""
    with Image.open(path) as image:
        return np.asarray(image.convert("L"))


def licence_table(rows: list[Row]) -> list[dict]:
    """The manifest's ``training.data``: rows by source and licence."""
    count: dict[tuple[str, str], int] = {}
    for row in rows:
        count[row.source, row.licence] = count.get((row.source, row.licence), 0) + 1
    return [{"source": s, "rows": n, "licence": licence} for (s, licence), n in sorted(count.items())]
