"""Scores of shipped models on films: the same steps as the service, in PyTorch, float32 unless ``fast``."""
from __future__ import annotations

import hashlib

import numpy as np
import torch

from . import manifests
from .covid_task import lung_films
from .data import Dataset, Row, cache_dir, digest
from .onnx_export import load_vgg
from .runtime import mixed
from .vgg import VGG19

BATCH = 16


def float_network(task: str) -> VGG19 | None:
    """The network before rounding to 8 bits, from the training cache; None where that is gone."""
    path = cache_dir() / f"{task}-float.pt"
    if not path.exists():
        return None
    net = VGG19()
    net.load_state_dict(torch.load(path))
    return net.eval()


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


def scores(task: str, data: Dataset, rows: list[Row], fast: bool, before: bool = False) -> np.ndarray | None:
    """Probabilities of the shipped file, or with ``before`` of the float network; cached by the file's digest."""
    manifest = manifests.read(task)
    shape = manifest["input"]
    name = hashlib.sha256((manifests.folder(task) / "model.onnx").read_bytes()).hexdigest()
    lungs = manifests.read("lungs")["sha256"] if shape["region"] == "lungs" else ""
    path = cache_dir() / f"scores-{task}-{digest(name, lungs, data.key, fast, before, *(r.index for r in rows))}.npy"
    if not path.exists():
        net = float_network(task) if before else load_vgg(manifests.folder(task) / "model.onnx")
        if net is None:
            return None
        films = lung_films(data, rows, fast) if lungs else data.films()[[r.index for r in rows]]
        np.save(path, vgg_scores(net, films, shape["mean"], shape["std"], fast))
    return np.load(path)
