"""Threads, bfloat16 and seeds of a training process, and resumable checkpoints."""
from __future__ import annotations

import contextlib
import json
import os
import random
import sys
from pathlib import Path

import numpy as np
import torch

from .data import cache_dir, digest


def start(seed: int) -> None:
    """Use every core (or OMP_NUM_THREADS of them) and fix all seeds."""
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1))
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def has_fast_bfloat16() -> bool:
    try:
        return "avx512_bf16" in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False


def device() -> torch.device:
    """The accelerator where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def mixed(enabled: bool = True):
    """bfloat16 arithmetic where the accelerator or the processor has it (two to four times as fast), else a no-op."""
    if enabled and device().type == "cuda":
        return torch.autocast("cuda", dtype=torch.bfloat16)
    if enabled and has_fast_bfloat16():
        return torch.autocast("cpu", dtype=torch.bfloat16)
    return contextlib.nullcontext()


class Run:
    """The checkpoint of one configuration: an interrupted command continues after its last whole epoch."""

    def __init__(self, name: str, config: dict):
        self.config = config
        self.path = cache_dir() / f"{name}-{digest(json.dumps(config, sort_keys=True))}.pt"

    def load(self) -> dict | None:
        if not self.path.exists():
            return None
        state = torch.load(self.path)
        print(f"resuming after epoch {state['epoch']} of {self.path.stem}", flush=True)
        return state

    def stored(self) -> dict:
        """What is there to export: an untrained network must not take the shipped one's place."""
        return self.load() or sys.exit(f"there is no checkpoint of these settings to export: {self.path}")

    def save(self, **state) -> None:
        part = self.path.with_suffix(".part")
        torch.save(state, part)
        part.rename(self.path)


def cosine(step: int, steps: int, warm: int = 0) -> float:
    """Learning-rate factor: linear warm-up, then half a cosine to 0."""
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + float(np.cos(np.pi * (step - warm) / max(1, steps - warm))))
