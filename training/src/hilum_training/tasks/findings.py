"""Training of a classifier with one output for each finding, end to end from ImageNet.

One network learns from two crops, the whole film and the lungs' bounding box, one of them at random for each draw;
what it says of both, and of their mirror images, is averaged when it is used. Half of each batch is COVID-19, within a
class a source counts as the square root of its films. The loss is a weighted sum over findings, each over the films
whose label is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch.nn import functional as F

from ..data import Dataset, Row, default_data_dir
from ..data.augment import augmented
from ..data.crops import BOX_RULE, MARGIN, Crops
from ..data.draws import draw_chances
from ..data.labels import COVID, FINDINGS, label_table, loss_weights
from ..data.partition import judged_rows, training_rows
from ..data.preprocess import SIZE
from ..nets.lite0 import MEAN, STD, Lite0, start_from_imagenet
from ..runtime import device, mixed
from .checkpoint import RunFolder
from .loop import Loop

BATCH, PART = 128, 32
SMOOTH = 0.01
CROPS = ("film", "box")


@dataclass(frozen=True)
class FindingsRun:
    """Settings of one network. ``left_out``, ``fold``: data/partition.py. ``frozen``: first stages that keep their
    ImageNet weights. ``dense_passes``: the last passes run on 14 x 14 cells, as the network is used."""

    name: str
    terms: str = "research"
    splits: tuple[str, ...] = ("train",)
    judged: tuple[str, ...] = ("val",)
    left_out: str | None = None
    fold: int | None = None
    crops: tuple[str, ...] = CROPS
    region: str = "whole"
    passes: int = 8
    draws: int = 4000
    dense_passes: float = 0.5
    frozen: int = 2
    rate: float = 8e-4
    decay: float = 1e-3
    seed: int = 1

    def settings(self, data: Dataset) -> dict:
        return asdict(self) | {"data": data.key, "boxes": BOX_RULE}

    def run(self) -> None:
        train(self)


def crop_batch(crops: Crops, rows: np.ndarray, which: str, margin: bool) -> torch.Tensor:
    """float32 [n, 1, s, s] of N; boxes with their margin when they are to be moved."""
    stored = getattr(crops, which)[rows]
    if which == "box" and not margin:
        stored = stored[:, MARGIN:-MARGIN, MARGIN:-MARGIN]
    return torch.from_numpy(stored.astype(np.float32) / np.float32(255))[:, None]


def kept_batch(crops: Crops, rows: np.ndarray, region: str) -> torch.Tensor | None:
    kept = crops.kept(rows, region)
    return None if kept is None else torch.from_numpy(kept)[:, None]


def drawn_batch(
    crops: Crops, rows: np.ndarray, kinds: Sequence[str], rng: np.random.Generator, region: str = "whole"
) -> tuple[torch.Tensor, np.ndarray]:
    """Augmented Z [n, 1, 224, 224] of ``rows``, each from a crop at random, and the order that the rows were put in. A
    region is one of the whole film's, not of a box."""
    choice = rng.integers(0, len(kinds), len(rows))
    order = np.argsort(choice, kind="stable")
    groups = [(kind, rows[choice == i]) for i, kind in enumerate(kinds) if (choice == i).any()]
    parts = [
        augmented(crop_batch(crops, group, kind, True), rng, SIZE, kept_batch(crops, group, region))
        for kind, group in groups
    ]
    return ((torch.cat(parts) - MEAN) / STD).contiguous(memory_format=torch.channels_last), order


def masked_loss(logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Weighted sum over findings of the mean over known labels (-1: not known) of the log loss with smoothed
    targets."""
    known = (labels >= 0).float()
    target = labels.clamp_min(0).float() * (1 - 2 * SMOOTH) + SMOOTH
    each = F.binary_cross_entropy_with_logits(logits, target, reduction="none") * known
    return (weights * each.sum(0) / known.sum(0).clamp_min(1)).sum()


def optimiser_of(net: Lite0, rate: float, decay: float) -> torch.optim.Optimizer:
    """AdamW; decay on kernels alone, the dense layer at twice the rate."""
    head = {id(p) for p in net.head.parameters()}
    groups = []
    for is_head in (False, True):
        for kernel in (False, True):
            chosen = [
                p
                for p in net.parameters()
                if p.requires_grad and (id(p) in head) == is_head and (p.dim() > 1) == kernel
            ]
            groups.append(
                {"params": chosen, "weight_decay": decay if kernel else 0.0, "most": rate * (2 if is_head else 1)}
            )
    return torch.optim.AdamW(groups, lr=rate)


class Training:
    """One run: its rows, network and loop."""

    def __init__(self, run: FindingsRun, data: Dataset, crops: Crops):
        self.run, self.data, self.crops = run, data, crops
        self.folder = RunFolder(run.name, run.settings(data))
        self.rows = training_rows(data, run.terms, run.splits, run.left_out, run.fold)
        self.labels = label_table(self.rows, FINDINGS, experts=run.terms != "permissive")
        known = self.labels[:, FINDINGS.index(COVID)] >= 0
        self.rows, self.labels = [r for r, k in zip(self.rows, known, strict=True) if k], self.labels[known]
        self.index = np.array([r.index for r in self.rows])
        self.chance = draw_chances(self.rows, self.labels[:, FINDINGS.index(COVID)] == 1)
        torch.manual_seed(run.seed)
        net = start_from_imagenet(
            Lite0(len(FINDINGS)), default_data_dir() / "weights" / "efficientnet-lite0-imagenet.npz"
        )
        self.net = net.to(device(), memory_format=torch.channels_last).freeze(run.frozen)
        self.weights = torch.from_numpy(loss_weights(FINDINGS)).to(device())
        self.loop = Loop(
            self.folder,
            self.net,
            optimiser_of(self.net, run.rate, run.decay),
            self.losses,
            seed=run.seed,
            passes=run.passes,
            each=run.draws // BATCH,
        )

    def losses(self, step: int, rng: np.random.Generator) -> Iterator[torch.Tensor]:
        dense_from = self.loop.steps - round(self.run.dense_passes * self.loop.each)
        self.net.dense(step >= dense_from).train()
        picks = rng.choice(len(self.rows), BATCH, p=self.chance)
        for part in np.split(picks, BATCH // PART):
            z, order = drawn_batch(self.crops, self.index[part], self.run.crops, rng, self.run.region)
            with mixed():
                a = self.net.activation(z.to(device()))
            labels = torch.from_numpy(self.labels[part][order]).to(device())
            yield masked_loss(self.net.classify(a), labels, self.weights) * PART / BATCH

    def fit(self) -> None:
        self.loop.fit(films=len(self.rows), covid=int((self.labels[:, 0] == 1).sum()))

    def finish(self) -> None:
        judged = judged_rows(self.data, self.rows, self.run.left_out, self.run.fold, self.run.judged)
        self.net.dense().eval()
        logits = predict(self.net, self.crops, judged, self.run.crops, region=self.run.region)
        self.folder.finish(
            {
                "rows": np.array([r.index for r in judged]),
                "logits": logits,
                "findings": np.array(FINDINGS),
                "crops": np.array(self.run.crops),
            },
            self.net.state_dict(),
            seconds=round(self.loop.seconds),
            trained=self.index.tolist(),
        )
        self.folder.tell(event="finished", judged=len(judged))


@torch.no_grad()
def predict(
    net: Lite0, crops: Crops, rows: Sequence[Row], kinds: Sequence[str], batch: int = PART, region: str = "whole"
) -> np.ndarray:
    """Logits float32 [rows, crops, 2, findings]: each crop as it is and mirrored."""
    index, found = np.array([r.index for r in rows], int), []
    for i in range(0, len(index), batch):
        each = []
        for kind in kinds:
            n, kept = (
                crop_batch(crops, index[i : i + batch], kind, False),
                kept_batch(crops, index[i : i + batch], region),
            )
            z = (((n if kept is None else n * kept) - MEAN) / STD).to(device(), memory_format=torch.channels_last)
            with mixed():
                each.append(torch.stack([net(z), net(z.flip(3))], 1).float().cpu())
        found.append(torch.stack(each, 1).numpy())
    return np.concatenate(found) if found else np.zeros((0, len(kinds), 2, net.head.out_features), np.float32)


def train(run: FindingsRun) -> None:
    data = Dataset()
    training = Training(run, data, Crops(data))
    if training.folder.done:
        return
    training.fit()
    training.finish()
