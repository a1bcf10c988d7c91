"""What version 2 was to reach on the test split, and what was measured: `python3 training/results.py aims`."""
from __future__ import annotations

import json

from .data import ROOT
from .results import read_result

DICE, KERMANY, EXTERNAL = "Dice >= 0.97 on masks drawn by people", "COVID-19 on Cohen + Kermany >= 0.98 accuracy", "AUC >= 0.85 on sources left out"


def aims() -> list[tuple[str, str, bool]]:
    """Aim, what was measured, whether it is reached."""
    return [view(), dice(), kermany(), *external(), calibration(), gate_pictures(), gate_films(), arithmetic()]


def view():
    entry = quantised("view-vgg19")["kinds"]["shipped"]["accuracy"]
    return "view >= 0.995 accuracy", with_interval(entry, 4) + f", n {entry['n']}", entry["value"] >= 0.995


def dice():
    parts = metrics("lungs-unet16")["test"]["manual"]["eightBit"]
    return DICE, ", ".join(f"{name} {e['dice']:.3f} ({e['n']})" for name, e in parts.items()), parts["all"]["dice"] >= 0.97


def kermany():
    cells = {c["region"]: c["test"]["accuracy"] for c in read_result("grid")["cells"] if c["negatives"] == "Cohen + Kermany"}
    return KERMANY, ", ".join(f"{region} {with_interval(e)}" for region, e in cells.items()), cells["lungs"]["value"] >= 0.98


def external():
    """The lungs, trained as shipped: each group with both classes in turn; the best way that was tried is no estimate, as the same films chose it."""
    runs = [r for r in read_result("external")["runs"] if r["leftOut"]["auc"]["value"] is not None and r["leftOut"]["films"] - r["leftOut"]["positive"] >= 10]
    for name in dict.fromkeys(r["out"] for r in runs):
        group = [r for r in runs if r["out"] == name]
        shipped = next(r["leftOut"] for r in group if r["region"] == "lungs" and r["way"] == "as shipped")
        all_ways = [r["leftOut"]["auc"]["value"] for r in group]
        yield (f"{EXTERNAL}: {name}", f"{with_interval(shipped['auc'])}, {shipped['films']} films; over all ways tried {min(all_ways):.2f} to {max(all_ways):.2f}",
               shipped["auc"]["value"] >= 0.85)


def calibration():
    value = quantised("covid-vgg19-lungs")["kinds"]["shipped"]["calibrationError"]
    return "expected calibration error <= 0.05", f"{value:.3f}", value <= 0.05


def gate_pictures():
    """Kinds of pictures that the gate learnt from, and kinds that it did not."""
    groups = {g["name"]: g for g in metrics("gate-cnn")["groups"]}
    unseen = groups["changed film, kind not learnt from"]
    known = [g for name, g in groups.items() if name not in ("frontal film", "mirrored film", unseen["name"])]
    refused, n = (sum(g[key] for g in known) for key in ("refused", "n"))
    return "non-films refused >= 99 %", f"{refused} of {n} of known kinds; {unseen['refused']} of {unseen['n']} of kinds never seen", refused / n >= 0.99


def gate_films():
    films = next(g for g in metrics("gate-cnn")["groups"] if g["name"] == "frontal film")
    entry = {"value": films["share"], "interval95": films["interval95"]}
    return "frontal films refused <= 1 %", f"{films['refused']} of {films['n']}, {with_interval(entry, 4)}", films["share"] <= 0.01


def arithmetic():
    lost = {m["id"]: m["kinds"]["weights"]["accuracy"]["value"] - m["kinds"]["qdq"]["accuracy"]["value"] for m in read_result("quantised")["models"]}
    return ("8-bit arithmetic costs <= 0.5 point of accuracy", ", ".join(f"{name} {100 * value:.2f} point" for name, value in lost.items()) + " (against version 1, same calibration)",
            max(lost.values()) <= 0.005)


def quantised(name: str) -> dict:
    return next(m for m in read_result("quantised")["models"] if m["id"] == name)


def metrics(name: str) -> dict:
    return json.loads((ROOT / "models" / name / "metrics.json").read_text(encoding="utf-8"))


def with_interval(entry: dict, digits: int = 3) -> str:
    low, high = entry["interval95"]
    return f"{entry['value']:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"
