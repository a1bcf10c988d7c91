"""From a trained U-Net to models/lungs-unet16: graph, plausibility bounds, manifest."""
from __future__ import annotations

import numpy as np
import torch

from . import manifests, plausibility
from .data import Dataset, Row, covid_licence_allows, licence_table
from .onnx_export import export_unet, load_unet
from .runtime import cache_dir, mixed

BOUND_FILMS = 1200


@torch.no_grad()
def lung_probability(net, films: np.ndarray, mean: float, std: float, fast: bool = False) -> np.ndarray:
    """N [n, 224, 224] -> lung probability [n, 224, 224], float32."""
    out = []
    for i in range(0, len(films), 16):
        z = (torch.from_numpy(np.ascontiguousarray(films[i:i + 16]))[:, None] - mean) / std
        with mixed(fast):
            out.append(torch.sigmoid(net(z.contiguous(memory_format=torch.channels_last))[:, 0].float()).numpy())
    return np.concatenate(out)


def bound_rows(data: Dataset, seed: int) -> list[Row]:
    """Frontal films of the train split, at most 300 of a source."""
    rng, chosen = np.random.default_rng(seed), []
    pool = data.select(lambda r: r.split == "train" and not r.lateral and covid_licence_allows(r))
    for source in sorted({r.source for r in pool}):
        rows = [r for r in pool if r.source == source]
        chosen += [rows[i] for i in sorted(rng.permutation(len(rows))[:BOUND_FILMS // 4])]
    return chosen


def export_lungs(net, data: Dataset, rows: list[Row], state: dict, mean: float, std: float, args) -> None:
    target = manifests.folder("lungs")
    target.mkdir(parents=True, exist_ok=True)
    torch.save({"net": net.state_dict(), "filters": args.filters}, cache_dir() / "lungs-float.pt")
    mean, std = round(mean, 6), round(std, 6)
    export_unet(net, target / "model.onnx", manifests.IDS["lungs"])
    shipped = load_unet(target / "model.onnx")
    real = bound_rows(data, args.seed)
    probability = lung_probability(shipped, data.films()[[r.index for r in real]], mean, std, fast=True)
    limits = plausibility.bounds([plausibility.describe(p) for p in probability])
    manifests.write_json(target / "curves.json", {"epochs": state["curve"]})
    manifests.write("lungs", {
        "task": "lungs",
        "title": f"Lung fields, U-Net with {args.filters} first filters",
        "architecture": f"U-Net, 5 levels, {args.filters} to {16 * args.filters} filters; batch normalisation folded",
        "input": manifests.input_block("film", mean, std),
        "output": {"probability": "probability", "cam": None},
        "classes": [{"label": "background"},
                    {"label": "lung", "code": {"value": "39607008", "scheme": "SCT", "meaning": "Lung"}}],
        "positive": 1,
        "operatingPoint": {"threshold": 0.5, "meaning": "a pixel is lung at a probability of 0.5 or more"},
        "mask": manifests.mask_block(),
        "plausibility": limits | {
            "rule": "A film's lung mask is implausible if any of the four figures is outside its bounds. Bounds: 0.1 to "
                    "99.9 percentile over real frontal films of the train split, widened (fraction and side by a tenth, "
                    f"mean probability by 1 %); components up to the most seen. {len(real)} films."},
        "camLayer": None,
        "training": manifests.training_block(
            licence_table(rows), state["epoch"], args.seed, "python3 training/train_lungs.py",
            f"{args.coarse} epochs at 112 x 112, the rest at 224 x 224; binary cross-entropy plus Dice; Adam, "
            f"{args.rate} falling along a cosine. Targets: manual masks of Montgomery and Shenzhen (lung fields without heart "
            "and mediastinum). V7 polygons include the lung behind the heart and serve as partial labels: no loss in "
            "the central 60 % of their bounding box's width and lower 70 % of its height."),
        "metrics": {},
        "licence": "See ../LICENSE.md. Learnt from NLM (Montgomery, Shenzhen), CC BY 3.0, CC BY 4.0 films.",
        "limitations": [
            "The lung behind the heart and the diaphragm's dome is not part of the mask.",
            "Manual masks exist only for upright PA films of adults (tuberculosis screening); on bedside films of very "
            "sick adults and on children the mask was only learnt from partial labels.",
            "Dense consolidation, effusion or a missing lung can be left out of the mask.",
        ],
    })
