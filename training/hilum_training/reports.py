"""Tables and figures of the shipped models on the test split, for evaluate.py."""
from __future__ import annotations

import numpy as np
import torch

from . import manifests, plausibility
from .data import Dataset, Row, covid_licence_allows, known_finding
from .journal import answered
from .lung_export import lung_probability
from .metrics import auc, auc_interval, binary, calibration_error, dice, iou, roc, share
from .onnx_export import load_unet
from .preprocess import clean_mask
from .runtime import cache_dir
from .scoring import scores
from .unet import UNet


def say(label: str, value) -> None:
    print(f"{label:<44} {value}", flush=True)


def percent(entry: dict) -> str:
    if entry["value"] is None:
        return "-"
    low, high = entry["interval95"]
    return f"{entry['value']:.4f} ({low:.4f} to {high:.4f}), n {entry['n']}"


BEFORE = ("float: the network before rounding, its probabilities calibrated as in version 1; blocks 4-5 start on the 8-bit grid, "
          "so only blocks 1-3 differ unless blocks 4-5 were trained")


def by_source(rows: list[Row], pick=lambda r: r.source):
    """(name, indices) of every group of rows."""
    names = np.array([pick(r) for r in rows])
    for name in sorted(set(names)):
        yield name, np.flatnonzero(names == name)


def view(data: Dataset, fast: bool) -> dict:
    rows = data.select(lambda r: r.split == "test")
    labels = np.array([r.lateral for r in rows])
    manifest = manifests.read("view")
    cut = manifest["operatingPoint"]["threshold"]
    report: dict = {"split": "test", "threshold": cut, "precision": "bfloat16" if fast else "float32", "note": BEFORE}
    for name, before in (("eightBit", False), ("float", True)):
        p = scores("view", data, rows, fast, before)
        if p is None:
            continue
        part = {"auc": auc(labels, p)} | binary(labels, p, cut)
        part["laterals"] = {"lowest": float(p[labels].min()), "highestFrontal": float(p[~labels].max())}
        part["frontalSpecificityBySource"] = {
            source: share(int((p[i] < cut).sum()), len(i))
            for source, i in by_source([r for r, l in zip(rows, labels) if not l])
            for i in [np.flatnonzero(~labels)[i]]}
        report[name] = part
        say(f"view, {name}: AUC", f"{part['auc']:.5f}")
        say("  laterals found", percent(part["sensitivity"]))
        say("  frontals called frontal", percent(part["specificity"]))
        for source, entry in part["frontalSpecificityBySource"].items():
            say(f"    {source}", percent(entry))
    cross = manifest["metrics"].get("crossValidation")
    if cross:
        say("cross-validation: laterals found", percent(cross["atThreshold"]["sensitivity"]))
        say("cross-validation: frontal specificity", percent(cross["atThreshold"]["specificity"]))
    return {"crossValidation": cross, "test": report}


def float_unet():
    path = cache_dir() / "lungs-float.pt"
    if not path.exists():
        return None
    stored = torch.load(path)
    net = UNet(stored["filters"])
    net.load_state_dict(stored["net"])
    return net.eval()


def lungs(data: Dataset, fast: bool) -> dict:
    shape = manifests.read("lungs")
    mean, std = shape["input"]["mean"], shape["input"]["std"]
    shipped, before = load_unet(manifests.folder("lungs") / "model.onnx"), float_unet()
    report: dict = {"split": "test"}
    for kind, keep in (("manual", lambda r: r.manual_mask), ("v7", lambda r: r.v7_mask)):
        rows = data.select(lambda r: r.split == "test" and not r.lateral and keep(r))
        if kind == "v7":
            rows = [r for r in rows if r.source != "kermany"] + [r for r in rows if r.source == "kermany"][:120]
        films = data.films()[[r.index for r in rows]]
        truth = data.masks()[[r.index for r in rows]] > 127
        for name, net in (("eightBit", shipped), ("float", before)):
            if net is None or (kind == "v7" and name == "float"):
                continue
            masks = [clean_mask(p) for p in lung_probability(net, films, mean, std, fast)]
            d = np.array([dice(a, b) for a, b in zip(masks, truth)])
            j = np.array([iou(a, b) for a, b in zip(masks, truth)])
            table = {"all": list(range(len(rows)))} | {s: list(i) for s, i in by_source(rows)}
            part = {s: {"n": len(i), "dice": float(d[i].mean()), "diceMedian": float(np.median(d[i])),
                        "diceLowest": float(d[i].min()), "iou": float(j[i].mean())} for s, i in table.items()}
            report.setdefault(kind, {})[name] = part
            for source, entry in part.items():
                say(f"lungs, {kind} masks, {name}, {source}", f"Dice {entry['dice']:.4f} (median {entry['diceMedian']:.4f}, "
                    f"lowest {entry['diceLowest']:.4f}), IoU {entry['iou']:.4f}, n {entry['n']}")
    report["v7"]["note"] = "another definition (with the lung behind the heart); not comparable with the manual figures"
    report["plausibility"] = false_refusals(data, shipped, mean, std, shape["plausibility"])
    return {"test": report}


def false_refusals(data: Dataset, net, mean, std, limits) -> dict:
    """Share of the test split's frontal films whose mask the plausibility rule refuses; laterals beside."""
    rows = data.select(lambda r: r.split == "test")
    found = [plausibility.reasons(plausibility.describe(p), limits)
             for p in lung_probability(net, data.films()[[r.index for r in rows]], mean, std, fast=True)]
    frontal = np.array([not r.lateral for r in rows])
    refused = np.array([bool(f) for f in found])
    out = {"frontalRefused": share(int(refused[frontal].sum()), int(frontal.sum())),
           "lateralRefused": share(int(refused[~frontal].sum()), int((~frontal).sum())),
           "bySource": {}, "reasons": {}}
    for source, i in by_source(rows):
        i = i[frontal[i]]
        out["bySource"][source] = share(int(refused[i].sum()), len(i))
    for row, why in zip(rows, found):
        for name in why if not row.lateral else []:
            out["reasons"][name] = out["reasons"].get(name, 0) + 1
    say("plausibility: frontal test films refused", percent(out["frontalRefused"]))
    for source, entry in out["bySource"].items():
        say(f"    {source}", percent(entry))
    say("  by reason", out["reasons"])
    return out


def covid(data: Dataset, fast: bool, journal: dict | None = None) -> dict:
    """``journal``: of `hilum evaluate`; then only the films that it holds and that its pipeline did not refuse."""
    split = data.select(lambda r: r.split == "test" and known_finding(r))
    use = np.array([journal is None or answered(journal, r.path, "probability") for r in split])
    rows = [r for r, u in zip(split, use) if u]
    labels = np.array([r.covid for r in rows])
    patients = np.array([r.patient for r in rows])
    manifest = manifests.read("covid")
    cut = manifest["operatingPoint"]["threshold"]
    licensed = np.array([covid_licence_allows(r) for r in rows])
    source = np.array([r.source for r in rows])
    child = source == "kermany"
    groups = {
        "pooled": np.ones(len(rows), bool), "pooledAdults": ~child,
        "cohen": source == "cohen",
        "licensedSources": licensed, "unseenSources": ~licensed,
        "covidVersusAdultPneumonia": labels | (~child & np.array([r.finding != "normal" for r in rows])),
    }
    report: dict = {"split": "test" if use.all() else f"test, {use.sum()} of {len(split)} films", "operatingPoint": cut, "precision": "bfloat16" if fast else "float32", "note": BEFORE}
    for name, before in (("eightBit", False), ("float", True)):
        if journal is not None and not before:
            p = np.array([journal[r.path]["probability"] for r in rows])
        else:
            p = scores("covid", data, split, fast, before)
            if p is None:
                continue
            p = p[use]
        part = {}
        for group, keep in groups.items():
            part[group] = {
                "films": int(keep.sum()), "covid": int(labels[keep].sum()), "auc": auc(labels[keep], p[keep]),
                "aucInterval95": auc_interval(labels[keep], p[keep], patients[keep]),
                "atHalf": binary(labels[keep], p[keep], 0.5), "atOperatingPoint": binary(labels[keep], p[keep], cut),
                "calibrationError": calibration_error(labels[keep], p[keep])}
        part["bySource"] = {
            s: {"films": len(i), "covid": int(labels[i].sum()), "auc": auc(labels[i], p[i]),
                "atHalf": binary(labels[i], p[i], 0.5), "atOperatingPoint": binary(labels[i], p[i], cut)}
            for s, i in by_source(rows)}
        if name == "eightBit":
            part["roc"] = roc(labels, p)
        report[name] = part
        show_covid(name, part)
    return {"validation": manifest["metrics"].get("validation"), "test": report}


def show_covid(name: str, part: dict) -> None:
    for group, entry in part.items():
        if group in ("roc", "bySource") or entry["auc"] is None:
            continue
        low, high = entry["aucInterval95"]
        say(f"covid, {name}, {group}", f"AUC {entry['auc']:.4f} ({low:.4f} to {high:.4f}), {entry['covid']} of {entry['films']}")
        for point in ("atHalf", "atOperatingPoint"):
            at = entry[point]
            say(f"    {point} {at['threshold']:.4f}", f"sens {percent(at['sensitivity'])}; spec {percent(at['specificity'])}; "
                f"acc {at['accuracy']['value']:.4f}; F1 {at['f1']:.4f}")
    for source, entry in part["bySource"].items():
        area = "-" if entry["auc"] is None else f"{entry['auc']:.4f}"
        at = entry["atHalf"]
        say(f"  {source}", f"AUC {area}, covid {entry['covid']} of {entry['films']}; at 0.5: sens {percent(at['sensitivity'])}; "
            f"spec {percent(at['specificity'])}")
