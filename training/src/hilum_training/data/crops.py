"""Films on the network's grid as uint8 arrays on disk: the whole film, and the part of it around the lungs.

``film``  [rows, 224, 224]: N of the whole film.
``box``   [rows, 256, 256]: the box around the lungs, cut out of the whole film's 224 x 224 and enlarged to 224 x 224,
          as the service does (src/imaging/region.ts), with 16 more pixels of what lies around it on every side (0
          outside the film), so that an augmented copy shows no false border.

The box: the cleaned mask's bounding box, grown by 8 % of its sides at each side, outwards to whole pixels, and
clipped. A film without lungs is its own box."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..engine import computed
from .dataset import ROOT, Dataset, Row, cache_dir, digest, read_grey, save_whole
from .preprocess import SIZE, clean_mask, normalise_film, resize

WIDEN = 0.08
MARGIN = 16
#: Enters the settings of runs: crops of another rule are another training.
BOX_RULE = "cut from 224 x 224, grown outwards by 0.08"
BOX_SIZE = SIZE + 2 * MARGIN
LUNGS = ROOT / "models" / "lungs-unet16"


Frame = tuple[int, int, int, int]


def box_around(mask: np.ndarray, grow: float = WIDEN) -> Frame:
    """(left, top, right, bottom) in pixels of the mask, the last two exclusive; all of it for an empty mask."""
    height, width = mask.shape
    columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    if columns.size == 0:
        return 0, 0, width, height
    x0, x1, y0, y1 = int(columns[0]), int(columns[-1]) + 1, int(rows[0]), int(rows[-1]) + 1
    wide, tall = x1 - x0, y1 - y0
    return (
        max(0, math.floor(x0 - grow * wide)),
        max(0, math.floor(y0 - grow * tall)),
        min(width, math.ceil(x1 + grow * wide)),
        min(height, math.ceil(y1 + grow * tall)),
    )


def cut(film: np.ndarray, box: Frame) -> np.ndarray:
    """N of the box alone, float32 [224, 224]: what the network sees of it in the service."""
    left, top, right, bottom = box
    return np.clip(resize(film[top:bottom, left:right]), 0, 1).astype(np.float32)


def around(n_film: int, start: int, end: int) -> np.ndarray:
    """Triangle weights [256, n_film] of the box [start, end) on 224 samples with MARGIN more on either side; rows
    outside the film are 0."""
    length = end - start
    scale = max(1.0, length / SIZE)
    centre = start + (np.arange(-MARGIN, SIZE + MARGIN) + 0.5) * length / SIZE
    weight = np.maximum(0.0, 1.0 - np.abs(np.arange(n_film)[None, :] + 0.5 - centre[:, None]) / scale)
    total = weight.sum(1, keepdims=True)
    inside = ((centre > 0) & (centre < n_film))[:, None]
    return np.where(inside, weight / np.maximum(total, 1e-9), 0.0)


def cut_with_margin(film: np.ndarray, box: Frame) -> np.ndarray:
    """N of the box and what lies around it, float32 [256, 256]; its middle 224 x 224 is ``cut``."""
    left, top, right, bottom = box
    wide = around(film.shape[0], top, bottom) @ film @ around(film.shape[1], left, right).T
    wide[MARGIN:-MARGIN, MARGIN:-MARGIN] = resize(film[top:bottom, left:right])
    return np.clip(wide, 0, 1).astype(np.float32)


def eight_bits(n: np.ndarray) -> np.ndarray:
    return np.round(255 * n).astype(np.uint8)


class Crops:
    """The two arrays of a data set, made once. ``unet``: the folder of the network that finds the lungs."""

    def __init__(self, data: Dataset, unet: Path = LUNGS):
        self.data, self.unet = data, unet
        self.film = self._array("film", SIZE, lambda row: eight_bits(normalise_film(self.read(row))))
        self._boxes: list[Frame] | None = None
        self._lungs: np.ndarray | None = None
        self.box = self._array(
            "box",
            BOX_SIZE,
            lambda row: eight_bits(cut_with_margin(self.film[row.index] / np.float32(255), self.boxes()[row.index])),
        )

    def read(self, row: Row) -> np.ndarray:
        return read_grey(self.data.folder / row.path)

    def boxes(self) -> list[Frame]:
        """Of every row."""
        if self._boxes is None:
            self._boxes = [box_around(mask) for mask in self.lungs()]
        return self._boxes

    def lungs(self) -> np.ndarray:
        """Cleaned masks of all rows, bool [rows, 224, 224]."""
        if self._lungs is None:
            self._lungs = self._read_lungs()
        return self._lungs

    def kept(self, rows: np.ndarray, region: str) -> np.ndarray | None:
        """What a region keeps of the whole film, float32 [n, 224, 224] of 0 and 1: ``lungs``, or all but them
        (``removed``); None for all."""
        if region == "whole":
            return None
        lungs = self.lungs()[rows]
        return (lungs if region == "lungs" else ~lungs).astype(np.float32)

    def _read_lungs(self) -> np.ndarray:
        path = self._path("lungs")
        if not path.exists():
            print(f"finding the lungs of {len(self.data.rows)} rows ...", flush=True)
            save_whole(path, lambda file: np.save(file, packed_lungs(self.film, self.unet)))
        return np.unpackbits(np.load(path), axis=1).reshape(-1, SIZE, SIZE).astype(bool)

    def _path(self, name: str) -> Path:
        lungs = digest((self.unet / "model.onnx").read_bytes().hex()) if name != "film" else ""
        rule = [BOX_RULE] if name == "box" else []
        return cache_dir() / f"crops-{name}-{digest(self.data.key, lungs, *rule)}.npy"

    def _array(self, name: str, size: int, make: Callable[[Row], np.ndarray]) -> np.ndarray:
        path = self._path(name)
        if not path.exists():
            print(f"preparing {name} of {len(self.data.rows)} rows ...", flush=True)
            written(path, (len(self.data.rows), size, size), lambda i: make(self.data.rows[i]))
        return np.load(path, mmap_mode="r")


def written(path: Path, shape: tuple[int, ...], make: Callable[[int], np.ndarray]) -> None:
    """A uint8 array of ``make(i)``, there whole or not at all."""
    part = path.with_suffix(f".{os.getpid()}.part")
    array = np.lib.format.open_memmap(part, "w+", np.uint8, shape)
    for i in range(shape[0]):
        array[i] = make(i)
    array.flush()
    part.rename(path)


def packed_lungs(films: np.ndarray, model: Path, at_once: int = 512) -> np.ndarray:
    """Cleaned masks of uint8 films by a U-Net's folder, their bits packed: uint8 [n, 224 * 224 / 8]."""
    shape = json.loads((model / "manifest.json").read_text(encoding="utf-8"))["input"]
    masks = [np.zeros((0, SIZE * SIZE // 8), np.uint8)]
    for i in range(0, len(films), at_once):
        plane = np.ascontiguousarray(films[i : i + at_once]), shape["mean"], shape["std"]
        found = computed(model / "model.onnx", [plane], {"probability": SIZE * SIZE}, cache_dir())["probability"]
        masks.append(np.stack([np.packbits(clean_mask(p)) for p in found.reshape(-1, SIZE, SIZE)]))
    return np.concatenate(masks)
