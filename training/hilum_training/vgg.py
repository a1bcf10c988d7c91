"""VGG19 on one grey channel with global average pooling and one dense layer.

    Z [n, 1, 224, 224] -> blocks 1-3 -> [n, 256, 28, 28] -> block 4 -> pool -> block 5 -> A [n, 512, 14, 14]
    logit = w . mean_xy(A) + b          probability = sigmoid(logit)

The mean is taken right behind block5_conv4 and its ReLU; VGG19's last max-pooling (pool5) and its three dense
layers are left out. So the logit is linear in A, and Grad-CAM (before its ReLU) is exactly
sum_k w_k A_k / (14 * 14): ``cam`` below without the constant factor.

Blocks 1-3 hold ImageNet weights (Visual Geometry Group, CC BY 4.0). No ImageNet weights of blocks 4-5 were to be
had. They start as identities: a Dirac kernel passes block 3's features on unchanged, since they are >= 0 behind a
ReLU, and half of block 4's first outputs are He-normal features beside them. So the dense layer alone, fitted on the
mean activations, already has block 3's quality; training blocks 4-5 (``--epochs``) starts from there.
"""
from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from .quantise import StraightThrough, rounded

WIDTHS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
CAFFE_MEANS_BGR = (103.939, 116.779, 123.68)
NOISE = 0.1


class Block(nn.Module):
    """3 x 3 convolutions with ReLU; ``eight_bit`` rounds the weights as they will be shipped."""

    def __init__(self, inputs: int, outputs: int, layers: int):
        super().__init__()
        widths = [inputs] + [outputs] * layers
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in zip(widths, widths[1:]))
        self.eight_bit = False

    def forward(self, x):
        for conv in self.convs:
            weight = StraightThrough.apply(conv.weight) if self.eight_bit else conv.weight
            x = F.relu(F.conv2d(x, weight, conv.bias, padding=1), inplace=True)
        return x


class VGG19(nn.Module):
    def __init__(self):
        super().__init__()
        inputs = [1, *(width for width, _ in WIDTHS[:4])]
        self.blocks = nn.ModuleList(Block(i, width, layers) for i, (width, layers) in zip(inputs, WIDTHS))
        self.head = nn.Linear(512, 1)
        self.register_buffer("temperature", torch.ones(()))

    def eight_bit(self, on: bool) -> "VGG19":
        for block in self.blocks:
            block.eight_bit = on
        return self

    def low(self, z):
        """Blocks 1-3 and their poolings: [n, 1, 224, 224] -> [n, 256, 28, 28]."""
        for block in self.blocks[:3]:
            z = F.max_pool2d(block(z), 2)
        return z

    def activation(self, x):
        """Blocks 4-5: [n, 256, 28, 28] -> A [n, 512, 14, 14], the activation of block5_conv4."""
        return self.blocks[4](F.max_pool2d(self.blocks[3](x), 2))

    def classify(self, a):
        """A -> logit [n, 1], divided by the calibration temperature."""
        return self.head(a.float().mean((2, 3))) / self.temperature

    def cam(self, a):
        """A -> class activation map before ReLU [n, 14, 14] = sum_k w_k A_k / temperature."""
        return torch.einsum("nkij,k->nij", a, self.head.weight[0]) / self.temperature

    def forward(self, z):
        return self.classify(self.activation(self.low(z)))


@torch.no_grad()
def start_from_imagenet(net: VGG19, weights: Path, mean: float, std: float, seed: int) -> VGG19:
    """Blocks 1-3 from the npz (Keras names, HWIO, BGR, 0-255 minus means), blocks 4-5 as identities.

    A grey film shown as RGB has equal colours, so conv1_1's kernels are summed over them. With
    N = std Z + mean and colour c = 255 N - m_c:  sum_c K_c (255 N - m_c) + b = 255 std (sum_c K_c) Z + b'.
    Zero padding then means mean grey instead of the ImageNet mean colour in the outermost row and column.
    """
    stored = np.load(weights)
    for number, block in enumerate(net.blocks[:3], 1):
        for layer, conv in enumerate(block.convs, 1):
            kernel = torch.from_numpy(stored[f"block{number}_conv{layer}/kernel"]).permute(3, 2, 0, 1)
            bias = torch.from_numpy(stored[f"block{number}_conv{layer}/bias"])
            if (number, layer) == (1, 1):
                means = torch.tensor(CAFFE_MEANS_BGR).view(1, 3, 1, 1)
                bias = bias + (kernel * (255 * mean - means)).sum((1, 2, 3))
                kernel = kernel.sum(1, keepdim=True) * 255 * std
            conv.weight.copy_(kernel)
            conv.bias.copy_(bias)
    generator = torch.Generator().manual_seed(seed)
    for number, block in enumerate(net.blocks[3:], 4):
        for layer, conv in enumerate(block.convs, 1):
            start_as_identity(conv, generator, new=(number, layer) == (4, 1))
            conv.weight.copy_(rounded(conv.weight))  # start on the 8-bit grid: what is not trained loses nothing later
    return net


def start_as_identity(conv: nn.Conv2d, generator: torch.Generator, new: bool) -> None:
    """Dirac kernels plus a little He-normal noise; ``new``: outputs beyond the inputs are He-normal in full."""
    he = (2.0 / (conv.in_channels * 9)) ** 0.5
    conv.weight.copy_(torch.randn(conv.weight.shape, generator=generator) * he * NOISE)
    if new:
        conv.weight[conv.in_channels:].mul_(1 / NOISE)
    for channel in range(min(conv.in_channels, conv.out_channels)):
        conv.weight[channel, channel, 1, 1] += 1
    conv.bias.zero_()


@torch.no_grad()
def rescale_block3(net: VGG19, features: torch.Tensor) -> None:
    """Bring block 3's output to mean square 1 by scaling block3_conv4; exact, because ReLU and max-pooling
    pass a positive factor through. ``features``: block-3 output [n, 256, 28, 28] of a sample of films."""
    factor = 1 / features.float().pow(2).mean().sqrt()
    last = net.blocks[2].convs[3]
    last.weight.mul_(factor)
    last.bias.mul_(factor)
