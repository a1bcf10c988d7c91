"""What the COVID-19 model learns from: lungs-only films of frontal rows with a known finding.

Sources and classes are tied together (cxnet is all COVID-19, kermany all children without it), so a pooled figure
mostly measures the source. Against that: everything outside the lungs is blanked, films are re-exposed at random,
sources are drawn by the square root of their size, and children are at most a fifth of the negatives' rows.
"""
from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from .data import Dataset, Row, cache_dir, covid_licence_allows, digest, known_finding, save_whole
from .lung_export import lung_probability
from .onnx_export import load_unet
from .preprocess import clean_mask, lungs_only
from .manifests import folder, read

CHILDREN = 350


def training_rows(data: Dataset, seed: int, limit: int = 0) -> list[Row]:
    """Licensed train-split rows; kermany subsampled evenly over its findings. ``limit``: rows per source, to try out."""
    rng = np.random.default_rng(seed)
    pool = data.select(lambda r: r.split == "train" and known_finding(r) and covid_licence_allows(r))
    chosen = []
    for source in sorted({r.source for r in pool}):
        rows = [r for r in pool if r.source == source]
        most = limit or (CHILDREN if source == "kermany" else len(rows))
        chosen += [rows[i] for i in sorted(rng.permutation(len(rows))[:most])]
    return sorted(chosen, key=lambda r: r.index)


def validation_rows(data: Dataset, seed: int, limit: int = 0) -> list[Row]:
    """Licensed validation rows, children subsampled as in training."""
    rng = np.random.default_rng(seed + 1)
    pool = data.select(lambda r: r.split == "val" and known_finding(r) and covid_licence_allows(r))
    chosen = []
    for source in sorted({r.source for r in pool}):
        rows = [r for r in pool if r.source == source]
        most = limit or (CHILDREN // 3 if source == "kermany" else len(rows))
        chosen += [rows[i] for i in sorted(rng.permutation(len(rows))[:most])]
    return sorted(chosen, key=lambda r: r.index)


def lung_films(data: Dataset, rows: list[Row], fast: bool = True) -> np.ndarray:
    """Lungs-only N of rows: float32 [n, 224, 224], through the shipped U-Net; cached."""
    model = folder("lungs") / "model.onnx"
    unet = hashlib.sha256(model.read_bytes()).hexdigest()[:12]
    key = digest(data.key, unet, fast, *(r.index for r in rows))
    path: Path = cache_dir() / f"lungs-only-{key}.npy"
    if not path.exists():
        print(f"lungs of {len(rows)} films ...", flush=True)
        shape = read("lungs")["input"]
        films = data.films()[[r.index for r in rows]]
        probability = lung_probability(load_unet(model), films, shape["mean"], shape["std"], fast)
        kept = np.stack([lungs_only(n, clean_mask(p)) for n, p in zip(films, probability)])
        save_whole(path, lambda file: np.save(file, kept))
    return np.load(path)


def operating_point(labels: np.ndarray, probability: np.ndarray, sensitivity: float = 0.95) -> float:
    """The highest threshold that still finds ``sensitivity`` of the validation positives (score >= threshold)."""
    ordered = np.sort(probability[labels])[::-1]
    return float(ordered[int(np.ceil(sensitivity * len(ordered))) - 1])
