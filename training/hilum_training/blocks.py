"""Blocks 4-5 of VGG19 trained behind the frozen ImageNet blocks 1-3: He start, batch normalisation, on cached block-3 output."""
from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from .classifier import tensor
from .runtime import cosine, mixed

BATCH = 32
WIDTH = 512
MIX = 0.3  # of the beta distribution that two films are mixed by
SOFT = 0.02  # labels are 0.02 and 0.98


class Blocks(nn.Module):
    """[n, 256, 28, 28] -> logit [n]."""

    def __init__(self, dropout: float):
        super().__init__()
        self.four, self.five, self.head, self.dropout = block(256), block(WIDTH), nn.Linear(WIDTH, 1), dropout

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        a = self.five(F.max_pool2d(self.four(x), 2))
        return self.head(F.dropout(a.float().mean((2, 3)), self.dropout, self.training))[:, 0]


def block(inputs: int) -> nn.Sequential:
    layers = []
    for width in (inputs, WIDTH, WIDTH, WIDTH):
        conv = nn.Conv2d(width, WIDTH, 3, padding=1, bias=False)
        nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        layers += [conv, nn.BatchNorm2d(WIDTH), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def optimiser(net: Blocks, rate: float, decay: float) -> torch.optim.Optimizer:
    """Weight decay on the kernels only."""
    kernels, others = ([p for p in net.parameters() if (p.dim() > 1) == kernel] for kernel in (True, False))
    return torch.optim.AdamW([{"params": kernels, "weight_decay": decay}, {"params": others, "weight_decay": 0}], lr=rate)


def epoch(net: Blocks, optimiser, copies: list[np.ndarray], labels: np.ndarray, chance: np.ndarray, number: int, args) -> float:
    """One epoch of ``args.draws`` films, each drawn by ``chance`` from one of the augmented ``copies``; returns the mean loss."""
    rng, total, steps = np.random.default_rng([args.seed, number]), 0.0, args.draws // BATCH
    net.train()
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = args.rate * cosine(number * steps + step, args.epochs * steps, warm=20)
        picks, versions = rng.choice(len(labels), BATCH, p=chance), rng.integers(0, len(copies), BATCH)
        x = tensor(np.stack([copies[v][p] for v, p in zip(versions, picks)]))
        y = torch.from_numpy(labels[picks].astype(np.float32))
        x, y = mixed_up(x, y, rng)
        with mixed():
            z = net(x.contiguous(memory_format=torch.channels_last))
        value = F.binary_cross_entropy_with_logits(z.float(), y * (1 - 2 * SOFT) + SOFT)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        total += value.item()
    return total / steps


def mixed_up(x: torch.Tensor, y: torch.Tensor, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Mirrored by chance, strength of the features changed a little, each film mixed with another (mixup)."""
    if rng.random() < 0.5:
        x = x.flip(3)
    x = x * torch.from_numpy(np.exp(rng.uniform(-0.2, 0.2, (len(y), 1, 1, 1))).astype(np.float32))
    share, other = float(rng.beta(MIX, MIX)), torch.from_numpy(rng.permutation(len(y)))
    return share * x + (1 - share) * x[other], share * y + (1 - share) * y[other]


@torch.no_grad()
def logits(net: Blocks, features: np.ndarray) -> np.ndarray:
    """Logit of every film, float64 [n]."""
    net.eval()
    out = []
    for i in range(0, len(features), BATCH):
        with mixed():
            out.append(net(tensor(features[i:i + BATCH])).double().numpy())
    return np.concatenate(out)
