"""docs/results.md's tables. A table stands between ``<!-- table: NAME -->`` and ``<!-- end -->``; the words around it are written by hand."""
from __future__ import annotations

import json
import re

from .aims import aims
from .data import ROOT
from .results import read_result
from .text import figure, table
from .experiments import tables as measured

MARKED = re.compile(r"<!-- table: ([a-z-]+) -->\n.*?<!-- end -->", re.DOTALL)


def filled(page: str) -> str:
    return MARKED.sub(lambda m: f"<!-- table: {m[1]} -->\n{TABLES[m[1]]()}\n<!-- end -->", page)


def made(result: dict) -> str:
    return f"`{result['command']}`, {result['date']}, seed {result['seed']}, epochs {result['epochs']:g}, {result['seconds']} s."


FULL = ["n", "COVID-19", "accuracy", "sensitivity", "specificity", "F1", "AUC ROC", "AP", "TP / FN / FP / TN"]


def full_cells(entry: dict) -> list[str]:
    c = entry["confusion"]
    return [entry["films"], entry["positive"], *(figure(entry[k]) for k in ("accuracy", "sensitivity", "specificity", "f1", "auc", "ap")),
            f"{c['tp']} / {c['fn']} / {c['fp']} / {c['tn']}"]


def grid() -> str:
    result = read_result("grid")
    lines = [[c["region"], c["negatives"], f"{c['train']['covid']} of {c['train']['films']}", *full_cells(c["test"]), f"{c['test']['calibrationError']:.3f}"]
             for c in result["cells"]]
    return made(result) + "\n\n" + table(["region", "negatives", "learnt from", *FULL, "ECE"], lines)


def grid_groups(key: str) -> str:
    result = read_result("grid")
    lines = [[c["region"], name, *full_cells(entry)] for c in result["cells"] if c["negatives"] == "all other films" for name, entry in c[key].items()]
    return table(["region", "source" if key == "bySource" else "view", *FULL], lines)


def external() -> str:
    result = read_result("external")
    lines = [[r["region"], r["out"], f"{r['leftOut']['positive']} of {r['leftOut']['films']}", figure(r["seenSources"]["auc"]),
              figure(r["leftOut"]["auc"]), figure(r["leftOut"]["sensitivity"]), figure(r["leftOut"]["specificity"]),
              figure((r["cohenDisease"] or {}).get("auc"))]
             for r in result["runs"] if r["way"] == "as shipped"]
    return made(result) + "\n\n" + table(["region", "left out", "COVID-19", "AUC, test split of the sources seen", "AUC, left out", "sensitivity", "specificity",
                                          "AUC, Cohen's COVID-19 against its other diseases"], lines)


def external_sources() -> str:
    lines = [[r["region"], source, f"{e['positive']} of {e['films']}", figure(e["auc"]), figure(e["ap"]), figure(e["sensitivity"]), figure(e["specificity"])]
             for r in read_result("external")["runs"] if r["way"] == "as shipped" and "cxnet" in r["out"] for source, e in r["bySource"].items()]
    return table(["region", "source", "COVID-19", "AUC", "AP", "sensitivity", "specificity"], lines)


def external_ways() -> str:
    runs = read_result("external")["runs"]
    names = ("Cohen + cxnet + figure1 + ozturk's COVID-19", "Cohen + figure1 + actualmed", "actualmed")
    found = {(r["region"], r["way"], r["out"]): r for r in runs}
    lines = [[region, way, *(figure(found[region, way, n]["leftOut"]["auc"]) for n in names), figure(found[region, way, names[0]]["cohenDisease"]["auc"]),
              figure(found[region, way, "kermany"]["leftOut"]["specificity"]), figure(found[region, way, "hannover"]["leftOut"]["sensitivity"])]
             for region, way in dict.fromkeys((r["region"], r["way"]) for r in runs)]
    return table(["region", "way", *(f"AUC, {n} left out" for n in names), "of the first, Cohen's COVID-19 against its other diseases",
                  "specificity, kermany left out", "sensitivity, hannover left out"], lines)


def within() -> str:
    result = read_result("within")
    lines = [[c["region"], f"{c['figures']['positive']} of {c['figures']['films']}", figure(c["figures"]["auc"]), figure(c["figures"]["ap"])] for c in result["cells"]]
    return made(result) + "\n\n" + table(["region", "COVID-19", "AUC", "AP"], lines)


def unets() -> str:
    result = read_result("unets")
    lines = [[s["filters"], f"{s['parameters'] / 1e6:.2f} million", s["epochs"], s["films"], f"{s['trainSeconds']:.0f}", name, e["films"], figure(e["dice"], 4), figure(e["iou"], 4),
              f"{e['diceMedian']:.4f}", f"{e['diceLowest']:.3f}"] for s in result["sizes"] for name, e in s["bySource"].items()]
    return made(result) + "\n\n" + table(["first filters", "parameters", "epochs", "films learnt from", "seconds", "source", "n", "Dice", "IoU", "median Dice", "lowest Dice"], lines)


def masks() -> str:
    result = read_result("masks")
    return made(result) + "\n\n" + table(["compared", "films", "mean Dice", "median", "lowest"], [
        [c["what"], c["films"], f"{c['mean']:.4f}", f"{c['median']:.4f}", f"{c['lowest']:.3f}"] for c in result["cells"]])


def scratch() -> str:
    result = read_result("scratch")
    lines = [[m["task"], m["net"], f"{m['parameters'] / 1e6:.1f} million", m["epochs"], m["draws"], f"{m['trainSeconds']:.0f}", *full_cells(m["test"])] for m in result["models"]]
    return made(result) + "\n\n" + table(["task", "network", "parameters", "epochs", "films each", "seconds", "n", "positive", *FULL[2:]], lines)


def scratch_grid() -> str:
    lines = [[c["region"], c["negatives"], c["net"], c["epochs"], f"{c['train']['covid']} of {c['train']['films']}", *full_cells(c["test"])] for c in read_result("scratch")["cells"]]
    return table(["region", "negatives", "network", "epochs", "learnt from", *FULL], lines)


def both_classes(entry: dict | None) -> str:
    """Accuracy, where there is something to tell apart."""
    return figure(entry["accuracy"]) if entry and entry["auc"]["value"] is not None else "-"


def blocks() -> str:
    result = read_result("blocks")
    lines = [[r["out"], f"{r['train']['covid']} of {r['train']['films']}", len(r["curve"]), f"{r['curve'][-1]['validationAuc']:.3f}",
              *(figure((r[name] or {}).get("auc")) for name in ("seenSources", "leftOut", "cohenDisease")), both_classes(r["cohenKermany"])]
             for r in result["runs"]]
    return made(result) + "\n\n" + table(["left out", "learnt from", "epochs", "AUC, validation", "AUC, test split of the sources seen", "AUC, left out",
                                          "AUC, Cohen's COVID-19 against its other diseases", "accuracy, Cohen + Kermany (of the sources seen)"], lines)


def quantised() -> str:
    result = read_result("quantised")
    lines = []
    for m in result["models"]:
        for kind in KINDS:
            e = m["kinds"][kind]
            error = e["calibrationError"]
            lines.append([m["id"], KINDS[kind], m["films"], f"{e['megabytes']:.1f}", figure(e["accuracy"], 4), figure(e["auc"], 4),
                          "-" if error is None else f"{error:.3f}", e["timesAsFast"]])
    return made(result) + "\n\n" + table(["model", "arithmetic", "films", "MB", "accuracy", "AUC", "ECE", "times as fast"], lines)


KINDS = {"float": "float", "weights": "8-bit weights, float arithmetic (version 1)", "qdq": "8-bit arithmetic, QDQ",
         "shipped": "the same, calibrated (version 2, as shipped)"}


def maps() -> str:
    lines = [[m["id"], c["films"], f"{c['meanCamCorrelation']:.4f}", f"{c['lowestCamCorrelation']:.4f}", f"{c['sameHottestCell']:.0%}", f"{c['meanCellsApart']:.2f}",
              c["otherSideOfTheThreshold"], f"{c['greatestDifference']:.3f}", f"{c['timesAsFast']:.1f}"]
             for m in read_result("quantised")["models"] for c in [m["compared"]]]
    return table(["model", "films", "correlation of the maps, mean", "lowest", "same hottest cell of 14 x 14", "cells apart, mean", "other side of the threshold",
                  "greatest difference of the probability", "times as fast"], lines)


def calibration() -> str:
    words = {"before": "version 1 (temperature)", "after": "as shipped (scale and offset)"}
    lines = [[words[name], *full_cells(entry), f"{entry['calibrationError']:.3f}"]
             for m in read_result("quantised")["models"] if "calibration" in m for name, entry in m["calibration"].items()]
    return table(["calibration", *FULL, "ECE"], lines)


def points() -> str:
    lines = []
    for name in ("covid-vgg19-lungs", "covid-vgg19-removed"):
        manifest = json.loads((ROOT / "models" / name / "manifest.json").read_text(encoding="utf-8"))
        lines += [[name, f"{p['sensitivity']:.2f}", f"{p['threshold']:.4f}", f"{p['specificity']:.3f}"] for p in manifest.get("operatingPoints", [])]
    return table(["model", "sensitivity wanted", "threshold", "specificity on validation"], lines)


def heat() -> str:
    result = read_result("heat")
    lines = [[c["region"], c["films"], f"{c['lungArea']:.3f}", figure(c["insideLungs"]), figure(c["hottestInside"])] for c in result["cells"]]
    return made(result) + "\n\n" + table(["region", "films", "share of the film that is lung", "share of the heat inside the lungs", "hottest cell inside the lungs"], lines)


def site() -> str:
    result = read_result("evaluate")
    return made(result) + "\n\n" + table(["figure", "value"], [[k, v] for k, v in result["figures"].items()])


def audit() -> str:
    result = read_result("audit")
    lines = [[g["name"], g["atOperatingPoint"], g["warned"], figure(g["share"])] for g in result["groups"]]
    return made(result) + "\n\n" + table(["films at or above the operating point", "n", "warned of", "share"], lines)


def gate() -> str:
    report = json.loads((ROOT / "models" / "gate-cnn" / "metrics.json").read_text(encoding="utf-8"))
    rows = [*report["groups"], *(row for row in report["kinds"] if row["refused"] < row["n"] and not row["name"].startswith("mirrored"))]
    lines = [[r["name"], r["n"], r["refused"], figure({"value": r["share"], "interval95": r["interval95"]}), r["alone"]["view"], r["alone"]["gate"], r["alone"]["lungs"]] for r in rows]
    return table(["pictures", "n", "refused by the line", "share", "by the view model alone", "by the gate alone", "by the lung check alone"], lines)


def aim_lines() -> str:
    return table(["aim", "measured", "reached"], [[aim, measured, "yes" if reached else "**no**"] for aim, measured, reached in aims()])


TABLES = {
    "aims": aim_lines, "grid": grid, "grid-sources": lambda: grid_groups("bySource"), "grid-views": lambda: grid_groups("byView"), "external": external,
    "external-sources": external_sources, "external-ways": external_ways, "within": within, "unets": unets, "masks": masks, "scratch": scratch, "scratch-grid": scratch_grid, "blocks": blocks, "quantised": quantised,
    "gate": gate, "audit": audit, "maps": maps, "calibration": calibration, "points": points, "heat": heat, "evaluate": site,
}


TABLES |= measured.TABLES
