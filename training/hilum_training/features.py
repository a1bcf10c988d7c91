"""Block-3 output of films, cached on disk, so that training touches only blocks 4-5 and the dense layer."""
from __future__ import annotations

import os

import numpy as np
import torch

from . import augment
from .data import cache_dir, digest, save_whole
from .runtime import mixed
from .vgg import VGG19

SHAPE = (256, 28, 28)
BATCH = 16


def tensor_key(net: VGG19) -> str:
    """A digest of blocks 1-3, so that a cache never outlives the weights it was made with."""
    parts = [p.detach().double().sum().item() for block in net.blocks[:3] for p in block.parameters()]
    return digest(*(f"{v:.9g}" for v in parts))


@torch.no_grad()
def block3(net: VGG19, z: np.ndarray, fast: bool = True) -> torch.Tensor:
    """Z [n, 224, 224] -> [n, 256, 28, 28] (channels last) through the shipped 8-bit blocks 1-3."""
    x = torch.from_numpy(z)[:, None].contiguous(memory_format=torch.channels_last)
    with mixed(fast):
        return net.low(x)


def cached(name: str, net: VGG19, films: np.ndarray, mean: float, std: float, change=None, note="") -> np.ndarray:
    """Block-3 output of N ``films`` [n, 224, 224]: float16 [n, 256, 28, 28], memory-mapped.

    ``change(batch [b, 1, 224, 224], number of batch)`` augments N before it is standardised.
    """
    path = cache_dir() / f"block3-{name}-{digest(tensor_key(net), len(films), films[::7].sum(dtype=np.float64), note)}.npy"
    if not path.exists():
        print(f"block 3 of {len(films)} films ({name}) ...", flush=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        array = np.lib.format.open_memmap(part, "w+", np.float16, (len(films), *SHAPE))
        for i in range(0, len(films), BATCH):
            batch = torch.from_numpy(np.ascontiguousarray(films[i:i + BATCH]))[:, None]
            if change is not None:
                batch = change(batch, i // BATCH)
            array[i:i + BATCH] = block3(net, ((batch - mean) / std)[:, 0].numpy()).float().numpy()
        array.flush()
        part.rename(path)
    return np.load(path, mmap_mode="r")


def kept(name: str, net: VGG19, make) -> torch.Tensor:
    """``make()``, a tensor that depends on the untrained network, or what it gave last time."""
    parts = [p.detach().double().sum().item() for p in net.parameters()]
    path = cache_dir() / f"pooled-{name}-{tensor_key(net)}-{digest(parts)}.pt"
    if not path.exists():
        made = make()
        save_whole(path, lambda file: torch.save(made, file))
    return torch.load(path)


def changer(seed: int, flip: float, degrees: float = 8, zoom: float = 0.1, shift: float = 0.05):
    """The augmentation for ``cached``: seeded by batch number, so that it is the same each time."""

    def change(batch: torch.Tensor, number: int) -> torch.Tensor:
        rng = np.random.default_rng([seed, number])
        grid = augment.affine_grid(len(batch), batch.shape[-1], rng, degrees, zoom, shift, flip)
        outside = "border" if rng.random() < 0.5 else "zeros"
        return augment.intensity(augment.warp(batch, grid, outside), rng, noise=0.02, blur=0.15)

    return change
