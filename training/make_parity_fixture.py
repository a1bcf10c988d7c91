#!/usr/bin/env python3
"""Write test/fixtures/parity: a drawn film and what the Python side makes of it, for the service's parity test.

Files (all little-endian, row by row):
  film.u8            the film's pixels, uint8 [260, 300]; drawn here, from no data set
  spoilt.u8          the same at half its brightness, with a white border, a bright pixel and a dead row, uint8
  spoilt.n.f32       N of that, float32 [224, 224]
  <model id>.z.f32   the network's input tensor after preprocessing, float32 [224, 224]
  lungs.u8           the cleaned lung mask, uint8 0 or 1 [224, 224]
  cam.f32            the covid model's class activation map before ReLU, float32 [14, 14]
  gradcam.f32        the same from PyTorch's gradients (Grad-CAM before ReLU), times 14 * 14, float32 [14, 14]
  parity.json        shapes, model digests, logits, probabilities and plausibility figures
"""
from __future__ import annotations

import argparse
import json

import hilum_training  # noqa: F401 - first, it sets how OpenMP waits
import numpy as np
import torch
from scipy.special import expit

from hilum_training import manifests, plausibility
from hilum_training.data import ROOT
from hilum_training.gradcam import gradcam
from hilum_training.lung_export import lung_probability
from hilum_training.onnx_export import load_unet
from hilum_training.preprocess import clean_mask, lungs_only, normalise_film, standardise
from hilum_training.runtime import start
from hilum_training.shipped import load_shipped

TARGET = ROOT / "test" / "fixtures" / "parity"
HEIGHT, WIDTH = 260, 300


def drawn_film(seed: int = 7) -> np.ndarray:
    """A chest-like drawing, uint8 [260, 300]: bright body, two dark lungs with ribs, a heart, grain."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)

    def ellipse(cx, cy, rx, ry):
        return expit(-18 * (((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 - 1))

    body = 60 + 130 * ellipse(150, 150, 138, 150)
    lungs = np.maximum(ellipse(92, 135, 46, 92), ellipse(208, 135, 44, 92))
    heart = ellipse(168, 182, 44, 46)
    ribs = 14 * np.maximum(0, np.sin(y / 9.5 + np.abs(x - 150) / 40))
    film = body - 125 * lungs * (1 - heart) + ribs * lungs + 25 * ellipse(150, 130, 13, 140)
    return np.clip(film + rng.normal(0, 4, film.shape), 3, 250).round().astype(np.uint8)


def spoilt(film: np.ndarray) -> np.ndarray:
    """What must not set the scale: padding that nobody declared, a bright and some dark elements."""
    spoilt_film = 40 + film // 2
    spoilt_film[131, 77] = 230
    spoilt_film[200] = 0
    for side in (np.s_[:12], np.s_[-12:], np.s_[:, :12], np.s_[:, -12:]):
        spoilt_film[side] = 255
    return spoilt_film


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    start(1)
    TARGET.mkdir(parents=True, exist_ok=True)
    film = drawn_film()
    film.tofile(TARGET / "film.u8")
    n = normalise_film(film)
    spoilt(film).tofile(TARGET / "spoilt.u8")
    normalise_film(spoilt(film)).tofile(TARGET / "spoilt.n.f32")
    record = {"film": {"file": "film.u8", "rows": HEIGHT, "columns": WIDTH}, "models": {}}

    shape = manifests.read("lungs")
    probability = lung_probability(load_unet(manifests.folder("lungs") / "model.onnx"), n[None],
                                   shape["input"]["mean"], shape["input"]["std"])[0]
    mask = clean_mask(probability)
    mask.astype(np.uint8).tofile(TARGET / "lungs.u8")
    figures = plausibility.describe(probability)
    record["lungs"] = {"file": "lungs.u8", "figures": figures,
                       "reasons": plausibility.reasons(figures, shape["plausibility"])}
    for task in ("view", "lungs", "covid"):
        manifest = manifests.read(task)
        block = manifest["input"]
        z = standardise(lungs_only(n, mask) if block["region"] == "lungs" else n, block["mean"], block["std"])
        z.tofile(TARGET / f"{manifest['id']}.z.f32")
        entry = {"sha256": manifest["sha256"], "tensor": f"{manifest['id']}.z.f32"}
        if task == "lungs":
            entry["meanProbability"] = float(probability.mean(dtype=np.float64))
        else:
            net = load_shipped(task)
            with torch.no_grad():
                a = net.activation(net.low(torch.from_numpy(z)[None, None]))
                entry["logit"] = float(net.classify(a))
                entry["probability"] = float(torch.sigmoid(net.classify(a).double()))
                cam = net.cam(a)[0].numpy()
            if task == "covid":
                cam.tofile(TARGET / "cam.f32")
                (196 * gradcam(net, torch.from_numpy(z)[None, None])).astype(np.float32).tofile(TARGET / "gradcam.f32")
                entry |= {"cam": "cam.f32", "gradcam": "gradcam.f32"}
        record["models"][manifest["id"]] = entry
    (TARGET / "parity.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(record, indent=2))


if __name__ == "__main__":
    main()
