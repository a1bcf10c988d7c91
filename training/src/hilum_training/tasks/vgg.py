"""The paper's classifiers: VGG16 and VGG19 with real transfer, or from scratch, on the film, the lungs or all but them.

With transfer the first ``frozen`` blocks stay as ImageNet left them (a VGG19's additional convolutions with them), so
their output is kept on disk for three augmented copies of each film and for the film as it is; the blocks behind them
and the dense layer are trained. From scratch everything is trained, at 112 x 112, with batch normalisation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from ..data import Dataset, Row, cache_dir, default_data_dir, digest
from ..data.augment import augmented
from ..data.crops import Crops
from ..data.draws import draw_chances
from ..data.partition import frontal
from ..data.preprocess import SIZE
from ..data.terms import TERMS
from ..nets.vgg import LOW, MEAN, STD, Vgg, start_from_imagenet, start_from_scratch
from ..runtime import device, mixed
from .checkpoint import RunFolder
from .findings import crop_batch, kept_batch
from .loop import Loop

COPIES = 3
BATCH, PART = 64, 16
SMOOTH = 0.01
SCRATCH_SIZE = 112
#: Films of a source in each split for a cell of the grid; of the small collections all.
MOST = {"train": 160, "val": 60, "test": 100}
WHOLE = ("cohen", "figure1", "actualmed", "hannover")
LATERAL, COVID = "lateral", "covid"


def disease(row: Row) -> bool:
    return row.finding != "normal"


#: Which films are negatives, and for the last two which sources take part at all.
NEGATIVES: dict[str, Callable[[Row], bool]] = {
    "all other films": lambda row: True,
    "other disease only": disease,
    "Cohen + Kermany": lambda row: row.source in ("cohen", "kermany"),
    "Cohen's COVID-19 + Kermany": lambda row: row.source == "kermany" or (row.source == "cohen" and row.covid),
}


@dataclass(frozen=True)
class VggRun:
    """One cell of the grid or one shipped network. ``limited``: MOST films of a source, else all; ``epochs`` of as
    many draws as films, ``draws`` at most; ``frozen``: how many blocks stay as ImageNet left
    them."""

    name: str
    net: str = "vgg19"
    transfer: bool = True
    positive: str = COVID
    region: str = "whole"
    negatives: str = "all other films"
    terms: str = "all"
    limited: bool = True
    frozen: int = 3
    epochs: int = 5
    draws: int = 4000
    rate: float = 5e-5
    decay: float = 1e-3
    seed: int = 1

    def settings(self, data: Dataset) -> dict:
        return asdict(self) | {"data": data.key}

    def run(self) -> None:
        train(self)


def is_positive(row: Row, positive: str) -> bool:
    return row.lateral if positive == LATERAL else row.covid


def of_task(row: Row, positive: str) -> bool:
    """Films with a known answer: laterals count for the view only."""
    return positive == LATERAL or (frontal(row) and row.finding != "unknown")


def cell_rows(data: Dataset, run: VggRun, split: str) -> list[Row]:
    allowed = TERMS[run.terms] if split == "train" else TERMS["all"]
    rows = data.select(
        lambda r: (
            r.split == split
            and of_task(r, run.positive)
            and allowed(r)
            and (is_positive(r, run.positive) or NEGATIVES[run.negatives](r))
        )
    )
    if run.negatives.startswith("Cohen"):
        rows = [r for r in rows if NEGATIVES[run.negatives](r)]
    # Every film of the two-source comparison, as the 511 test films; the others within the limits.
    if not run.limited or (split == "test" and run.negatives.startswith("Cohen")):
        return rows
    rank = {r.index: digest("grid", run.seed, r.path) for r in rows}
    keep = set()
    for source in sorted({r.source for r in rows}):
        members = sorted((r.index for r in rows if r.source == source), key=rank.__getitem__)
        keep |= set(members[: len(members) if source in WHOLE else MOST[split]])
    return [r for r in rows if r.index in keep]


class LowStore:
    """What the frozen blocks make of films, float16 LOW[frozen] each, computed once and kept on disk: one sparse file
    for each region and augmented copy (0: as it is)."""

    def __init__(self, net: Vgg, crops: Crops, region: str, copy: int, seed: int):
        self.net, self.crops, self.region, self.copy, self.seed = net, crops, region, copy, seed
        count = len(crops.data.rows)
        stem = cache_dir() / f"low{net.frozen}-{region}-{copy}-{digest(crops.data.key, seed if copy else 0)}"
        self.films = self._open(stem.with_suffix(".npy"), np.float16, (count, *LOW[net.frozen]))
        self.ready = self._open(stem.with_suffix(".ready.npy"), np.uint8, (count,))

    @staticmethod
    def _open(path: Path, dtype: type, shape: tuple[int, ...]) -> np.memmap:
        if not path.exists():
            np.lib.format.open_memmap(path, "w+", dtype, shape).flush()
        return np.load(path, mmap_mode="r+")

    def prepare(self, index: np.ndarray) -> LowStore:
        missing = index[self.ready[index] == 0]
        for i in range(0, len(missing), PART):
            part = missing[i : i + PART]
            n = torch.cat(
                [
                    region_batch(self.crops, part[j : j + 1], self.region, self.generator(part[j]))
                    for j in range(len(part))
                ]
            )
            self.films[part] = low_of(self.net, n)
            self.films.flush()
            self.ready[part] = 1
        return self

    def generator(self, row: int) -> np.random.Generator | None:
        return np.random.default_rng([self.seed, self.copy, int(row)]) if self.copy else None


def region_batch(crops: Crops, index: np.ndarray, region: str, rng: np.random.Generator | None) -> torch.Tensor:
    """N of films [n, 1, 224, 224], augmented where a generator is given."""
    n, kept = crop_batch(crops, index, "film", False), kept_batch(crops, index, region)
    if rng is not None:
        return augmented(n, rng, SIZE, kept)
    return n if kept is None else n * kept


@torch.no_grad()
def low_of(net: Vgg, n: torch.Tensor) -> np.ndarray:
    with mixed():
        return net.low(((n - MEAN) / STD).to(device(), memory_format=torch.channels_last)).half().cpu().numpy()


def new_network(run: VggRun) -> Vgg:
    torch.manual_seed(run.seed)
    if run.transfer:
        return start_from_imagenet(
            Vgg(run.net, frozen=run.frozen), default_data_dir() / "weights" / "vgg16-imagenet.npz"
        ).to(device(), memory_format=torch.channels_last)
    return start_from_scratch(Vgg(run.net, batch_norm=True)).to(device(), memory_format=torch.channels_last)


class Films:
    """What a network learns from or is judged on, in batches of its input: frozen blocks' output, or small films."""

    def __init__(self, run: VggRun, net: Vgg, crops: Crops, rows: Sequence[Row], copies: int):
        self.run, self.net, self.crops, self.rows = run, net, crops, rows
        self.index = np.array([r.index for r in rows], int)
        wanted = (range(1, copies + 1) if copies else range(1)) if run.transfer else ()
        self.stored = [LowStore(net, crops, run.region, copy, run.seed).prepare(self.index) for copy in wanted]

    def batch(self, picks: np.ndarray, rng: np.random.Generator | None) -> torch.Tensor:
        if self.run.transfer:
            copies = rng.integers(0, len(self.stored), len(picks)) if rng is not None else np.zeros(len(picks), int)
            low = np.stack([self.stored[c].films[self.index[p]] for c, p in zip(copies, picks, strict=True)]).astype(
                np.float32
            )
            return torch.from_numpy(low).to(device(), memory_format=torch.channels_last)
        n = F.avg_pool2d(region_batch(self.crops, self.index[picks], self.run.region, rng), SIZE // SCRATCH_SIZE)
        return ((n - MEAN) / STD).to(device(), memory_format=torch.channels_last)

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        with mixed():
            a = self.net.high(x) if self.run.transfer else self.net.activation(x)
        return self.net.classify(a)[:, 0]


def train(run: VggRun) -> None:
    data = Dataset()
    crops, folder = Crops(data), RunFolder(run.name, run.settings(data))
    if folder.done:
        return
    net = new_network(run)
    rows = cell_rows(data, run, "train")
    films, labels = Films(run, net, crops, rows, COPIES), np.array([is_positive(r, run.positive) for r in rows])
    chance, head = draw_chances(rows, labels), {id(p) for p in net.head.parameters()}
    trained = net.trained() if run.transfer else list(net.parameters())
    optimiser = torch.optim.AdamW(
        [
            {"params": [p for p in trained if (id(p) in head) == is_head], "most": run.rate * (10 if is_head else 1)}
            for is_head in (False, True)
        ],
        lr=run.rate,
        weight_decay=run.decay,
    )
    each = max(1, min(run.draws, len(rows)) // BATCH)
    Loop(
        folder,
        net,
        optimiser,
        lambda step, rng: losses_of(net, films, labels, chance, rng),
        seed=run.seed,
        passes=run.epochs,
        each=each,
    ).fit(films=len(labels), positive=int(labels.sum()))
    judged = [r for split in ("val", "test") for r in cell_rows(data, run, split)]
    logits = predict(net, Films(run, net, crops, judged, 0))
    folder.finish(
        {"rows": np.array([r.index for r in judged]), "logits": logits},
        net.state_dict(),
        trained=[r.index for r in rows],
        epochs=run.epochs,
        draws=each * BATCH,
        parameters=sum(p.numel() for p in net.parameters()),
    )
    folder.tell(event="finished", judged=len(judged))


def losses_of(
    net: Vgg, films: Films, labels: np.ndarray, chance: np.ndarray, rng: np.random.Generator
) -> Iterator[torch.Tensor]:
    net.train()
    for picks in np.split(rng.choice(len(labels), BATCH, p=chance), BATCH // PART):
        target = torch.from_numpy(labels[picks].astype(np.float32)).to(device()) * (1 - 2 * SMOOTH) + SMOOTH
        logits = films.logits(films.batch(picks, rng))
        yield F.binary_cross_entropy_with_logits(logits, target) * PART / BATCH


@torch.no_grad()
def predict(net: Vgg, films: Films) -> np.ndarray:
    net.eval()
    parts = [
        films.logits(films.batch(np.arange(i, min(i + PART, len(films.rows))), None)).float().cpu().numpy()
        for i in range(0, len(films.rows), PART)
    ]
    return np.concatenate(parts)
