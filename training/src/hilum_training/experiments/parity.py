"""test/fixtures/parity: a drawn film and what this side makes of it, for the service's parity test.

Files (all little-endian, row by row):

    film.u8            the film's pixels, uint8 [260, 300]; drawn here, from no data set
    spoilt.u8          the same at half its brightness, with a white border, a bright pixel and a dead row, uint8
    spoilt.n.f32       N of that, float32 [224, 224]
    <model id>.z.f32   the network's input, float32 [regions, 224, 224]
    lungs.u8           the cleaned lung mask, uint8 0 or 1 [224, 224]
    cam.f32            the classifier's class activation maps before ReLU, float32 [heads, regions, 14, 14]
    gradcam.f32        the same from PyTorch's gradients (Grad-CAM before ReLU), float32 [heads, regions, 14, 14]
    parity.json        shapes, model digests, probabilities and plausibility figures
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from scipy.special import expit

from ..data import ROOT
from ..data.crops import box_around, cut
from ..data.preprocess import clean_mask, lungs_only, normalise_film, standardise
from ..export import plausibility
from ..export.onnx_torch import Network

TARGET = ROOT / "test" / "fixtures" / "parity"
HEIGHT, WIDTH = 260, 300


def drawn_film(seed: int = 7) -> np.ndarray:
    """A chest-like drawing, uint8 [260, 300]: bright body, two dark lungs with ribs, a heart, grain."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)

    def ellipse(cx: float, cy: float, rx: float, ry: float) -> np.ndarray:
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


def part_of(n: np.ndarray, mask: np.ndarray, region: str, fill: float) -> np.ndarray:
    """What a network sees of N [224, 224]."""
    if region == "box":
        return cut(n, box_around(mask))
    if region in ("lungs", "removed"):
        return lungs_only(n, mask if region == "lungs" else ~mask, fill)
    return n


def tensor_of(block: dict, n: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Z float32 [regions, 224, 224] by the manifest's ``input``."""
    regions = [block["region"]] if isinstance(block["region"], str) else block["region"]
    parts = [part_of(n, mask, region, block["fill"]) for region in regions]
    return np.stack([standardise(part, block["mean"], block["std"]) for part in parts])


def gradcam(net: Network, z: torch.Tensor, logits: str, head: int) -> np.ndarray:
    """Z [regions, 1, 224, 224] -> maps [regions, cells, cells].

    sum_k alpha_k A_k times the number of cells, alpha_k the mean over x and y of d logit / d A_k (Selvaraju et al.,
    equations 1 and 2), summed over the networks of a mean. A mirror image's map is turned back.
    """
    names = net.activations()
    values = net.run(z, leaves=names)
    gradients = torch.autograd.grad(values[logits].flatten()[head], [values[name] for name in names])
    total = torch.zeros(())
    for name, gradient in zip(names, gradients, strict=True):
        a = values[name].detach()
        maps = (gradient.mean((2, 3), keepdim=True) * a).sum(1) * a.shape[2] * a.shape[3]
        regions = len(z)
        total = total + (maps if len(maps) == regions else maps[:regions] + maps[regions:].flip(2))
    return total.numpy().astype(np.float32)


def classified(net: Network, manifest: dict, z: torch.Tensor, target: Path) -> dict:
    """Probabilities of a classifier, and its maps by the graph and by gradients."""
    heads, cam = len(manifest.get("heads", [1])), manifest["output"]["cam"]
    logits = manifest["output"].get("logits", "logit")
    with torch.no_grad():
        values = net.run(z)
    maps = values[cam].reshape(len(z), heads, *values[cam].shape[-2:]).numpy()
    maps.transpose(1, 0, 2, 3).tofile(target / "cam.f32")
    np.stack([gradcam(net, z, logits, head) for head in range(heads)]).tofile(target / "gradcam.f32")
    return {
        "probability": values[manifest["output"]["probability"]].flatten().tolist(),
        "logits": values[logits].flatten().tolist(),
        "cam": "cam.f32",
        "gradcam": "gradcam.f32",
    }


def write(models: Path, ids: Sequence[str], target: Path = TARGET) -> dict:
    """The fixture of the model folders ``ids`` under ``models``, one of which finds the lungs; returns the record."""
    target.mkdir(parents=True, exist_ok=True)
    manifests = {name: json.loads((models / name / "manifest.json").read_text(encoding="utf-8")) for name in ids}
    nets = {name: Network(models / name / "model.onnx") for name in ids}
    film = drawn_film()
    film.tofile(target / "film.u8")
    n = normalise_film(film)
    spoilt(film).tofile(target / "spoilt.u8")
    normalise_film(spoilt(film)).tofile(target / "spoilt.n.f32")

    lungs = next(name for name in ids if manifests[name]["task"] == "lungs")
    z = torch.from_numpy(tensor_of(manifests[lungs]["input"], n, np.ones_like(n, bool)))[:, None]
    with torch.no_grad():
        probability = nets[lungs].run(z)["probability"][0, 0].numpy()
    mask = clean_mask(probability)
    mask.astype(np.uint8).tofile(target / "lungs.u8")
    figures = plausibility.describe(probability)
    reasons = plausibility.reasons(figures, manifests[lungs]["plausibility"])
    record: dict = {
        "film": {"file": "film.u8", "rows": HEIGHT, "columns": WIDTH},
        "models": {},
        "lungs": {"file": "lungs.u8", "figures": figures, "reasons": reasons},
    }
    for name, manifest in manifests.items():
        seen = tensor_of(manifest["input"], n, mask)
        seen.tofile(target / f"{name}.z.f32")
        entry = {"task": manifest["task"], "sha256": manifest["sha256"], "tensor": f"{name}.z.f32"}
        z = torch.from_numpy(seen)[:, None]
        if manifest["task"] == "lungs":
            entry["meanProbability"] = float(probability.mean(dtype=np.float64))
        elif manifest["output"]["cam"] is not None and manifest["task"] == "classification":
            entry |= classified(nets[name], manifest, z, target)
        else:
            with torch.no_grad():
                entry["probability"] = nets[name].run(z)[manifest["output"]["probability"]].flatten().tolist()
        record["models"][name] = entry
    (target / "parity.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return record
