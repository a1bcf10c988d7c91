"""A quantised model as it is shipped: the dense layer put in, the graph written."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from .qdq import export_qdq
from .vgg import VGG19


@torch.no_grad()
def put_head(net: VGG19, weight: np.ndarray, bias: float) -> VGG19:
    """The dense layer of ``net`` becomes logit = weight . features + bias; the calibration is folded in already."""
    net.head.weight.copy_(torch.from_numpy(weight)[None].float())
    net.head.bias.fill_(float(bias))
    net.temperature.fill_(1.0)
    return net


def write_qdq(net: VGG19, path: Path, name: str, maxima: dict, mean: float, std: float) -> None:
    export_qdq(net, path, name, maxima, ((0 - mean) / std, (1 - mean) / std))


def quantisation(films: int, percentile: float, seed: int) -> dict:
    """The manifest's word on how the graph was quantised."""
    return {"kind": "QDQ, weights int8 per output channel, activations uint8", "weightBits": 8, "percentile": percentile,
            "films": films, "split": "train", "seed": seed}
