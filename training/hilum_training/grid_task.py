"""The grid's films and negatives, and the frozen VGG19 whose mean activations its dense layers learn from.

The activations come from the quantised (QDQ) graph that is shipped, run by onnxruntime: what a dense layer is fitted on is
what the service will compute. Blocks 4-5 are at their start (see vgg.py); only the dense layers differ between models.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from . import classifier, heads, manifests
from .covid_task import lung_films, training_rows, validation_rows
from .data import Dataset, Row, cache_dir, covid_licence_allows, digest, known_finding, save_whole
from .features import BATCH, changer
from .onnx_export import load_vgg
from .ort import run_onnx
from .preprocess import SIZE
from .qdq import activation_maxima, export_qdq
from .quantise import rounded
from .regions import region_film
from .shipped import keep_first
from .vgg import VGG19

SEED = 1
CALIBRATION = 24
PERCENTILE = 99.99
FEATURES = 512
#: A pass takes 0.1 s of a core, and there are three regions: two cores allow this many films of a source.
MOST = {"train": 160, "val": 60, "test": 100}
WHOLE = ("cohen", "figure1", "actualmed", "hannover")


def grid_parts(data: Dataset) -> list[list[Row]]:
    """All films of known finding but laterals; children's of train and validation subsampled as in ``train_covid``."""
    test = data.select(lambda r: r.split == "test" and known_finding(r))
    others = data.select(lambda r: r.split != "test" and known_finding(r) and not covid_licence_allows(r))
    return [training_rows(data, SEED), validation_rows(data, SEED), test, others]


def grid_rows(data: Dataset) -> list[Row]:
    """Of every source and split at most MOST films, drawn evenly over what is there; of the small collections all."""
    rng, rows = np.random.default_rng(SEED), [row for part in grid_parts(data) for row in part]
    keep = set()
    for source, split in sorted({(r.source, r.split) for r in rows}):
        members = [r.index for r in rows if (r.source, r.split) == (source, split)]
        limit = len(members) if source in WHOLE else MOST[split]
        keep |= set(rng.permutation(members)[:limit])
    return [row for row in rows if row.index in keep]


def region_films(data: Dataset, rows: list[Row], region: str) -> np.ndarray:
    """N of the region: float32 [n, 224, 224], memory-mapped from the cache."""
    path = cache_dir() / f"grid-films-{region}-{digest(data.key, manifests.read('lungs')['sha256'], *(r.index for r in rows))}.npy"
    if not path.exists():
        films, part, i = data.films(), path.with_suffix(".part"), 0
        chosen = {row.index for row in rows}
        array = np.lib.format.open_memmap(part, "w+", np.float32, (len(rows), SIZE, SIZE))
        for place, group in enumerate(grid_parts(data)):
            lungs = lung_films(data, group, fast=place != 2)  # the test split's as evaluate.py has them, in float32
            for row, only in zip(group, lungs):
                if row.index not in chosen:
                    continue
                array[i] = region_film(films[row.index], only, region)
                i += 1
        array.flush()
        part.rename(path)
    return np.load(path, mmap_mode="r")


def standard(films: np.ndarray, train: np.ndarray) -> tuple[float, float]:
    chosen = films[train]
    return round(float(chosen.mean(dtype=np.float64)), 6), round(float(chosen.std(dtype=np.float64)), 6)


@dataclass(frozen=True)
class Backbone:
    """A VGG19 without a dense layer, how its input is standardised, and its quantised graph with the output ``features``."""

    net: VGG19
    mean: float
    std: float
    maxima: dict
    onnx: Path


def backbone(data: Dataset, region: str) -> Backbone:
    """Of the lungs: the shipped model's first version. Of the others: ImageNet blocks as train_covid starts with them."""
    rows = grid_rows(data)
    films = region_films(data, rows, region)
    train = np.array([i for i, r in enumerate(rows) if r.split == "train" and covid_licence_allows(r)])
    if region == "lungs":
        shape = manifests.read("covid")["input"]
        net, mean, std = load_vgg(keep_first("covid")[0]), shape["mean"], shape["std"]
    else:
        mean, std = standard(films, train)
        net = rounded_network(classifier.new_network(data, films[train], mean, std, SEED))
    path = cache_dir() / f"grid-backbone-{region}-{digest(mean, std, len(rows), CALIBRATION, PERCENTILE, SEED)}"
    onnx, maxima_file = path.with_suffix(".onnx"), path.with_suffix(".pt")
    if not (onnx.exists() and maxima_file.exists()):
        chosen = np.sort(np.random.default_rng(SEED).permutation(train)[:CALIBRATION])
        maxima = activation_maxima(net, torch.from_numpy((films[chosen] - mean) / std)[:, None].float(), PERCENTILE)
        export_qdq(net, onnx, f"grid-{region}", maxima, ((0 - mean) / std, (1 - mean) / std), features=True)
        save_whole(maxima_file, lambda file: torch.save(maxima, file))
    return Backbone(net, mean, std, torch.load(maxima_file), onnx)


@torch.no_grad()
def rounded_network(net):
    """The network with its 8-bit weights written out, no longer rounding as it runs."""
    for block in net.blocks:
        for conv in block.convs:
            conv.weight.copy_(rounded(conv.weight))
    return net.eight_bit(False)


def features(data: Dataset, rows: list[Row], region: str, name: str = "") -> np.ndarray:
    """Mean activations behind the quantised graph: float32 [n, 512]. A run that was ended goes on where it was.

    ``name`` tells apart rows other than the grid's."""
    base = backbone(data, region)
    films = region_films(data, rows, region)
    return run_onnx(base.onnx, films, base.mean, base.std, base.onnx.with_suffix(f".features{name}.f32"), "features", FEATURES)


def changed_features(data: Dataset, rows: list[Row], region: str) -> np.ndarray:
    """``features`` of one augmented copy of every film (turned, enlarged, shifted, mirrored, exposed anew; not pixels outside the region)."""
    films, change = region_films(data, rows, region), changer(300, 0.5)
    path = Path(films.filename).with_name(f"{Path(films.filename).stem}-changed.npy")
    if not path.exists():
        part = path.with_suffix(".part")
        array = np.lib.format.open_memmap(part, "w+", np.float32, films.shape)
        for i in range(0, len(films), BATCH):
            array[i:i + BATCH] = change(torch.from_numpy(np.array(films[i:i + BATCH]))[:, None], i // BATCH)[:, 0].numpy()
        array.flush()
        part.rename(path)
    base = backbone(data, region)
    return run_onnx(base.onnx, np.load(path, mmap_mode="r"), base.mean, base.std, base.onnx.with_suffix(".features-changed.f32"), "features", FEATURES)


DISEASE = ("bacterial", "viral", "pneumonia-other", "other")

#: Who is in, COVID-19 and not. The paper's experiments 1-3 differ in their negatives too, but those were BIMCV's.
NEGATIVES = {
    "all other films": lambda r: True,
    "other disease only": lambda r: r.covid or r.finding in DISEASE,
    "Cohen + Kermany": lambda r: r.source in ("cohen", "kermany"),
}


class Table:
    """Columns of rows as arrays, to select by."""

    def __init__(self, rows: list[Row]):
        self.rows = rows
        self.covid = np.array([r.covid for r in rows], bool)
        self.split, self.source, self.patient, self.view, self.finding = (
            np.array([getattr(r, name) for r in rows], object) for name in ("split", "source", "patient", "view", "finding"))

    def where(self, keep) -> np.ndarray:
        return np.array([bool(keep(r)) for r in self.rows])

    def take(self, use: np.ndarray) -> "Table":
        return Table([self.rows[i] for i in np.flatnonzero(use)])

    def counts(self, use: np.ndarray) -> dict:
        return {"films": int(use.sum()), "covid": int((use & self.covid).sum())}


def trained(features: np.ndarray, table: Table, use: np.ndarray, penalties=heads.PENALTIES, chance=classifier.draw_weights) -> heads.Head:
    """A dense layer on the train split's rows in ``use``, its penalty and calibration chosen on the validation split's."""
    train, val = use & (table.split == "train"), use & (table.split == "val")
    part = table.take(train)
    return heads.chosen(features[train], part.covid, chance(part.rows, part.covid), features[val], table.covid[val], penalties)
