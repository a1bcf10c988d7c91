"""card.md of a model folder, for radiologists and physicists: what a new hospital may expect comes first."""

from __future__ import annotations

import json
from pathlib import Path

from ..export.ship import LABELS
from ..text import figure, table

ARITHMETIC = {"eightBit": "8 bits", "float": "float"}


def named(finding: str) -> str:
    """In the words of the manifest, where it has any."""
    return LABELS[finding][0] if finding in LABELS else finding


def percent(entry: dict | None) -> str:
    """A share with its interval and its number."""
    if not entry or entry.get("value") is None:
        return "-"
    low, high = entry["interval95"]
    return f"{entry['value']:.1%} ({low:.1%}-{high:.1%}), n {entry['n']}"


def counted(entry: dict) -> list[str]:
    return [f"{entry['positive']} of {entry['films']}", str(entry["patients"]), figure(entry["auc"])]


HEAD = ["films", "finding", "positive", "patients", "AUC"]


def best_of(entries: list[dict], crops: str = "film + box") -> dict | None:
    """Of reports that differ in seeds and crops the one of the shipped crops with most networks."""
    chosen = [e for e in entries if e["crops"] == crops]
    return max(chosen, key=lambda e: len(e["seeds"])) if chosen else None


def honest(runs: dict) -> str:
    """Adults with other disease at a hospital that was left out, then hosts and sources left out."""
    lines, words = [], []
    hosts = best_of(runs["hosts"])
    if hosts:
        lines.append(
            [
                "radiopaedia.org and eurorad.org, five folds by patient, all else in training",
                "COVID-19",
                *counted(hosts),
            ]
        )
    for group in dict.fromkeys(e["group"] for e in runs["leftOut"]):
        entry = best_of([e for e in runs["leftOut"] if e["group"] == group])
        for judged in entry["judged"] if entry else []:
            if "auc" in judged:
                lines.append([f"{judged['rows']}, left out with {group}", named(judged["finding"]), *counted(judged)])
        if entry and "diseasedAdultsCalled" in entry:
            words.append(
                "Diseased adults of NIH, years before COVID-19, called urgent at 90 % sensitivity where "
                "all of NIH is left out of training: "
                f"{percent(entry['diseasedAdultsCalled'])} of the test split, "
                f"{percent(entry['diseasedAdultsCalledAllSplits'])} of all splits."
            )
    return "\n\n".join([*words, table(HEAD, lines)])


def subgroups(runs: dict) -> str:
    hosts = best_of(runs["hosts"])
    cohen = best_of([e for e in runs["leftOut"] if e["group"] == "cohen"])
    lines = [
        [name, where, *counted(entry)]
        for where, report in (("hosts, five folds", hosts), ("all of Cohen, left out", cohen))
        if report
        for name, entry in report["bySubgroup"].items()
    ]
    return table(["group", "films", "COVID-19", "patients", "AUC"], lines)


def inside(test: dict) -> str:
    return table(HEAD, [[e["rows"], named(e["finding"]), *counted(e)] for e in test["inside"]])


def pooled(test: dict) -> str:
    lines = []
    for name, entry in test["pooled"].items():
        for where in ("atHalf", "atOperatingPoint"):
            e = entry[where]
            lines.append(
                [
                    named(name),
                    "0.5" if where == "atHalf" else "operating point",
                    *counted(e),
                    figure(e["accuracy"]),
                    figure(e["sensitivity"]),
                    figure(e["specificity"]),
                    figure(e["f1"]),
                ]
            )
    return table(
        ["finding", "threshold", "positive", "patients", "AUC", "accuracy", "sensitivity", "specificity", "F1"], lines
    )


def audited(runs: dict) -> list[str]:
    if "removed" not in runs:
        return []
    return [
        "A network that sees all but the lungs reaches an AUC of "
        f"{figure(runs['removed']['pooled']['auc'])} on the same films: as much as the source gives away."
    ]


def points(manifest: dict) -> str:
    lines = [
        [
            f.get("label", manifest["title"]),
            f.get("mode", "audit"),
            f"{f['evidence']['auc']:.3f}" if f.get("evidence") else "-",
            f"{p['sensitivity']:.2f}",
            f"{p['threshold']:.4f}",
            f"{p['specificity']:.3f}",
        ]
        for f in manifest.get("heads", [manifest])
        for p in f["operatingPoints"]
    ]
    return table(
        ["finding", "mode", "AUC on films left out", "sensitivity wanted", "threshold", "specificity on validation"],
        lines,
    )


def findings(manifest: dict, report: dict) -> list[str]:
    test, heat = report["test"], report["test"]["heat"]
    return [
        "## What a new hospital may expect",
        honest(report["runs"]),
        "By sex, age and projection:",
        subgroups(report["runs"]),
        "A finding whose AUC on films left out is below 0.75 is computed in shadow: nothing follows from it.",
        points(manifest),
        "## Inside sources, test split",
        inside(test),
        "Diseased adults of NIH called urgent at 90 % sensitivity, NIH's other patients in training: "
        f"{percent(test['diseasedAdultsCalled']['0.90'])}.",
        "## All sources, test split (mostly measures the source)",
        pooled(test),
        *audited(report["runs"]),
        f"Heat map of COVID-19 on {heat['films']} films: {figure(heat['insideLungs'])} of the heat lies "
        f"inside the lungs, which are {heat['lungArea']:.3f} of the film; "
        f"the hottest point in {figure(heat['hottestInside'])}.",
    ]


def check(manifest: dict, report: dict) -> list[str]:
    return [
        *(in_folds(report["folds"]) if report["folds"] else ["Not measured in folds yet."]),
        "Real chest radiographs in DICOM, by their pixels alone (the one named Fake is inverted):",
        table(
            ["file", "answer", "refused"],
            [[d["name"], d["answer"], "yes" if d["refused"] else "no"] for d in report["hospitalDicom"]],
        ),
    ]


def in_folds(folds: dict) -> list[str]:
    lines = [
        ["frontal chest films refused", percent(folds["frontalRefused"])],
        ["frontal films called lateral", percent(folds["frontalCalledLateral"])],
        ["laterals called lateral", percent(folds["lateralCalledLateral"])],
        ["pictures that are no film refused, kinds learnt from and real pictures", percent(folds["notFilmsRefused"])],
        ["of kinds never learnt from", percent(folds["kindsNeverSeenRefused"])],
        ["true reason told of a changed film that was refused", percent(folds["reasonTold"])],
    ]
    return [
        f"## Five folds by patient, {folds['folds']} networks",
        table(["what", "share (95 % Wilson interval)"], lines),
        "Frontal films refused, by source:",
        table(["source", "refused"], [[k, percent(v)] for k, v in folds["frontalRefusedBySource"].items()]),
        "Pictures refused, by kind:",
        table(["kind", "refused"], [[k, percent(v)] for k, v in folds["changedRefusedByKind"].items()]),
    ]


def dices(test: dict) -> str:
    lines = [
        [name, ARITHMETIC[where], str(e["n"]), figure(e, 4), f"{e['median']:.4f}", f"{e['lowest']:.3f}"]
        for where in ("eightBit", "float")
        for name, e in test[where].items()
    ]
    return table(["masks", "arithmetic", "films", "mean Dice", "median", "lowest"], lines)


def lungs(manifest: dict, report: dict) -> list[str]:
    return ["## Dice on patients never trained on", dices(report["test"])]


def vgg(manifest: dict, report: dict) -> list[str]:
    e = report["test"]
    return [
        "## Test split (mostly measures the source)",
        table(
            ["positive", "patients", "AUC", "accuracy at 0.5", "sensitivity", "specificity", "F1"],
            [[*counted(e), figure(e["accuracy"]), figure(e["sensitivity"]), figure(e["specificity"]), figure(e["f1"])]],
        ),
    ]


def text(folder: Path) -> str:
    manifest, report = (
        json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in ("manifest", "metrics")
    )
    kind = (
        "findings"
        if "runs" in report
        else "check"
        if "folds" in report
        else "lungs"
        if manifest["task"] == "lungs"
        else "vgg"
    )
    training = manifest["training"]
    data = table(
        ["source", "films", "licence"], [[d["source"], str(d["rows"]), d["licence"]] for d in training["data"]]
    )
    return (
        "\n\n".join(
            [
                f"# {manifest['title']}",
                f"`{manifest['id']}` version {manifest['version']}. {manifest['intendedUse']}",
                f"**Network.** {manifest['architecture']}.",
                *{"findings": findings, "check": check, "lungs": lungs, "vgg": vgg}[kind](manifest, report),
                "## Limits",
                "\n".join(f"- {line}" for line in manifest["limitations"]),
                "## Learnt from",
                data,
                training["notes"],
                f"Passes: {training['epochs']}, seed {training['seed']}, `{training['command']}`.",
                "## Licence",
                manifest["licence"],
                f"<!-- written by {training['command']} -->",
            ]
        )
        + "\n"
    )


def write(folder: Path) -> None:
    (folder / "card.md").write_text(text(folder), encoding="utf-8")


def overview(runs: dict) -> str:
    """All finished runs, for a terminal: seeds and crops beside each other."""
    lines = [["hosts, five folds", "covid", str(e["seeds"]), e["crops"], *counted(e)] for e in runs["hosts"]]
    lines += [
        [f"{j['rows']}, without {e['group']}", j["finding"], str(e["seeds"]), e["crops"], *counted(j)]
        for e in runs["leftOut"]
        for j in e["judged"]
        if "auc" in j
    ]
    lines += [
        [f"{j['rows']}, inside, test", j["finding"], str(e["seeds"]), e["crops"], *counted(j)]
        for e in runs["default"]
        for j in e["inside"]
    ]
    lines += [
        ["all sources, test", "covid", str(e["seeds"]), e["crops"], *counted(e["pooled"])] for e in runs["default"]
    ]
    words = [
        f"diseased adults of NIH called, NIH left out, seeds {e['seeds']}, {e['crops']}: "
        f"{percent(e['diseasedAdultsCalled'])}"
        for e in runs["leftOut"]
        if "diseasedAdultsCalled" in e
    ]
    words += [
        f"accuracy at 0.5, seeds {e['seeds']}, {e['crops']}: {percent(e['atHalf']['accuracy'])}; diseased "
        f"adults of NIH called: {percent(e['diseasedAdultsCalled'])}"
        for e in runs["default"]
    ]
    return "\n".join([table(["films", "finding", "seeds", "crops", "positive", "patients", "AUC"], lines), *words])
