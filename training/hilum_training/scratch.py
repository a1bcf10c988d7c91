"""VGG16 and VGG19 from scratch: He start, batch normalisation while training, global average pooling, one dense layer.

No ImageNet weights of VGG16 were to be had, so that the paper's comparison of the two is made with neither having any.
"""
from __future__ import annotations

import torch
from torch import nn

LAYERS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
WIDTHS = (64, 128, 256, 512, 512)


class Scratch(nn.Module):
    def __init__(self, name: str):
        super().__init__()
        parts, inputs = [], 1
        for number, (width, layers) in enumerate(zip(WIDTHS, LAYERS[name])):
            if number:
                parts.append(nn.MaxPool2d(2))
            for _ in range(layers):
                conv = nn.Conv2d(inputs, width, 3, padding=1, bias=False)
                nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
                parts += [conv, nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
                inputs = width
        self.body, self.head = nn.Sequential(*parts), nn.Linear(512, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """N [n, 1, s, s] -> logits [n]."""
        return self.head(self.body(x).float().mean((2, 3)))[:, 0]
