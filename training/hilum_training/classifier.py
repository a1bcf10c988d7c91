"""Training of VGG19's blocks 4-5 and dense layer on cached block-3 output."""
from __future__ import annotations

import time

import numpy as np
import torch
from torch.nn import functional as F

from .data import Dataset
from .metrics import auc
from .runtime import Run, cosine, mixed
from .vgg import VGG19, rescale_block3, start_from_imagenet
from .features import block3

BATCH = 24


def new_network(data: Dataset, films: np.ndarray, mean: float, std: float, seed: int) -> VGG19:
    """ImageNet blocks 1-3 brought to unit scale on a sample of ``films`` [n, 224, 224]; identities behind them."""
    net = VGG19().to(memory_format=torch.channels_last)
    weights = data.folder.parent / "weights" / "vgg19-imagenet-block1-3.npz"
    start_from_imagenet(net, weights, mean, std, seed)
    sample = np.random.default_rng(seed).permutation(len(films))[:48]
    rescale_block3(net, block3(net, ((films[np.sort(sample)] - mean) / std).astype(np.float32), fast=False))
    return net.eval().eight_bit(True)


def tensor(features: np.ndarray) -> torch.Tensor:
    """Cached float16 [n, 256, 28, 28] to what the processor computes fastest."""
    return torch.from_numpy(np.array(features, np.float32)).contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def logits(net: VGG19, features: np.ndarray, picks=None) -> np.ndarray:
    """Logit of every film, float64 [n], from cached block-3 output."""
    picks = np.arange(len(features)) if picks is None else np.asarray(picks)
    out = []
    for i in range(0, len(picks), BATCH):
        with mixed():
            a = net.activation(tensor(features[picks[i:i + BATCH]]))
        out.append(net.classify(a)[:, 0].double().numpy())
    return np.concatenate(out)


@torch.no_grad()
def pooled(net: VGG19, features: np.ndarray) -> torch.Tensor:
    """Mean activation of block5_conv4 of every film: [n, 512]."""
    out = []
    for i in range(0, len(features), BATCH):
        with mixed():
            out.append(net.activation(tensor(features[i:i + BATCH])).float().mean((2, 3)))
    return torch.cat(out)


def fit_dense(net: VGG19, x: torch.Tensor, y: np.ndarray, weight: np.ndarray, penalty: float = 3e-3) -> None:
    """Logistic regression of the dense layer on pooled activations [n, 512], by L-BFGS, on scaled columns."""
    x, y = x.double(), torch.from_numpy(y).double()
    weight = torch.from_numpy(weight / weight.sum()).double()
    centre, spread = x.mean(0), x.std(0)
    spread = spread.clamp_min(float(spread.median()))  # a channel that hardly varies must not get a huge weight
    z = (x - centre) / spread
    w, b = torch.zeros(512, dtype=torch.double, requires_grad=True), torch.zeros((), dtype=torch.double, requires_grad=True)
    optimiser = torch.optim.LBFGS([w, b], max_iter=300, line_search_fn="strong_wolfe")

    def closure():
        optimiser.zero_grad()
        value = F.binary_cross_entropy_with_logits(z @ w + b, y, weight=weight, reduction="sum") + penalty * w.pow(2).sum()
        value.backward()
        return value

    optimiser.step(closure)
    with torch.no_grad():
        net.head.weight.copy_((w / spread)[None].float())
        net.head.bias.copy_((b - (w * centre / spread).sum())[None].float())


def draw_weights(rows, labels: np.ndarray, positive: float = 0.5) -> np.ndarray:
    """Chance of each film to be drawn: ``positive`` for the positives together; within a class each source
    counts as the square root of its number of films, so that no source is learnt for the class."""
    sources = np.array([r.source for r in rows])
    chance = np.zeros(len(rows))
    for label, share in ((True, positive), (False, 1 - positive)):
        members = labels == label
        names, count = np.unique(sources[members], return_counts=True)
        total = np.sqrt(count).sum()
        for name, n in zip(names, count):
            chance[members & (sources == name)] = share * np.sqrt(n) / total / n
    return chance / chance.sum()


def fit(run: Run, net: VGG19, copies: list[np.ndarray], labels: np.ndarray, chance: np.ndarray, *, epochs: int,
        draws: int, rate: float, seed: int, validation=None, first: torch.Tensor | None = None,
        penalty: float = 3e-3, stop: bool = False) -> dict:
    """Dense layer first, then blocks 4-5 with it. ``copies``: the films and their augmented versions, each
    [n, 256, 28, 28]; every draw takes one of them. ``validation(net) -> dict`` with key ``score`` picks the epoch.
    ``first``: pooled activations of all copies through the untrained network, where they are known already.
    ``stop``: train no further than the checkpoint.

    Returns the run's state; ``net`` holds the best epoch's weights.
    """
    # A step of Adam moves all 4608 weights into a channel by about ``rate`` each, often the same way, and identities
    # pass the sum on: at 1e-4 the blocks lose in a few steps what they start with. Hence 2e-6, the head at ten times that.
    blocks = [*net.blocks[3].parameters(), *net.blocks[4].parameters()]
    optimiser = torch.optim.Adam([{"params": blocks, "lr": rate}, {"params": net.head.parameters(), "lr": 10 * rate}])
    state = run.stored() if stop else run.load()
    if state is None:
        x = torch.cat([pooled(net, copy) for copy in copies]) if first is None else first
        fit_dense(net, x, np.tile(labels, len(copies)).astype(float), np.tile(chance, len(copies)), penalty)
        line = {"epoch": 0, "loss": None} | (validation(net) if validation else {})
        print(line, flush=True)
        state = {"epoch": 0, "curve": [line], "best": _trained(net), "net": _trained(net), "optimiser": optimiser.state_dict()}
        run.save(**state)
    net.load_state_dict(state["net"], strict=False)
    optimiser.load_state_dict(state["optimiser"])
    steps = draws // BATCH
    for epoch in range(state["epoch"], state["epoch"] if stop else epochs):
        rng, began, total = np.random.default_rng([seed, epoch]), time.time(), 0.0
        for step in range(steps):
            for group, most in zip(optimiser.param_groups, (rate, 10 * rate)):
                group["lr"] = most * cosine(epoch * steps + step, epochs * steps, warm=10)
            picks = rng.choice(len(labels), BATCH, p=chance)
            versions = rng.integers(0, len(copies), BATCH)
            x = tensor(np.stack([copies[v][p] for v, p in zip(versions, picks)]))
            y = torch.from_numpy(labels[picks].astype(np.float32))[:, None]
            with mixed():
                a = net.activation(x)
            value = F.binary_cross_entropy_with_logits(net.classify(a), y * 0.98 + 0.01)
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            total += value.item()
            if step % 10 == 0:
                print(f"  step {step}/{steps}: loss so far {total / (step + 1):.4f}", flush=True)
        line = {"epoch": epoch + 1, "loss": total / steps} | (validation(net) if validation else {})
        line["seconds"] = time.time() - began
        best = max((p.get("score", p["epoch"]) for p in state["curve"]), default=-1)
        state["curve"].append(line)
        state |= {"epoch": epoch + 1, "net": _trained(net), "optimiser": optimiser.state_dict()}
        if line.get("score", line["epoch"]) >= best:
            state["best"] = _trained(net)
        print(line, flush=True)
        run.save(**state)
    net.load_state_dict(state["best"], strict=False)
    return state


def _trained(net: VGG19) -> dict:
    """A copy of the weights that training changes."""
    return {k: v.detach().clone() for k, v in net.state_dict().items() if not k.startswith(("blocks.0", "blocks.1", "blocks.2"))}


def validator(features: np.ndarray, labels: np.ndarray):
    """Validation by AUC, the log loss breaking ties: score = AUC - log loss / 100."""
    def check(net: VGG19) -> dict:
        z = logits(net, features)
        loss = float(np.mean(np.logaddexp(0, np.where(labels, -z, z))))
        area = auc(labels, z)
        return {"score": area - loss / 100, "validationAuc": area, "validationLoss": loss}

    return check


def best_temperature(z: np.ndarray, labels: np.ndarray) -> float:
    """T > 0 that minimises the log loss of sigmoid(z / T), by a fine search over 0.1 to 20."""
    grid = np.exp(np.linspace(np.log(0.1), np.log(20), 800))
    losses = [np.mean(np.logaddexp(0, np.where(labels, -z, z) / t)) for t in grid]
    return float(grid[int(np.argmin(losses))])


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.asarray(z, np.float64)))
