"""The first check: what a picture is, before any other network sees it.

One network with one answer of seven (softmax): frontal, lateral, and five reasons why no network may judge it. So the
reason that is told is the most likely one, a lateral view is an answer of its own and no counter-example, and the view
costs no second network.

Frontal films and laterals are the data set's; the others are films changed (not_films.py), drawn pictures, and real
pictures of something else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch.nn import functional as F

from ..data import Dataset, Row, default_data_dir, digest
from ..data.augment import exposure, matrices, warp
from ..data.crops import Crops
from ..data.drawn import drawn_films
from ..data.not_films import HELD_OUT, KINDS, make
from ..data.pictures import fold_of, pictures
from ..data.preprocess import SIZE
from ..data.terms import TERMS
from ..nets.lite0 import MEAN, STD, Lite0, start_from_imagenet
from ..runtime import device, mixed
from .checkpoint import RunFolder
from .findings import optimiser_of
from .loop import Loop

CLASSES = ("frontal", "lateral", "other", "inverted", "turned", "partial", "unreadable")
FRONTAL, LATERAL, OTHER, INVERTED, TURNED, PARTIAL, UNREADABLE = range(len(CLASSES))
#: What a changed film is.
KIND_CLASS = {
    "inverted": INVERTED,
    "turned 90": TURNED,
    "turned 180": TURNED,
    "upside down": TURNED,
    "turned by any angle": TURNED,
    "quarter": PARTIAL,
    "crop of half each side": PARTIAL,
    "half film": PARTIAL,
    "blurred": UNREADABLE,
    "noise over film": UNREADABLE,
    "noise": OTHER,
    "text page": OTHER,
    "blank with text": OTHER,
    "drawn": OTHER,
    "photograph of a screen": OTHER,
    "small on a ground": PARTIAL,
    "tiles mixed": OTHER,
    "rolled": PARTIAL,
}
BATCH, PART = 128, 32
#: Of each part: frontal films, laterals, real pictures; the rest are changed films.
FRONTALS, LATERALS, PICTURES = 12, 6, 4
FOLDS = 5
#: Drawings of each view.
DRAWN = 90
SMOOTH = 0.02
HOSTILE = ("quarter", "crop of half each side", "half film", "inverted", "turned 180", "upside down")


@dataclass(frozen=True)
class CheckRun:
    """``fold`` None: the shipped one, from the train split and the pictures of all but fold 0."""

    name: str
    fold: int | None = None
    terms: str = "research"
    passes: int = 6
    draws: int = 4000
    #: Of frontal films and of laterals the share that are the service's own drawings (data/drawn.py).
    drawn: float = 0.08
    frozen: int = 2
    rate: float = 8e-4
    decay: float = 1e-3
    seed: int = 1

    def settings(self, data: Dataset) -> dict:
        return asdict(self) | {"data": data.key}

    def run(self) -> None:
        train(self)


def row_fold(row: Row) -> int:
    """By patient; patients with laterals are in Cohen's collection and spread by digest."""
    return fold_of(row.patient, FOLDS)


def trained_rows(data: Dataset, run: CheckRun) -> list[Row]:
    allowed = TERMS[run.terms]
    if run.fold is None:
        return data.select(lambda r: allowed(r) and r.split == "train")
    return data.select(lambda r: allowed(r) and row_fold(r) != run.fold)


def judged_rows(data: Dataset, run: CheckRun, most: int = 60) -> list[Row]:
    """In a fold its laterals, and of each source's frontal films at most ``most``; for the shipped one the test
    split."""
    rows = data.select(lambda r: r.split == "test" if run.fold is None else row_fold(r) == run.fold)
    if run.fold is None:
        return rows
    chosen = [r for r in rows if r.lateral]
    for source in sorted({r.source for r in rows}):
        frontals = sorted((r for r in rows if r.source == source and not r.lateral), key=lambda r: digest(r.path))
        chosen += frontals if source == "cohen" else frontals[:most]
    return chosen


class Pictures:
    """Films, laterals and real pictures that a run may learn from, as N in float32."""

    def __init__(self, data: Dataset, crops: Crops, run: CheckRun):
        self.run, self.crops = run, crops
        rows = trained_rows(data, run)
        self.frontal, self.lateral = ([r.index for r in rows if r.lateral == lateral] for lateral in (False, True))
        names, self.chance = np.array([data.rows[i].source for i in self.frontal]), np.zeros(len(self.frontal))
        for name, n in zip(*np.unique(names, return_counts=True), strict=True):
            self.chance[names == name] = 1 / np.sqrt(n)
        self.chance /= self.chance.sum()
        self.drawn = {lateral: drawn_films(DRAWN, lateral) for lateral in (False, True)}
        stored = pictures()
        folds, held = np.array([fold_of(str(key), FOLDS) for key in stored["keys"]]), run.fold or 0
        self.others, self.judged_others = (
            stored["films"][folds != held],
            {k: v[folds == held] for k, v in stored.items()},
        )

    def film(self, row: int) -> np.ndarray:
        return self.crops.film[row].astype(np.float32) / np.float32(255)

    def frontals(self, count: int, rng: np.random.Generator) -> list[np.ndarray]:
        picks = rng.choice(len(self.frontal), count, p=self.chance)
        return [self.or_drawn(self.frontal[i], False, rng) for i in picks]

    def laterals(self, count: int, rng: np.random.Generator) -> list[np.ndarray]:
        picks = rng.integers(0, len(self.lateral), count)
        return [self.or_drawn(self.lateral[i], True, rng) for i in picks]

    def or_drawn(self, row: int, lateral: bool, rng: np.random.Generator) -> np.ndarray:
        """The film, or now and then a drawing of its view."""
        if rng.random() >= self.run.drawn:
            return self.film(row)
        return self.drawn[lateral][rng.integers(DRAWN)].astype(np.float32) / np.float32(255)

    def changed(self, rng: np.random.Generator) -> tuple[np.ndarray, int]:
        kinds = [*KINDS, *HOSTILE]
        kind = kinds[rng.integers(len(kinds))]
        source = self.laterals(1, rng)[0] if rng.random() < 0.1 else self.frontals(1, rng)[0]
        return make(kind, source, rng), KIND_CLASS[kind]

    def other(self, rng: np.random.Generator) -> np.ndarray:
        """A real picture, turned, mirrored, cropped or inverted: none of it makes a chest film of it."""
        a = np.rot90(self.others[rng.integers(len(self.others))], rng.integers(4))[:, :: rng.choice([-1, 1])].astype(
            np.float32
        ) / np.float32(255)
        if rng.random() < 0.4:
            a = make("crop of half each side", np.ascontiguousarray(a), rng)
        return np.ascontiguousarray(1 - a if rng.random() < 0.3 else a, np.float32)

    def batch(self, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Z [32, 1, 224, 224] and classes."""
        laterals = self.laterals(LATERALS, rng)
        changed = [self.changed(rng) for _ in range(PART - FRONTALS - LATERALS - PICTURES)]
        films = [
            *self.frontals(FRONTALS, rng),
            *laterals,
            *(self.other(rng) for _ in range(PICTURES)),
            *(a for a, _ in changed),
        ]
        classes = [FRONTAL] * FRONTALS + [LATERAL] * LATERALS + [OTHER] * PICTURES + [c for _, c in changed]
        x = torch.from_numpy(np.stack(films))[:, None]
        moved = FRONTALS + LATERALS + PICTURES
        x = torch.cat(
            [
                warp(
                    x[:moved],
                    matrices(moved, rng, 7, 0.1, 0.08, 0.05),
                    SIZE,
                    "border" if rng.random() < 0.5 else "zeros",
                ),
                x[moved:],
            ]
        )
        x = framed(exposure(x, rng), rng)
        return ((x - MEAN) / STD).contiguous(memory_format=torch.channels_last), torch.tensor(classes)


def framed(x: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Some pictures get a border of one grey, as collimation, a scanner or an export leaves it."""
    for i in np.flatnonzero(rng.random(len(x)) < 0.25):
        grey, (top, bottom, left, right) = (
            float(rng.choice([0.0, 0.0, 1.0])),
            (rng.integers(0, SIZE // 12, 4) * (rng.random(4) < 0.6)).tolist(),
        )
        kept = torch.full_like(x[i], grey)
        kept[:, top : SIZE - bottom, left : SIZE - right] = x[i, :, top : SIZE - bottom, left : SIZE - right]
        x[i] = kept
    return x


def train(run: CheckRun) -> None:
    data = Dataset()
    crops, folder = Crops(data), RunFolder(run.name, run.settings(data))
    if folder.done:
        return
    films = Pictures(data, crops, run)
    torch.manual_seed(run.seed)
    net = start_from_imagenet(Lite0(len(CLASSES)), default_data_dir() / "weights" / "efficientnet-lite0-imagenet.npz")
    net = net.to(device(), memory_format=torch.channels_last).freeze(run.frozen)
    optimiser = optimiser_of(net, run.rate, run.decay)
    Loop(
        folder,
        net,
        optimiser,
        lambda step, rng: losses_of(net, films, rng),
        seed=run.seed,
        passes=run.passes,
        each=run.draws // BATCH,
    ).fit(films=len(films.frontal), laterals=len(films.lateral), pictures=len(films.others))
    folder.finish(judged(net, data, films, run), net.state_dict(), trained=films.frontal + films.lateral)
    folder.tell(event="finished")


def losses_of(net: Lite0, films: Pictures, rng: np.random.Generator) -> Iterator[torch.Tensor]:
    net.train()
    for _ in range(BATCH // PART):
        z, classes = films.batch(rng)
        with mixed():
            a = net.activation(z.to(device()))
        yield F.cross_entropy(net.classify(a), classes.to(device()), label_smoothing=SMOOTH) * PART / BATCH


def judged(net: Lite0, data: Dataset, films: Pictures, run: CheckRun, each: int = 40) -> dict[str, np.ndarray]:
    """Logits of films, of changed films by kind (those never learnt from too) and of real pictures that were held
    out."""
    rows, rng = judged_rows(data, run), np.random.default_rng(11)
    frontal = [r.index for r in rows if not r.lateral]
    kinds = [kind for kind in (*KINDS, *HELD_OUT) for _ in range(each)]
    changed = [make(kind, films.film(frontal[rng.integers(len(frontal))]), rng) for kind in kinds]
    return {
        "rows": np.array([r.index for r in rows]),
        "logits": predict(net, [films.film(r.index) for r in rows]),
        "kinds": np.array(kinds),
        "kindLogits": predict(net, changed),
        "pictureGroups": films.judged_others["groups"],
        "pictureNames": films.judged_others["names"],
        "pictureLogits": predict(net, list(films.judged_others["films"].astype(np.float32) / np.float32(255))),
    }


@torch.no_grad()
def predict(net: Lite0, films: Sequence[np.ndarray]) -> np.ndarray:
    net.eval()
    out = [np.zeros((0, len(CLASSES)), np.float32)]
    for i in range(0, len(films), PART):
        z = ((torch.from_numpy(np.stack(films[i : i + PART]))[:, None] - MEAN) / STD).to(
            device(), memory_format=torch.channels_last
        )
        with mixed():
            out.append(net(z).float().cpu().numpy())
    return np.concatenate(out)


def refusal(answers: np.ndarray) -> np.ndarray:
    """Of probabilities [n, 7] that of all but frontal and lateral: it is refused by."""
    return 1 - answers[:, FRONTAL] - answers[:, LATERAL]


def lateral_share(answers: np.ndarray) -> np.ndarray:
    """Of the two views the probability of lateral; lateral from 0.5 on."""
    return answers[:, LATERAL] / np.maximum(answers[:, LATERAL] + answers[:, FRONTAL], 1e-9)
