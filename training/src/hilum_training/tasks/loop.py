"""The loop of a classifier's training: a step is one batch in parts, and a run goes on from its last checkpoint.

Everything random in a step is drawn from a generator that the seed and the step's number make, so a run that was ended
goes on as if it had not been."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from ..runtime import cosine
from .checkpoint import RunFolder

#: (step, generator) -> the losses of the batch's parts, each already weighed by its share of the batch.
Losses = Callable[[int, np.random.Generator], Iterator[torch.Tensor]]


@dataclass
class Loop:
    """``each``: steps of a pass; ``losses`` puts the network into the mode that it is trained in. Each group of the
    optimiser has its highest rate in ``most``."""

    folder: RunFolder
    net: nn.Module
    optimiser: torch.optim.Optimizer
    losses: Losses
    seed: int
    passes: int
    each: int
    step: int = 0
    seconds: float = 0.0

    @property
    def steps(self) -> int:
        return self.passes * self.each

    def fit(self, **facts: Any) -> None:
        """All steps that are left; ``facts`` go into the log. A checkpoint and a line of the log twice a pass."""
        self.resume(**facts)
        half, since, losses = max(1, self.each // 2), time.time(), []
        while self.step < self.steps:
            losses.append(self.one_step())
            if self.step % half == 0 or self.step == self.steps:
                self.seconds, since = self.seconds + time.time() - since, time.time()
                self.save()
                self.folder.tell(
                    step=self.step,
                    steps=self.steps,
                    loss=round(float(np.mean(losses)), 4),
                    minutes=round(self.seconds / 60, 1),
                    minutes_left=round(self.seconds / self.step * (self.steps - self.step) / 60, 1),
                )
                losses = []

    def resume(self, **facts: Any) -> None:
        state = self.folder.load()
        if state is not None:
            self.net.load_state_dict(state["net"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.step, self.seconds = state["step"], state["seconds"]
        event = "started" if state is None else "resumed"
        self.folder.tell(event=event, **facts, step=self.step, steps=self.steps)

    def save(self) -> None:
        state = {"net": self.net.state_dict(), "optimiser": self.optimiser.state_dict()}
        self.folder.save(**state, step=self.step, seconds=self.seconds)

    def one_step(self) -> float:
        rng, total = np.random.default_rng([self.seed, self.step]), 0.0
        torch.manual_seed(self.seed * 1_000_003 + self.step)
        for group in self.optimiser.param_groups:
            group["lr"] = group["most"] * cosine(self.step, self.steps, warm=max(1, self.steps // 10))
        self.optimiser.zero_grad()
        for loss in self.losses(self.step, rng):
            loss.backward()
            total += loss.item()
        self.optimiser.step()
        self.step += 1
        return total
