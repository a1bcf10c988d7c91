#!/usr/bin/env python3
"""Train, cross-validate and export the frontal/lateral VGG19 (models/view-vgg19). Resumable."""
from __future__ import annotations

import argparse
import copy

import numpy as np

from hilum_training import classifier, features, view_task
from hilum_training.arguments import count, some, whole
from hilum_training.data import Dataset
from hilum_training.runtime import Run, start
from hilum_training.view_export import export_view

MIRRORED = 0.5
STRONG = {"degrees": 12, "zoom": 0.2, "shift": 0.08}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder with cxr/manifest.csv (default: $HILUM_DATA_DIR or ../shared/data)")
    parser.add_argument("--epochs", type=count, default=0, help="of blocks 4-5; 0: dense layer only")
    parser.add_argument("--draws", type=some, default=480, help="films per epoch")
    parser.add_argument("--rate", type=float, default=2e-6)
    parser.add_argument("--copies", type=count, default=14, help="augmented copies of each lateral")
    parser.add_argument("--frontal-copies", type=count, default=2, help="augmented copies of each frontal")
    parser.add_argument("--penalty", type=float, default=1e-4, help="of the dense layer's squared weights")
    parser.add_argument("--folds", type=lambda text: whole(text, 2), default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-cross-validation", action="store_true", help="export with the threshold 0.5")
    args = parser.parse_args()
    start(args.seed)
    data = Dataset(args.data)

    rows = view_task.pool(data, args.seed)
    labels = np.array([r.lateral for r in rows])
    ship = view_task.shipped(rows)
    films = data.films()[[r.index for r in rows]]
    mean, std = (round(float(v), 6) for v in (films[ship].mean(dtype=np.float64), films[ship].std(dtype=np.float64)))
    net = classifier.new_network(data, films[ship], mean, std, args.seed)
    print(f"{len(rows)} films in the pool, {ship.sum()} for the shipped model, {labels.sum()} laterals", flush=True)

    plain = features.cached("view", net, films, mean, std)
    laterals = np.flatnonzero(labels)
    changed = [features.cached(f"view-lateral-{i}", net, films[laterals], mean, std, features.changer(100 + i, MIRRORED, **STRONG), i)
               for i in range(args.copies)]
    frontals = np.flatnonzero(~labels)
    changed_frontals = [
        features.cached(f"view-frontal-{i}", net, films[frontals], mean, std, features.changer(200 + i, MIRRORED, **STRONG), i)
        for i in range(args.frontal_copies)]
    everything, owner = view_task.stack(plain, laterals, changed, frontals, changed_frontals)
    first = features.kept(f"view-{len(everything)}", net, lambda: classifier.pooled(net, view_task.Part(everything)))

    def train(name: str, allowed: np.ndarray):
        """One model on the allowed rows and their copies."""
        use = np.flatnonzero(allowed[owner])
        fresh = copy.deepcopy(net)
        config = {k: getattr(args, k) for k in ("epochs", "draws", "rate", "penalty", "copies", "frontal_copies", "seed")} | {
            "data": data.key, "name": name, "rows": [rows[i].index for i in np.flatnonzero(allowed)]}
        chance = classifier.draw_weights([rows[owner[i]] for i in use], labels[owner[use]])
        state = classifier.fit(Run("view-vgg19", config), fresh, [view_task.Part(everything, use)], labels[owner[use]],
                               chance, epochs=args.epochs, draws=args.draws, rate=args.rate, seed=args.seed,
                               first=first[use], penalty=args.penalty)
        return fresh, state

    model, state = train("shipped", ship)
    unseen = classifier.logits(model, plain, np.flatnonzero(~ship))
    print(f"{(~ship).sum()} laterals the shipped model has not seen: lowest logit {unseen.min():.2f}", flush=True)
    cross = None
    if not args.no_cross_validation:
        fold, scores = view_task.folds(rows, args.folds, args.seed), np.zeros(len(rows))
        for k in range(args.folds):
            net_k, _ = train(f"fold-{k}", view_task.licensed(rows) & (fold != k))
            scores[fold == k] = classifier.logits(net_k, plain, np.flatnonzero(fold == k))
            print(f"fold {k}: {int((labels & (fold == k)).sum())} laterals, lowest {scores[(fold == k) & labels].min():.2f}, "
                  f"highest frontal {scores[(fold == k) & ~labels].max():.2f}", flush=True)
        cross = view_task.cross_validated(rows, labels, classifier.sigmoid(scores), args.folds)
        print(cross, flush=True)
    export_view(model, state, [r for r, s in zip(rows, ship) if s], cross, mean, std, args)


if __name__ == "__main__":
    main()
