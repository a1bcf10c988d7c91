"""VGG16 and VGG19 on one grey channel, all convolutions from ImageNet, with global average pooling and a dense layer.

    Z [n, 1, 224, 224] -> blocks 1-3 -> [n, 256, 28, 28] -> block 4 -> [n, 512, 14, 14] -> block 5 -> A [n, 512, 14, 14]
    logits = W . mean_xy(A) + b         probability = sigmoid(logit)

The mean is taken right behind the last convolution and its ReLU (no pool5), so that sum_k w_k A_k is Grad-CAM exactly.

A VGG19 is VGG16 with one more convolution behind each of blocks 3, 4 and 5. It starts as the identity, which changes
nothing behind a ReLU (Net2DeeperNet, Chen et al. 2016), and is trained with the rest.

Input: Z = (N - MEAN) / STD with N in 0..1. ImageNet's networks take BGR, 0-255 minus a mean for each colour; a grey
film has equal colours, so the first kernel is summed over them and the means go into its bias. Zero padding then means
a grey of MEAN instead of the mean colour in the outermost row."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

LAYERS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
WIDTHS = (64, 128, 256, 512, 512)
CAFFE_MEANS_BGR = (103.939, 116.779, 123.68)
#: Near the mean of the three colours (0.45) and of a film, so that padding is neither black nor white.
MEAN, STD = 0.45, 0.25
FEATURES = 512
#: Output of the frozen blocks for a film of 224 x 224, by how many they are.
LOW = {3: (256, 28, 28), 4: (512, 14, 14)}
#: Index of block 5, which has no pooling.
LAST = 4


class Vgg(nn.Module):
    """``frozen``: how many blocks stay as they are, 3 or 4; ``batch_norm``: for training from scratch."""

    def __init__(self, name: str, findings: int = 1, dropout: float = 0.3, batch_norm: bool = False, frozen: int = 3):
        super().__init__()
        self.name, self.dropout, self.frozen = name, dropout, frozen
        blocks, inputs = [], 1
        for width, layers in zip(WIDTHS, LAYERS[name], strict=True):
            convs = [nn.Conv2d(inputs if i == 0 else width, width, 3, padding=1) for i in range(layers)]
            blocks.append(nn.ModuleList(convs))
            inputs = width
        self.blocks = nn.ModuleList(blocks)
        self.norms = nn.ModuleList(
            nn.ModuleList(nn.BatchNorm2d(c.out_channels) if batch_norm else nn.Identity() for c in block)
            for block in blocks
        )
        self.head = nn.Linear(FEATURES, findings)

    def block(self, x: torch.Tensor, number: int, layers: int | None = None) -> torch.Tensor:
        """The block's first ``layers`` convolutions; all of them by default."""
        for conv, norm in list(zip(self.blocks[number], self.norms[number], strict=True))[:layers]:
            x = F.relu(norm(conv(x)))
        return x

    def low(self, z: torch.Tensor) -> torch.Tensor:
        """The frozen blocks with their poolings, as ImageNet left them: Z -> LOW[frozen]. What a VGG19 has beyond a
        VGG16 is the identity there and is left out."""
        for number in range(self.frozen):
            z = F.max_pool2d(self.block(z, number, LAYERS["vgg16"][number]), 2)
        return z

    def high(self, x: torch.Tensor, first: int | None = None) -> torch.Tensor:
        """The blocks from ``first`` on -> A; by default those that are not frozen."""
        for number in range(self.frozen if first is None else first, LAST):
            x = F.max_pool2d(self.block(x, number), 2)
        return self.block(x, LAST)

    def activation(self, z: torch.Tensor) -> torch.Tensor:
        return self.high(z, 0)

    def classify(self, a: torch.Tensor) -> torch.Tensor:
        return self.head(F.dropout(a.float().mean((2, 3)), self.dropout, self.training))

    def cam(self, a: torch.Tensor) -> torch.Tensor:
        return torch.einsum("nkij,fk->nfij", a.float(), self.head.weight)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.classify(self.activation(z))

    def trained(self) -> list[nn.Parameter]:
        """The blocks that are not frozen, and the dense layer."""
        return [p for part in (*self.blocks[self.frozen :], self.head) for p in part.parameters()]


def kernel_of(stored: Mapping[str, np.ndarray], name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Kernel [out, in, 3, 3] and bias of a convolution of the npz."""
    scale = torch.from_numpy(stored[f"{name}.s"])[:, None, None, None]
    return torch.from_numpy(stored[f"{name}.q"].astype(np.float32)) * scale, torch.from_numpy(stored[f"{name}.b"])


@torch.no_grad()
def start_from_imagenet(net: Vgg, weights: Path, mean: float = MEAN, std: float = STD) -> Vgg:
    """VGG16's convolutions; what a VGG19 has beyond them passes its input on. N = std Z + mean and colour c = 255 N -
    m_c, so the first convolution's kernel is 255 std (sum_c K_c) and its bias b + sum_c K_c (255 mean - m_c)."""
    stored = np.load(weights)
    for number, block in enumerate(net.blocks, 1):
        for layer, conv in enumerate(block, 1):
            if layer > LAYERS["vgg16"][number - 1]:
                conv.weight.copy_(nn.init.dirac_(torch.empty_like(conv.weight)))
                conv.bias.zero_()
                continue
            kernel, bias = kernel_of(stored, f"block{number}_conv{layer}")
            if (number, layer) == (1, 1):
                means = torch.tensor(CAFFE_MEANS_BGR).view(1, 3, 1, 1)
                bias = bias + (kernel * (255 * mean - means)).sum((1, 2, 3))
                kernel = kernel.sum(1, keepdim=True) * 255 * std
            conv.weight.copy_(kernel)
            conv.bias.copy_(bias)
    nn.init.normal_(net.head.weight, std=0.01)
    nn.init.zeros_(net.head.bias)
    return net


def start_from_scratch(net: Vgg) -> Vgg:
    for block in net.blocks:
        for conv in block:
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
            nn.init.zeros_(conv.bias)
    return net
