"""The paper's U-Net: Z [n, 1, 224, 224] in, lung probability logits [n, 1, 224, 224] out.

Five levels of two 3 x 3 convolutions with 1, 2, 4, 8, 16 times the first number of filters, dropout 0.1, 0.1,
0.2, 0.2, 0.3 on the way down and 0.2, 0.2, 0.1, 0.1 on the way up, 2 x 2 transposed convolutions, He-normal
start, a 1 x 1 convolution with a sigmoid at the end. One addition: batch normalisation after each convolution
while training. It is folded into the convolutions before export, so that the shipped graph is the paper's.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

DOWN_DROPOUT = (0.1, 0.1, 0.2, 0.2, 0.3)
UP_DROPOUT = (0.2, 0.2, 0.1, 0.1)


class DoubleConv(nn.Module):
    """Convolution, ReLU, dropout, convolution, ReLU; ``norm*`` become identities when folded."""

    def __init__(self, inputs: int, outputs: int, dropout: float):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.dropout(F.relu(self.norm1(self.conv1(x))))
        return F.relu(self.norm2(self.conv2(x)))


class UNet(nn.Module):
    def __init__(self, filters: int = 16):
        super().__init__()
        self.filters = filters
        widths = [filters * 2**level for level in range(5)]
        inputs = [1, *widths[:4]]
        self.down = nn.ModuleList(DoubleConv(i, o, d) for i, o, d in zip(inputs, widths, DOWN_DROPOUT, strict=True))
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * w, w, 2, stride=2) for w in reversed(widths[:4]))
        self.join = nn.ModuleList(
            DoubleConv(2 * w, w, d) for w, d in zip(reversed(widths[:4]), UP_DROPOUT, strict=True)
        )
        self.out = nn.Conv2d(filters, 1, 1)
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skips = []
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else F.max_pool2d(x, 2))
            skips.append(x)
        for up, join, skip in zip(self.up, self.join, reversed(skips[:-1]), strict=True):
            x = join(torch.cat([up(x), skip], dim=1))
        return self.out(x)


@torch.no_grad()
def fold_batch_norm(net: UNet) -> UNet:
    """In place: w' = w g / sqrt(v + eps), b' = (b - m) g / sqrt(v + eps) + beta. Call in eval mode."""
    for block in [*net.down, *net.join]:
        for conv_name, norm_name in (("conv1", "norm1"), ("conv2", "norm2")):
            conv, norm = getattr(block, conv_name), getattr(block, norm_name)
            if isinstance(norm, nn.Identity):
                continue
            gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            conv.weight.mul_(gain[:, None, None, None])
            conv.bias.copy_((conv.bias - norm.running_mean) * gain + norm.bias)
            setattr(block, norm_name, nn.Identity())
    return net
