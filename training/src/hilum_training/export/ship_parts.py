"""The other folders: first check, lungs, the audit's network, and the paper's two VGG19s."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ..data import Dataset, Row, cache_dir, licence_table
from ..data.crops import Crops
from ..data.partition import frontal
from ..data.preprocess import SIZE, clean_mask
from ..data.terms import TERMS, research
from ..metrics import dice
from ..nets.lite0 import MEAN, STD
from ..nets.unet import UNet, fold_batch_norm
from ..nets.vgg import MEAN as VGG_MEAN
from ..nets.vgg import STD as VGG_STD
from ..nets.vgg import Vgg
from ..tasks.check import CLASSES, FRONTAL, LATERAL, CheckRun, refusal
from ..tasks.checkpoint import RunFolder
from ..tasks.lungs import LungsRun, mask_of
from ..tasks.vgg import COPIES, VggRun, cell_rows, is_positive
from ..tasks.vgg import LATERAL as VIEW
from . import manifests, plausibility, unet_onnx, vgg_onnx
from .calibration import platt
from .lite0_onnx import export_answers, ranges
from .operating_points import operating_points
from .outputs import films_of, outputs
from .ship import (
    LABELS,
    LICENCES,
    LIMITATIONS,
    PERCENTILE,
    SEED,
    SENSITIVITY,
    VERSION,
    calibration_films,
    drawn_evenly,
    finished_run,
    lite0_of,
)

#: Share of the validation split's frontal films that the first check itself may refuse.
REFUSED = 0.005
WORDS = {
    "frontal": "whole, upright, frontal chest film",
    "lateral": "lateral chest film",
    "other": "no chest film",
    "inverted": "chest film with inverted grey values",
    "turned": "chest film that does not lie upright",
    "partial": "part of a chest film",
    "unreadable": "chest film too blurred or noisy to read",
}
QUANTISATION = {
    "kind": "QDQ, weights int8 per output channel, activations uint8",
    "weightBits": 8,
    "percentile": PERCENTILE,
    "split": "train",
    "seed": SEED,
}


def check_probabilities(model: Path, crops: Crops, rows: Sequence[Row]) -> np.ndarray:
    return answers(model, films_of(crops, rows, "film"))


def answers(model: Path, films: np.ndarray) -> np.ndarray:
    """Probabilities [n, 7] of uint8 films."""
    return outputs(model, [(films, MEAN, STD)], {"answers": len(CLASSES)})["answers"].astype(np.float64)


def ship_check(gate: Path, view: Path, data: Dataset, crops: Crops, run: CheckRun, command: str) -> tuple[dict, dict]:
    """One network in two folders: as the gate it gives ``unlike``, as the view ``lateral``; ``answers`` says which of
    the seven it is."""
    finished = finished_run(run, data)
    net, trained = lite0_of(finished, len(CLASSES), dense=False), [data.rows[i] for i in finished.facts()["trained"]]
    found = ranges(net, calibration_films(crops, [r for r in trained if not r.lateral], ("film",)), PERCENTILE)
    weight, bias = net.head.weight.detach().numpy(), net.head.bias.detach().numpy()
    export_answers(net, gate / "model.onnx", "first-check", weight, bias, FRONTAL, LATERAL, found)
    # The same file: where both folders have one digest the service runs the network once.
    shutil.copyfile(gate / "model.onnx", view / "model.onnx")
    val = data.select(lambda r: frontal(r) and r.split == "val" and research(r))
    threshold = float(
        np.quantile(refusal(check_probabilities(gate / "model.onnx", crops, val)), 1 - REFUSED, method="higher")
    )
    common = {
        "architecture": "EfficientNet-Lite0 on one grey channel, global average pooling, one dense layer, "
        "softmax over seven answers",
        "input": manifests.input_block("film", MEAN, STD),
        "answers": [{"name": name, "label": WORDS[name]} for name in CLASSES],
        "positive": 1,
        "camLayer": None,
        "training": manifests.training_block(
            licence_table(trained),
            run.passes,
            run.seed,
            command,
            "From ImageNet weights (EfficientNet-Lite0, Apache 2.0). Of each batch three eighths frontal "
            "films, three sixteenths laterals, an eighth real pictures of something else (DICOM objects that are "
            "no chest films, icons and illustrations of Debian packages), the rest films changed in one of "
            "the ways of not_films.py.",
        ),
        "quantisation": QUANTISATION,
        "metrics": {},
        "licence": LICENCES[run.terms],
        "limitations": [
            "A mirrored film is not told from one that is not.",
            f"Learnt from {sum(r.lateral for r in trained)} laterals of one collection.",
            "Knows the other pictures that it was shown and what is like them; a picture of another kind "
            "may pass, if the lung check does not refuse it.",
            "Not tried on oblique, lordotic or decubitus views, nor on whole-body films of newborns.",
        ],
    }
    refuse = {
        "task": "gate",
        "title": "Chest film, or why it is not judged",
        "output": {"probability": "unlike", "cam": None, "answers": "answers"},
        "classes": [{"label": "whole, upright chest film, frontal or lateral"}, {"label": "anything else"}],
        "operatingPoint": {
            "threshold": round(threshold, 6),
            "meaning": "refused from here on: the sum of all answers but frontal and lateral; the reason is "
            "the most likely of them. "
            f"Leaves {1 - REFUSED:.1%} of {len(val)} frontal films of the validation split",
        },
    }
    side = {
        "task": "view",
        "title": "Frontal or lateral chest film",
        "output": {"probability": "lateral", "cam": None, "answers": "answers"},
        "classes": [{"label": "frontal"}, {"label": "lateral"}],
        "operatingPoint": {"threshold": 0.5, "meaning": "lateral from here on: its share of frontal and lateral"},
    }
    both = common | refuse, common | side
    for folder, manifest in zip((gate, view), both, strict=True):
        manifests.write_folder(folder, manifest, VERSION)
    return both


def float_unet(finished: RunFolder) -> tuple[UNet, dict]:
    facts = finished.facts()
    net = UNet(facts["filters"])
    net.load_state_dict(finished.weights())
    return fold_batch_norm(net.eval()), facts


def lung_probabilities(model: Path, crops: Crops, rows: Sequence[Row], mean: float, std: float) -> np.ndarray:
    found = outputs(model, [(films_of(crops, rows, "film"), mean, std)], {"probability": SIZE * SIZE})
    return found["probability"].reshape(-1, SIZE, SIZE)


def dices(data: Dataset, rows: Sequence[Row], probability: np.ndarray) -> np.ndarray:
    return np.array([dice(clean_mask(p), mask_of(data, r)[0] > 127) for p, r in zip(probability, rows, strict=True)])


def ship_lungs(folder: Path, data: Dataset, crops: Crops, run: LungsRun, command: str, bound_films: int = 1200) -> dict:
    """In 8 bits; the plausibility bounds come from the 8-bit graph."""
    net, facts = float_unet(finished_run(run, data))
    trained = [data.rows[i] for i in facts["trained"]]
    mean, std = facts["mean"], facts["std"]
    train = data.select(lambda r: frontal(r) and r.split == "train" and TERMS[run.terms](r))
    films = films_of(crops, drawn_evenly(train, 48), "film").astype(np.float32) / np.float32(255)
    found = unet_onnx.ranges(net, (torch.from_numpy(films)[:, None] - mean) / std, PERCENTILE)
    unet_onnx.export_unet_qdq(net, folder / "model.onnx", folder.name, found, mean, std)
    real = drawn_evenly(train, bound_films)
    limits = plausibility.bounds(
        [plausibility.describe(p) for p in lung_probabilities(folder / "model.onnx", crops, real, mean, std)]
    )
    heartless = sum(bool(r.heartless_mask_path) for r in trained)
    manifest = {
        "task": "lungs",
        "title": f"Lung fields, U-Net with {run.filters} first filters",
        "architecture": f"U-Net, 5 levels, {run.filters} to {16 * run.filters} filters; batch normalisation folded",
        "input": manifests.input_block("film", mean, std),
        "output": {"probability": "probability", "cam": None},
        "classes": [
            {"label": "background"},
            {"label": "lung", "code": {"value": "39607008", "scheme": "SCT", "meaning": "Lung"}},
        ],
        "positive": 1,
        "operatingPoint": {"threshold": 0.5, "meaning": "a pixel is lung at a probability of 0.5 or more"},
        "mask": manifests.mask_block(),
        "plausibility": limits
        | {
            "rule": "A film's lung mask is implausible if any of the four figures is outside its bounds. "
            "Bounds: 0.1 to 99.9 percentile over real frontal films of the "
            "train split, widened (fraction and side by a tenth, mean probability by 1 %); components up "
            f"to the most seen. {len(real)} films."
        },
        "camLayer": None,
        "quantisation": QUANTISATION,
        "training": manifests.training_block(
            licence_table(trained),
            run.coarse + run.fine,
            run.seed,
            command,
            f"{run.coarse} passes at 112 x 112, {run.fine} at 224 x 224; binary cross-entropy plus Dice; "
            f"Adam, {run.rate} falling along a cosine. Targets: manual masks of Montgomery and Shenzhen, and "
            f"radiologists' lungs of {heartless} diseased adults without heart and mediastinum (annotations "
            "CC BY 4.0); V7 polygons, which include the lung behind the heart, as partial labels.",
        ),
        "metrics": {},
        "licence": LICENCES["research"],
        "limitations": [
            "The lung behind the heart and the diaphragm's dome is not part of the mask.",
            "Children's masks were only learnt from partial labels.",
            "Dense consolidation, effusion or a missing lung can be left out of the mask.",
        ],
    }
    manifests.write_folder(folder, manifest, VERSION)
    return manifest


def vgg_probabilities(model: Path, crops: Crops, rows: Sequence[Row], region: str) -> np.ndarray:
    films = films_of(crops, rows, "film", region), VGG_MEAN, VGG_STD
    return outputs(model, [films], {"probability": 1})["probability"][:, 0].astype(np.float64)


def ship_vgg(folder: Path, data: Dataset, crops: Crops, run: VggRun, title: str, command: str) -> dict:
    """The paper's classifier on the lungs, or its view model: one region, one answer, so the manifest has no heads."""
    finished = finished_run(run, data)
    facts, net = finished.facts(), Vgg(run.net)
    net.load_state_dict(finished.weights())
    net.eval()
    trained = [data.rows[i] for i in facts["trained"]]

    def films(rows: Sequence[Row]) -> tuple[np.ndarray, float, float]:
        return films_of(crops, rows, "film", run.region), VGG_MEAN, VGG_STD

    z = (
        torch.from_numpy(films(drawn_evenly(trained, 24))[0].astype(np.float32) / np.float32(255))[:, None] - VGG_MEAN
    ) / VGG_STD
    found = vgg_onnx.maxima(net, z, PERCENTILE)
    weight, bias = net.head.weight.detach().numpy()[0], float(net.head.bias.detach())
    plain = cache_dir() / "uncalibrated" / run.name / "model.onnx"
    vgg_onnx.export_vgg(net, plain, folder.name, weight, bias, found)
    val = [r for r in cell_rows(data, run, "val") if TERMS[run.terms](r)]
    labels = np.array([is_positive(r, run.positive) for r in val])
    calibration = platt(outputs(plain, [films(val)], {"logit": 1})["logit"][:, 0].astype(np.float64), labels)
    vgg_onnx.export_vgg(
        net,
        folder / "model.onnx",
        folder.name,
        weight * calibration.slope,
        bias * calibration.slope + calibration.offset,
        found,
    )
    points = operating_points(labels, vgg_probabilities(folder / "model.onnx", crops, val, run.region))
    view = run.positive == VIEW
    start = next(point for point in points if point["sensitivity"] == (0.99 if view else SENSITIVITY))
    label, code = LABELS["covid"]
    manifest = {
        "task": "view" if view else "classification",
        "title": title,
        "architecture": "VGG19 grown from VGG16 (identity convolutions behind blocks 3, 4 and 5), one grey "
        "channel, global average pooling right behind block5_conv4 (no pool5), one dense layer, sigmoid",
        "input": manifests.input_block("film" if run.region == "whole" else run.region, VGG_MEAN, VGG_STD),
        "output": {"probability": "probability", "cam": "cam"},
        "classes": [{"label": "frontal"}, {"label": "lateral"}]
        if view
        else [{"label": f"not {label}"}, {"label": label, "code": code}],
        "positive": 1,
        "operatingPoint": {
            "threshold": min(0.5, start["threshold"]) if view else start["threshold"],
            "meaning": "lateral from here on"
            if view
            else f"the highest threshold with {SENSITIVITY:.0%} sensitivity on the validation split's licensed rows",
        },
        "operatingPoints": points,
        "camLayer": "block5_conv4",
        "training": manifests.training_block(
            licence_table(trained),
            run.epochs,
            run.seed,
            command,
            f"From ImageNet weights (VGG16, Visual Geometry Group, CC BY 4.0); blocks 1-{run.frozen} as they were, "
            f"all behind them trained for {run.epochs} epochs of {facts['draws']} draws from "
            f"{COPIES} augmented copies of each film, AdamW {run.rate}, the dense layer at ten times that. "
            "At most 160 films of a large source.",
        ),
        "quantisation": QUANTISATION,
        "metrics": {},
        "licence": LICENCES[run.terms],
        "limitations": [
            "What a new hospital may expect was not measured for this network: its figures mostly measure the source.",
            *LIMITATIONS[1:],
        ]
        if not view
        else [
            "Learnt from laterals of one collection.",
            "Knows frontal and lateral chest films only: the first check refuses the rest.",
        ],
    }
    if not view:
        manifest["lungsModel"] = crops.unet.name
    manifests.write_folder(folder, manifest, VERSION)
    return manifest
