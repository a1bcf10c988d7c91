"""The gate: a small convolutional network on N, probability that a picture is no upright, whole, frontal chest film."""
from __future__ import annotations

import torch
from torch import nn

WIDTHS = (16, 32, 48, 64)


class GateNet(nn.Module):
    """Z [n, 1, 224, 224] -> logit [n, 1]. ``halved`` leaves out the first mean of 2 x 2 pixels for input of half the size."""

    def __init__(self):
        super().__init__()
        layers, before = [], 1
        for i, width in enumerate(WIDTHS):
            kernel = 5 if i == 0 else 3
            layers += [nn.Conv2d(before, width, kernel, stride=2, padding=kernel // 2, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            before = width
        self.features = nn.Sequential(*layers, nn.Conv2d(before, 16, 1), nn.ReLU(), nn.Flatten(), nn.Dropout(0.3))
        self.head = nn.Sequential(nn.Linear(16 * 7 * 7, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, z: torch.Tensor, halved: bool = False) -> torch.Tensor:
        x = z if halved else nn.functional.avg_pool2d(z, 2)
        return self.head(self.features(x))


class Shipped(nn.Module):
    """What is exported: the probability."""

    def __init__(self, net: GateNet):
        super().__init__()
        self.net = net

    def forward(self, z):
        return torch.sigmoid(self.net(z))
