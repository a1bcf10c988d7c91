#!/usr/bin/env python3
"""Train and export the lung U-Net (models/lungs-unet16). Resumable; see training/README.md."""
from __future__ import annotations

import argparse
import time

import hilum_training  # noqa: F401 - first, it sets how OpenMP waits
import numpy as np
import torch
from torch.nn import functional as F

from hilum_training import augment, lung_task
from hilum_training.arguments import count
from hilum_training.data import Dataset
from hilum_training.lung_export import export_lungs
from hilum_training.metrics import dice
from hilum_training.runtime import Run, cosine, mixed, start
from hilum_training.unet import UNet

BATCH = 16


def batch_of(films, mask, trust, picks, half, rng):
    """One augmented batch: N, target and trust, each float32 [n, 1, s, s] with s = 112 or 224."""
    x = torch.from_numpy(films[picks])[:, None]
    y = torch.from_numpy(mask[picks])[:, None].float() / 255
    t = torch.from_numpy(trust[picks])[:, None].float()
    if half:
        x, y, t = (F.avg_pool2d(v, 2) for v in (x, y, t))
    grid = augment.affine_grid(len(picks), x.shape[-1], rng, degrees=8, zoom=0.14, shift=0.06, flip=0)
    x = augment.intensity(augment.warp(x, grid, "border" if rng.random() < 0.5 else "zeros"), rng)
    return x, augment.warp(y, grid), (augment.warp(t, grid, "border") > 0.99).float()


@torch.no_grad()
def validate(net, films, masks, mean, std):
    """Mean Dice over films [n, 224, 224] with manual masks."""
    net.eval()
    scores = []
    for i in range(0, len(films), BATCH):
        x = (torch.from_numpy(films[i:i + BATCH])[:, None] - mean) / std
        with mixed():
            out = net(x.contiguous(memory_format=torch.channels_last))
        scores += [dice(p, m) for p, m in zip(out[:, 0].float().numpy() >= 0, masks[i:i + BATCH] > 127)]
    return float(np.mean(scores))


def fit(args, data: Dataset):
    """Train to the end or resume; returns the network (eval mode), its run's state and its rows."""
    rows = lung_task.training_rows(data, args.children, args.seed)
    films = np.stack([data.films()[r.index] for r in rows])
    mask, trust = lung_task.targets(data, rows)
    mean, std = float(films.mean(dtype=np.float64)), float(films.std(dtype=np.float64))
    val = data.select(lambda r: r.manual_mask and r.split == "val")
    val_films = np.stack([data.films()[r.index] for r in val])
    val_masks = np.stack([data.masks()[r.index] for r in val])

    config = {k: getattr(args, k) for k in ("filters", "coarse", "fine", "rate", "children", "seed")} | {"data": data.key}
    run, net = Run(f"lungs-unet{args.filters}", config), UNet(args.filters).to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(net.parameters(), lr=args.rate)
    state = run.stored() if args.export_only else run.load() or {"epoch": 0, "curve": []}
    if state["epoch"]:
        net.load_state_dict(state["net"])
        optimiser.load_state_dict(state["optimiser"])
    epochs, steps = args.coarse + args.fine, len(rows) // BATCH
    print(f"{len(rows)} films, mean {mean:.4f}, std {std:.4f}", flush=True)
    for epoch in range(state["epoch"], 0 if args.export_only else epochs):
        rng = np.random.default_rng([args.seed, epoch])
        torch.manual_seed(args.seed * 1000 + epoch)
        order, began, total = rng.permutation(len(rows)), time.time(), 0.0
        net.train()
        for step in range(steps):
            optimiser.param_groups[0]["lr"] = args.rate * cosine(epoch * steps + step, epochs * steps, warm=steps)
            x, y, t = batch_of(films, mask, trust, order[step * BATCH:(step + 1) * BATCH], epoch < args.coarse, rng)
            with mixed():
                out = net(((x - mean) / std).contiguous(memory_format=torch.channels_last))
            value = lung_task.loss(out.float(), y, t)
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            total += value.item()
        score = validate(net, val_films, val_masks, mean, std) if epoch % 3 == 2 or epoch >= args.coarse else None
        state["curve"].append({"epoch": epoch + 1, "size": 112 if epoch < args.coarse else 224,
                               "loss": total / steps, "validationDice": score, "seconds": time.time() - began})
        print(state["curve"][-1], flush=True)
        state |= {"epoch": epoch + 1, "net": net.state_dict(), "optimiser": optimiser.state_dict()}
        run.save(**state)
    net.eval()
    return net, state, rows, mean, std


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder with cxr/manifest.csv (default: $HILUM_DATA_DIR or ../shared/data)")
    parser.add_argument("--filters", type=int, default=16, choices=(16, 32, 64))
    parser.add_argument("--coarse", type=count, default=22, help="epochs at 112 x 112")
    parser.add_argument("--fine", type=count, default=4, help="epochs at 224 x 224, after the coarse ones")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--children", type=count, default=180, help="children's films with V7 masks to add")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--export-only", action="store_true", help="export the last checkpoint as it is")
    args = parser.parse_args()
    start(args.seed)
    data = Dataset(args.data)
    net, state, rows, mean, std = fit(args, data)
    export_lungs(net, data, rows, state, mean, std, args)


if __name__ == "__main__":
    main()
