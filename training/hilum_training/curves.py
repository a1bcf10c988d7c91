"""ROC and precision-recall curves as docs/images/*.svg, drawn by matplotlib; the same scores give the same file."""
from __future__ import annotations

import numpy as np

from .data import ROOT
from .metrics import auc, average_precision

FOLDER = ROOT / "docs" / "images"


def points(y: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """False positive rate, sensitivity and precision at every threshold, from the strictest down; films of equal score move together."""
    y, p = np.asarray(y, bool), np.asarray(p, float)
    order = np.argsort(-p, kind="stable")
    last = np.append(np.diff(p[order]) != 0, True)
    hits, alarms = np.cumsum(y[order])[last], np.cumsum(~y[order])[last]
    return alarms / (~y).sum(), hits / y.sum(), hits / (hits + alarms)


def draw(name: str, title: str, lines: list[tuple[str, np.ndarray, np.ndarray]]) -> None:
    """``lines``: label, classes and scores of each curve."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams |= {"svg.hashsalt": name, "font.size": 9, "svg.fonttype": "none"}
    from matplotlib import pyplot as plt

    figure, (roc, pr) = plt.subplots(1, 2, figsize=(8.4, 4.2), layout="constrained")
    figure.suptitle(title)
    for label, y, p in lines:
        false, sensitivity, precision = points(y, p)
        roc.plot([0, *false], [0, *sensitivity], label=f"{label}: AUC {auc(y, p):.3f}", linewidth=1.3)
        pr.step([0, *sensitivity], [precision[0], *precision], where="pre", label=f"{label}: AP {average_precision(y, p):.3f}", linewidth=1.3)
    roc.plot([0, 1], [0, 1], color="0.7", linewidth=0.8, linestyle="--")
    share = float(np.mean(lines[0][1]))
    pr.axhline(share, color="0.7", linewidth=0.8, linestyle="--")
    for axes, x, y in ((roc, "1 - specificity", "sensitivity"), (pr, "sensitivity (recall)", "precision")):
        axes.set(xlabel=x, ylabel=y, xlim=(0, 1), ylim=(0, 1.01), aspect="equal")
        axes.legend(loc="lower right" if axes is roc else "lower left", frameon=False)
    FOLDER.mkdir(exist_ok=True)
    figure.savefig(FOLDER / f"{name}.svg", metadata={"Date": None})
    plt.close(figure)
    print(f"wrote docs/images/{name}.svg", flush=True)
