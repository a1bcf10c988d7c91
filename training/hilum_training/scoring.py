"""Scores of shipped models on films: by onnxruntime, as the service computes them; of the float networks before them in PyTorch."""
from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from scipy.special import expit

from . import manifests
from .covid_task import lung_films
from .data import Dataset, Row, cache_dir, digest, save_whole
from .ort import run_onnx
from .preprocess import SIZE
from .runtime import mixed
from .vgg import VGG19

BATCH = 16


def float_network(task: str) -> VGG19 | None:
    """The network before rounding to 8 bits, from the training cache; None where that is gone."""
    path = float_path(task)
    if not path.exists():
        return None
    net = VGG19()
    net.load_state_dict(torch.load(path))
    return net.eval()


def float_path(task: str) -> Path:
    return cache_dir() / f"{task}-float.pt"


@torch.no_grad()
def vgg_scores(net: VGG19, films: np.ndarray, mean: float, std: float, fast: bool) -> np.ndarray:
    """Probability of the positive class, float64 [n], of N films [n, 224, 224]."""
    net, out = net.to(memory_format=torch.channels_last), []
    for i in range(0, len(films), BATCH):
        z = (torch.from_numpy(np.array(films[i:i + BATCH], np.float32))[:, None] - mean) / std
        with mixed(fast):
            a = net.activation(net.low(z.contiguous(memory_format=torch.channels_last)))
        out.append(torch.sigmoid(net.classify(a).double())[:, 0].numpy())
    return np.concatenate(out)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def seen_films(task: str, data: Dataset, rows: list[Row]) -> np.memmap:
    """N as the network of ``task`` sees it, a file in the cache."""
    lungs = manifests.read("lungs")["sha256"] if task == "covid" else ""
    path = cache_dir() / f"seen-{task}-{digest(lungs, data.key, *(r.index for r in rows))}.npy"
    if not path.exists():
        films = lung_films(data, rows, fast=False) if lungs else np.array(data.films()[[r.index for r in rows]])
        save_whole(path, lambda file: np.save(file, films.reshape(-1, SIZE, SIZE).astype(np.float32)))
    return np.load(path, mmap_mode="r")


def scores(task: str, data: Dataset, rows: list[Row], fast: bool, before: bool = False) -> np.ndarray | None:
    """Probabilities of the shipped file, or with ``before`` of the float network; cached by the file's digest. ``fast``: the latter in bfloat16."""
    shape, model = manifests.read(task)["input"], manifests.folder(task) / "model.onnx"
    if not before:
        target = cache_dir() / f"logit-{task}-{digest(sha256(model), data.key, *(r.index for r in rows))}.f32"
        return expit(run_onnx(model, seen_films(task, data, rows), shape["mean"], shape["std"], target, "logit", 1)[:, 0].astype(np.float64))
    net = float_network(task)
    if net is None:
        return None
    path = cache_dir() / f"scores-{task}-float-{digest(sha256(float_path(task)), data.key, fast, *(r.index for r in rows))}.npy"
    if not path.exists():
        found = vgg_scores(net, seen_films(task, data, rows), shape["mean"], shape["std"], fast)
        save_whole(path, lambda file: np.save(file, found))
    return np.load(path)
