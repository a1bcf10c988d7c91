"""Fits the gate (models/gate-cnn): films of the training split against pictures that are none; threshold on the validation split.

    python3 training/fit_gate.py [--epochs 60] [--seed 1]
"""
from __future__ import annotations

import argparse
import subprocess
import sys
import time

import numpy as np
import torch
from torch.nn import functional as F

from hilum_training import augment, manifests, runtime
from hilum_training.arguments import some
from hilum_training.data import ROOT, Dataset, covid_licence_allows, default_data_dir, licence_table, view_licence_allows
from hilum_training.gate_net import GateNet, Shipped
from hilum_training.not_films import KINDS, make, stretched
from hilum_training.other_pictures import dicom_rows, picture_rows, read_dicom, read_picture
from hilum_training.preprocess import normalise_film
from hilum_training.runtime import mixed

SIZE = 112
BATCH = 64
"""Share of the validation films that the gate itself may refuse; the lung check and the view model refuse some besides."""
REFUSED = 0.005
REAL_SHARE = 0.2
DRAWN = 90
"""Nearest to a film, so made three times as often."""
HARD = ("quarter", "crop of half each side", "half film", "blurred", "photograph of a screen", "inverted", "turned 180", "upside down")


def halved(films: np.ndarray) -> np.ndarray:
    """[n, 224, 224] -> [n, 112, 112], means of 2 x 2: the network's first step."""
    return films.reshape(len(films), SIZE, 2, SIZE, 2).mean((2, 4), dtype=np.float32)


def load(data: Dataset, rows) -> np.ndarray:
    films = data.films()
    return np.concatenate([halved(np.asarray(films[[r.index for r in rows[i:i + 256]]])) for i in range(0, len(rows), 256)])


def drawn_films(count: int) -> np.ndarray:
    """The service's own drawn films, which the demonstration and the tests run on: they are to pass."""
    raw = subprocess.run(["node", str(ROOT / "scripts" / "models" / "drawn-films.cjs"), str(count)], check=True, stdout=subprocess.PIPE).stdout
    return halved(np.frombuffer(raw, np.uint8).reshape(count, 2 * SIZE, 2 * SIZE) / np.float32(255))


def others(which: str) -> np.ndarray:
    pictures = [read_dicom(r["path"]) for r in dicom_rows(default_data_dir()) if r["half"] == which]
    pictures += [read_picture(r["path"]) for r in picture_rows() if r["half"] == which]
    return halved(np.stack([normalise_film(p) for p in pictures if p is not None and p.ndim == 2]))


def changed_film(films: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    kinds = [*KINDS, *HARD, *HARD]
    kind = kinds[rng.integers(len(kinds))]
    return make(kind, films[rng.integers(len(films))], rng)


def other(pictures: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A real picture, turned, mirrored, cropped or inverted: none of it makes a chest film of it."""
    a = np.rot90(pictures[rng.integers(len(pictures))], rng.integers(4))[:, :: rng.choice([-1, 1])]
    if rng.random() < 0.4:
        a = make("crop of half each side", np.ascontiguousarray(a), rng)
    return np.ascontiguousarray(1 - a if rng.random() < 0.3 else a, np.float32)


def batch_of(films, laterals, pictures, rng) -> tuple[torch.Tensor, torch.Tensor]:
    half = BATCH // 2
    good = torch.from_numpy(films[rng.integers(0, len(films), half)])[:, None]
    good = augment.warp(good, augment.affine_grid(half, SIZE, rng, 7, 0.08, 0.05, 0.5), "border" if rng.random() < 0.5 else "zeros")
    bad = []
    for _ in range(BATCH - half):
        draw = rng.random()
        bad.append(other(pictures, rng) if draw < REAL_SHARE else laterals[rng.integers(len(laterals))] if draw < REAL_SHARE + 0.05 else changed_film(films, rng))
    x = augment.intensity(torch.cat([good, torch.from_numpy(np.stack(bad))[:, None]]), rng, noise=0.03, blur=0.15)
    return x, torch.cat([torch.zeros(half), torch.ones(BATCH - half)])


@torch.no_grad()
def probabilities(net: GateNet, films: np.ndarray, mean: float, std: float) -> np.ndarray:
    z = (torch.from_numpy(films)[:, None] - mean) / std
    return torch.cat([torch.sigmoid(net(part, halved=True))[:, 0] for part in z.split(256)]).numpy()


def train(net, films, laterals, pictures, mean, std, args) -> None:
    steps = args.epochs * (2 * len(films) // BATCH)
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-3)
    rng, started = np.random.default_rng(args.seed), time.time()
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * runtime.cosine(step, steps, 40)
        x, y = batch_of(films, laterals, pictures, rng)
        with mixed():
            logit = net((x - mean) / std, halved=True)
        loss = F.binary_cross_entropy_with_logits(logit[:, 0].float(), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 50 == 0:
            print(f"step {step}/{steps} loss {loss.item():.4f} {time.time() - started:.0f} s", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=some, default=60)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    runtime.start(args.seed)
    data = Dataset()
    rows = data.select(lambda r: r.split == "train" and not r.lateral and covid_licence_allows(r))
    lateral_rows = data.select(lambda r: r.split == "train" and r.lateral and view_licence_allows(r))
    films, laterals, pictures = load(data, rows), load(data, lateral_rows), others("tune")
    mean, std = round(float(films.mean()), 6), round(float(films.std()), 6)
    print(f"{len(films)} films, {len(laterals)} laterals, {len(pictures)} other pictures", flush=True)
    net = GateNet().train()
    drawn = drawn_films(DRAWN)
    train(net, np.concatenate([films, drawn, drawn]), laterals, pictures, mean, std, args)
    net.eval()
    frontal = probabilities(net, load(data, data.select(lambda r: r.split == "val" and not r.lateral)), mean, std)
    threshold = float(np.quantile(frontal, 1 - REFUSED, method="higher"))
    print(f"validation: {len(frontal)} frontal films, quantiles 50/99/99.5/99.85 %: {np.quantile(frontal, [0.5, 0.99, 0.995, 0.9985])}; threshold {threshold:.6f}", flush=True)
    print(f"drawn films: greatest {probabilities(net, drawn, mean, std).max():.6f}", flush=True)
    tell_kinds(net, data, mean, std, threshold)
    export(net, rows + lateral_rows, mean, std, threshold, len(frontal), args)
    return 0


def tell_kinds(net, data, mean, std, threshold) -> None:
    rng = np.random.default_rng(7)
    films = load(data, data.select(lambda r: r.split == "val" and not r.lateral)[::6])
    for kind in KINDS:
        made = np.stack([make(kind, film, rng) for film in films])
        print(f"  {kind}: {(probabilities(net, made, mean, std) > threshold).mean():.4f} of {len(made)}", flush=True)


def export(net, rows, mean, std, threshold, validation, args) -> None:
    target = manifests.folder("gate")
    target.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(Shipped(net), torch.zeros(1, 1, 224, 224), target / "model.onnx", opset_version=13, input_names=["input"], output_names=["probability"])
    manifests.write("gate", {
        "task": "gate",
        "title": "Frontal chest film or anything else",
        "architecture": "Four strided convolutions on means of 2 x 2 pixels, one 1 x 1 convolution, two dense layers, sigmoid",
        "input": manifests.input_block("film", mean, std),
        "output": {"probability": "probability", "cam": None},
        "classes": [{"label": "upright, whole, frontal chest film"}, {"label": "anything else"}],
        "positive": 1,
        "operatingPoint": {"threshold": round(threshold, 6),
                           "meaning": f"refused at a probability of anything else of at least this; leaves {100 * (1 - REFUSED):.2f} % of {validation} frontal films of the validation split"},
        "camLayer": None,
        "training": manifests.training_block(
            licence_table(rows), args.epochs, args.seed, "python3 training/fit_gate.py",
            "Against each film one picture that is none: a film changed (" + ", ".join(KINDS) + "), a lateral, or a real picture of something else (one half "
            "of the DICOM objects that are no chest films, icons and illustrations of Debian packages). The laterals are Cohen's. A few drawn films of the service's own are among the films, so that the demonstration runs."),
        "licence": "CC BY-NC-SA 4.0 (non-commercial), because some laterals it learnt from are. See ../LICENSE.md.",
        "limitations": [
            "A mirrored film is not told from one that is not.",
            "A film of which one side is inverted, or whose grey values were folded over (solarised), passes in part; neither was among what it learnt from.",
            "Knows the other pictures that it was shown and what is like them; a picture of another kind may pass, if the lung check does not refuse it.",
            "A film that is cut at the apices or the diaphragm by less than half may pass.",
            "Not tried on oblique, lordotic or decubitus views, nor on whole-body films of newborns."],
    })


if __name__ == "__main__":
    sys.exit(main())
