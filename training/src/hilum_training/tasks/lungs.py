"""The lung U-Net: the manual definition of Montgomery and Shenzhen, and the same on diseased adults.

Beside the manual masks there are radiologists' lungs of diseased adults without heart and mediastinum (Cohen's
``heartless_mask_path``), which are full labels too. A film that has both kinds uses these.

V7's polygons include the lung behind the heart. They are partial labels for films that look unlike Montgomery and
Shenzhen (bedside films of sick adults, children): outside a polygon is background, inside is lung, except for a zone
where the heart may lie - the central 60 % of the polygons' bounding box in its lower 70 % - which carries no loss.
There the network keeps to what the other masks teach."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch.nn import functional as F

from ..data import Dataset, Row, read_grey
from ..data.crops import Crops
from ..data.partition import frontal
from ..data.preprocess import SIZE, clean_mask, resize
from ..data.terms import TERMS
from ..metrics import dice
from ..nets.unet import UNet
from ..runtime import cosine, device, mixed
from . import lung_changes
from .checkpoint import RunFolder

BATCH = 16
CHILDREN = 180
#: How often a film of each kind is drawn in a pass.
HEARTLESS_TIMES = 3
#: Of a V7 mask's bounding box: width and height of the part that may be heart.
IGNORE_WIDTH, IGNORE_HEIGHT = 0.60, 0.70


@dataclass(frozen=True)
class LungsRun:
    """``coarse`` passes at 112 x 112, then ``fine`` ones at 224 x 224. The heartless masks of ``judged`` splits are
    kept for the figures."""

    name: str
    filters: int = 16
    coarse: int = 26
    fine: int = 5
    rate: float = 2e-3
    terms: str = "research"
    judged: tuple[str, ...] = ("val", "test")
    seed: int = 1

    def settings(self, data: Dataset) -> dict:
        return asdict(self) | {"data": data.key}

    def run(self) -> None:
        train(self)


def heart_zone(mask: np.ndarray) -> np.ndarray:
    """Boolean [h, w]: inside a V7 mask, the medial lower part that may be heart."""
    zone = np.zeros(mask.shape, bool)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if rows.size == 0:
        return zone
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    width, middle = right - left, (left + right) / 2
    x0, x1 = round(middle - IGNORE_WIDTH / 2 * width), round(middle + IGNORE_WIDTH / 2 * width)
    zone[round(bottom - IGNORE_HEIGHT * (bottom - top)) : bottom, x0:x1] = True
    return zone & mask


def loss(logits: torch.Tensor, target: torch.Tensor, trust: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy plus 1 - soft Dice, both over trusted pixels only; all [n, 1, h, w]."""
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    entropy = (entropy * trust).sum() / trust.sum()
    lung = torch.sigmoid(logits) * trust
    overlap = (lung * target).sum((1, 2, 3))
    size = lung.sum((1, 2, 3)) + (target * trust).sum((1, 2, 3))
    return entropy + (1 - (2 * overlap + 1) / (size + 1)).mean()


def heartless(data: Dataset, row: Row) -> np.ndarray:
    return eight_bit_mask(read_grey(data.folder / row.heartless_mask_path))


def eight_bit_mask(mask: np.ndarray) -> np.ndarray:
    return np.round(255 * np.clip(resize(mask > 127), 0, 1)).astype(np.uint8)


def mask_of(data: Dataset, row: Row) -> tuple[np.ndarray, np.ndarray]:
    """Lung share 0..255 and trust 0 or 1, uint8 [224, 224] each."""
    if row.heartless_mask_path:
        return heartless(data, row), np.ones((SIZE, SIZE), np.uint8)
    mask = eight_bit_mask(read_grey(data.folder / row.mask_path))
    trust = np.ones_like(mask)
    if row.v7_mask:
        trust[heart_zone(mask > 127)] = 0
    return mask, trust


def training_rows(data: Dataset, run: LungsRun) -> list[Row]:
    """Licensed rows of the train split with a mask; of the children's a sample. The annotations are CC BY 4.0, the
    films have terms of their own."""
    rows = data.select(
        lambda r: (
            frontal(r) and r.split == "train" and TERMS[run.terms](r) and bool(r.mask_path or r.heartless_mask_path)
        )
    )
    young = [r for r in rows if r.source == "kermany"]
    kept = {young[i].index for i in np.random.default_rng(run.seed).permutation(len(young))[:CHILDREN]}
    return [r for r in rows if r.source != "kermany" or r.index in kept]


def judged_rows(data: Dataset, run: LungsRun) -> list[Row]:
    """Manual and heartless masks of patients never trained on."""
    return data.select(
        lambda r: frontal(r) and r.split in run.judged and (r.manual_mask or bool(r.heartless_mask_path))
    )


class Films:
    def __init__(self, data: Dataset, crops: Crops, rows: list[Row]):
        self.rows, self.n = rows, np.stack([crops.film[r.index] for r in rows]).astype(np.float32) / np.float32(255)
        self.mask, self.trust = (np.stack(part) for part in zip(*(mask_of(data, r) for r in rows), strict=True))

    def batch(self, picks: np.ndarray, half: bool, rng: np.random.Generator) -> tuple[torch.Tensor, ...]:
        """N, target and trust, augmented: float32 [n, 1, s, s] with s 112 or 224."""
        x, y, t = (torch.from_numpy(a[picks])[:, None].float() for a in (self.n, self.mask, self.trust))
        y = y / 255
        if half:
            x, y, t = (F.avg_pool2d(v, 2) for v in (x, y, t))
        grid = lung_changes.affine_grid(len(picks), x.shape[-1], rng, degrees=8, zoom=0.14, shift=0.06, flip=0)
        x = lung_changes.intensity(lung_changes.warp(x, grid, "border" if rng.random() < 0.5 else "zeros"), rng)
        return x, lung_changes.warp(y, grid), (lung_changes.warp(t, grid, "border") > 0.99).float()


def order_of(rows: list[Row], rng: np.random.Generator) -> np.ndarray:
    """A pass: each film once, those with heartless masks several times."""
    places = np.repeat(np.arange(len(rows)), [HEARTLESS_TIMES if r.heartless_mask_path else 1 for r in rows])
    return rng.permutation(places)


def train(run: LungsRun) -> None:
    data = Dataset()
    crops, folder = Crops(data), RunFolder(run.name, run.settings(data))
    if folder.done:
        return
    films = Films(data, crops, training_rows(data, run))
    mean, std = round(float(films.n.mean(dtype=np.float64)), 6), round(float(films.n.std(dtype=np.float64)), 6)
    torch.manual_seed(run.seed)
    net = UNet(run.filters).to(device(), memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(net.parameters(), lr=run.rate)
    fit(run, folder, net, films, optimiser, mean, std)
    judged = judged_rows(data, run)
    found = probabilities(
        net, np.stack([crops.film[r.index] for r in judged]).astype(np.float32) / np.float32(255), mean, std
    )
    truth = [mask_of(data, r)[0] > 127 for r in judged]
    scores = np.array([dice(clean_mask(p), m) for p, m in zip(found, truth, strict=True)])
    folder.finish(
        {"rows": np.array([r.index for r in judged]), "dice": scores},
        net.state_dict(),
        mean=mean,
        std=std,
        filters=run.filters,
        trained=[r.index for r in films.rows],
    )
    kinds = {
        kind: [d for d, r in zip(scores, judged, strict=True) if bool(r.heartless_mask_path) == heart]
        for kind, heart in (("manual", False), ("heartless", True))
    }
    folder.tell(
        event="finished", judged=len(judged), dice={kind: round(float(np.mean(d)), 4) for kind, d in kinds.items() if d}
    )


def fit(
    run: LungsRun, folder: RunFolder, net: UNet, films: Films, optimiser: torch.optim.Optimizer, mean: float, std: float
) -> None:
    passes, each = run.coarse + run.fine, len(order_of(films.rows, np.random.default_rng(0))) // BATCH
    state = folder.load() or {"pass": 0, "seconds": 0.0}
    if state["pass"]:
        net.load_state_dict(state["net"])
        optimiser.load_state_dict(state["optimiser"])
    folder.tell(
        event="resumed" if state["pass"] else "started", films=len(films.rows), done=state["pass"], passes=passes
    )
    for number in range(state["pass"], passes):
        rng, began, total = np.random.default_rng([run.seed, number]), time.time(), 0.0
        torch.manual_seed(run.seed * 1000 + number)
        order = order_of(films.rows, rng)
        net.train()
        for step in range(each):
            optimiser.param_groups[0]["lr"] = run.rate * cosine(number * each + step, passes * each, warm=each)
            x, y, t = films.batch(order[step * BATCH : (step + 1) * BATCH], number < run.coarse, rng)
            with mixed():
                out = net(((x - mean) / std).to(device(), memory_format=torch.channels_last))
            value = loss(out.float(), y.to(device()), t.to(device()))
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            total += value.item()
        state = {"pass": number + 1, "seconds": state["seconds"] + time.time() - began}
        folder.save(net=net.state_dict(), optimiser=optimiser.state_dict(), **state)
        folder.tell(
            done=number + 1, passes=passes, loss=round(total / each, 4), minutes=round(state["seconds"] / 60, 1)
        )


@torch.no_grad()
def probabilities(net: UNet, films: np.ndarray, mean: float, std: float, fast: bool = True) -> np.ndarray:
    net.eval()
    out = []
    for i in range(0, len(films), BATCH):
        with mixed(fast):
            z = net(
                ((torch.from_numpy(films[i : i + BATCH])[:, None] - mean) / std).to(
                    device(), memory_format=torch.channels_last
                )
            )
        out.append(torch.sigmoid(z[:, 0].float()).cpu().numpy())
    return np.concatenate(out)
