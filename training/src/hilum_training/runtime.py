"""Threads, memory, bfloat16 and seeds of a training process."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import random
from pathlib import Path

import numpy as np
import torch

#: glibc's M_TRIM_THRESHOLD, M_TOP_PAD and M_MMAP_MAX, and what they become.
KEPT_MEMORY = {-1: 2**31 - 1, -2: 2**28, -4: 0}


def start(seed: int) -> None:
    """Use every core (or OMP_NUM_THREADS of them), keep freed memory, and fix all seeds."""
    keep_memory()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1))
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def keep_memory() -> bool:
    """Where the C library is glibc: memory that is freed stays with the process; whether it is."""
    if platform.libc_ver()[0] != "glibc":
        return False
    # A step's tensors are big enough to be mapped and given back each time; kept, a Lite0 step takes a quarter less
    # time.
    libc = ctypes.CDLL(None)
    return all(libc.mallopt(parameter, value) == 1 for parameter, value in KEPT_MEMORY.items())


def has_fast_bfloat16() -> bool:
    try:
        return "avx512_bf16" in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False


def device() -> torch.device:
    """The accelerator where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def mixed(enabled: bool = True) -> contextlib.AbstractContextManager:
    """bfloat16 arithmetic where the accelerator or the processor has it (two to four times as fast), else a no-op."""
    if enabled and device().type == "cuda":
        return torch.autocast("cuda", dtype=torch.bfloat16)
    if enabled and has_fast_bfloat16():
        return torch.autocast("cpu", dtype=torch.bfloat16)
    return contextlib.nullcontext()


def cosine(step: int, steps: int, warm: int = 0) -> float:
    """Learning-rate factor: linear warm-up, then half a cosine to 0."""
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + float(np.cos(np.pi * (step - warm) / max(1, steps - warm))))
