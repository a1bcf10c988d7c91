"""Grad-CAM from PyTorch's gradients: the oracle for the map that the shipped graph computes without any."""
from __future__ import annotations

import numpy as np
import torch

from .vgg import VGG19


def gradcam(net: VGG19, z: torch.Tensor) -> np.ndarray:
    """Z [1, 1, 224, 224] -> sum_k alpha_k A_k before ReLU [14, 14], where A is block5_conv4 and alpha_k the mean
    over x and y of d logit / d A_k (Selvaraju et al., equations 1 and 2)."""
    with torch.no_grad():
        low = net.low(z)
    a = net.activation(low).detach().requires_grad_(True)
    net.classify(a).sum().backward()
    alpha = a.grad.mean((2, 3), keepdim=True)
    return (alpha * a.detach()).sum(1)[0].numpy()
