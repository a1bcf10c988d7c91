"""What the shipped pipeline does on the test split: the reports of `hilum evaluate` and of `npm run gate`, kept in
training/results for docs/results.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .results import write_result

#: report.json's words for what metrics.py names otherwise.
MEASURES = ("accuracy", "sensitivity", "specificity")
CONFUSION = {"tp": "truePositive", "fn": "falseNegative", "fp": "falsePositive", "tn": "trueNegative"}


def share(entry: dict) -> dict:
    return {"value": entry["value"], "interval95": entry["interval"]}


def at(entry: dict) -> dict:
    """Figures of `hilum evaluate` at one threshold."""
    return {
        "threshold": entry["threshold"],
        **{name: share(entry[name]) for name in MEASURES},
        "f1": {"value": entry["f1"], "interval95": entry["f1Interval"]},
        "confusion": {short: entry["confusion"][name] for short, name in CONFUSION.items()},
    }


def evaluated(report: dict) -> dict[str, Any]:
    """``report``: report.json of `hilum evaluate`. Without its list of films."""
    return {
        "counts": {name: report["counts"][name] for name in ("labelled", "analysed", "positive")},
        "excluded": [{name: e[name] for name in ("reason", "positive", "negative")} for e in report["excluded"]],
        "auc": share(report["auc"]),
        "averagePrecision": share(report["averagePrecision"]),
        "atHalf": at(report["atHalf"]),
        "atOperatingPoint": at(report["atOperatingPoint"]),
        "sensitivityWithLeftOut": share(report["sensitivityWithLeftOut"]),
        "proposed": {
            "threshold": report["proposed"]["figures"]["threshold"],
            **{name: share(report["proposed"]["figures"][name]) for name in ("sensitivity", "specificity")},
        },
    }


def refused(report: dict) -> dict[str, Any]:
    """``report``: what `npm run gate -- --json` prints. Groups, and the kinds that are not refused whole."""
    return {
        "models": report["models"],
        "whole": [row for row in report["whole"] if "refused" in row],
        "groups": report["groups"],
        "passed": [row for row in report["kinds"] if row["refused"] < row["n"]],
    }


def write(evaluation: Path | None, gate: Path | None, results: Path | None = None) -> int:
    if evaluation is not None:
        report = json.loads(evaluation.read_text(encoding="utf-8"))
        write_result(
            "pipeline",
            "npx hilum evaluate --labels FILE --films DIR --out OUT --sensitivity 0.9",
            evaluated(report),
            results,
        )
    if gate is not None:
        report = json.loads(gate.read_text(encoding="utf-8"))
        write_result("refused", "npm run gate -- --pictures DIR --out FILE.jsonl --json", refused(report), results)
    return 0
