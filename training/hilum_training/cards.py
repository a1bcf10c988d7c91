"""models/<id>/card.md, for radiologists and physicists: written from the manifest and the measured figures."""
from __future__ import annotations

import json

from . import manifests


def share(entry: dict) -> str:
    if not entry or entry["value"] is None:
        return "-"
    if "interval95" not in entry:
        return f"{entry['value']:.3f}, n {entry['n']}"
    low, high = entry["interval95"]
    return f"{entry['value']:.3f} ({low:.3f}-{high:.3f}), n {entry['n']}"


def area(entry: dict) -> str:
    if entry.get("auc") is None:
        return "-"
    interval = entry.get("aucInterval95")
    return f"{entry['auc']:.3f}" + (f" ({interval[0]:.3f}-{interval[1]:.3f})" if interval else "")


def table(head: list[str], lines: list[list[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def view(report: dict) -> str:
    cross, test = report["crossValidation"], report["test"]
    lines = []
    if cross:
        lines += [["laterals found", f"cross-validation, {cross['folds']} folds by patient", share(cross["atThreshold"]["sensitivity"])],
                  ["frontals called frontal", "cross-validation", share(cross["atThreshold"]["specificity"])]]
    for name, label in (("eightBit", "test split, as shipped"), ("float", "test split, before 8-bit")):
        if name in test:
            lines += [["laterals found", label, share(test[name]["sensitivity"])],
                      ["frontals called frontal", label, share(test[name]["specificity"])]]
    sources = [[s, share(e)] for s, e in test["eightBit"]["frontalSpecificityBySource"].items()]
    return "\n\n".join([
        f"Operating point: lateral from a probability of {test['threshold']:.4f}.",
        table(["figure", "on", "value (95 % Wilson interval)"], lines),
        "Frontals called frontal, test split, by source:", table(["source", "specificity"], sources)])


def lungs(report: dict) -> str:
    test, lines = report["test"], []
    for kind, name, label in (("manual", "eightBit", "manual, as shipped"), ("manual", "float", "manual, before 8-bit"),
                              ("v7", "eightBit", "V7 (other definition: with the lung behind the heart)")):
        for source, e in test.get(kind, {}).get(name, {}).items():
            lines.append([label, source, str(e["n"]), f"{e['dice']:.4f}", f"{e['diceLowest']:.3f}", f"{e['iou']:.4f}"])
    gate = test["plausibility"]
    refused = [[s, share(e)] for s, e in gate["bySource"].items()]
    return "\n\n".join([
        table(["masks of the test split", "source", "films", "mean Dice", "lowest Dice", "mean IoU"], lines),
        f"The plausibility rule refuses {share(gate['frontalRefused'])} of the test split's frontal films (it should refuse "
        f"none) and {share(gate['lateralRefused'])} of its laterals. By source:", table(["source", "refused"], refused)])


GROUPS = {
    "pooled": "all (mostly measures the source)", "pooledAdults": "without the children's films",
    "cohen": "within the Cohen collection", "licensedSources": "sources seen in training", "unseenSources": "sources and rows not seen in training",
    "covidVersusAdultPneumonia": "COVID-19 against other disease of adults"}


def covid(report: dict) -> str:
    test, lines = report["test"], []
    for name, label in (("eightBit", "as shipped"), ("float", "before 8-bit")):
        for group, words in GROUPS.items():
            if name not in test or (name == "float" and group not in ("pooled", "cohen")):
                continue
            e = test[name][group]
            at = e["atOperatingPoint"]
            lines.append([words, label, f"{e['covid']} of {e['films']}", area(e), share(e["atHalf"]["sensitivity"]),
                          share(e["atHalf"]["specificity"]), f"{e['atHalf']['f1']:.3f}",
                          f"{at['sensitivity']['value']:.3f} / {at['specificity']['value']:.3f}"])
    sources = [[s, f"{e['covid']} of {e['films']}", area(e), share(e["atHalf"]["sensitivity"]), share(e["atHalf"]["specificity"])]
               for s, e in test["eightBit"]["bySource"].items()]
    return "\n\n".join([
        f"Urgent from a probability of {test['operatingPoint']:.4f}. AUC with a bootstrap interval by patient, the rest with "
        "Wilson intervals, all 95 %, test split.",
        table(["films", "weights", "COVID-19", "AUC", "sensitivity at 0.5", "specificity at 0.5", "F1", "sens / spec at operating point"], lines),
        f"Calibration error of the shipped model over all test films: {test['eightBit']['pooled']['calibrationError']:.3f}.",
        "By source:", table(["source", "COVID-19", "AUC", "sensitivity at 0.5", "specificity at 0.5"], sources)])


def removed(report: dict) -> str:
    lines = [[name, f"{e['positive']} of {e['films']}", area({"auc": e["auc"]["value"], "aucInterval95": e["auc"]["interval95"]}), share(e["accuracy"]),
              share(e["sensitivity"]), share(e["specificity"])] for name, e in (("validation", report["validation"]), (report["test"]["split"], report["test"]))]
    return "\n\n".join([
        "It never sees the lungs. What it tells all the same can only come from outside of them: how a source takes and crops its films, markers, devices, the build of its patients.",
        table(["films", "COVID-19", "AUC", "accuracy at 0.5", "sensitivity", "specificity"], lines)])


def named(rows: list[dict], name: str) -> dict:
    return next(row for row in rows if row["name"] == name)


def by_line(row: dict) -> dict:
    """How many the line refuses: view, gate and lung check, one after the other."""
    return {"value": row["share"], "n": row["n"], "interval95": row["interval95"]}


def gate(report: dict) -> str:
    rows = [("frontal films (it should refuse none)", named(report["whole"], "films")), ("all that is no film, mirrored ones left out", named(report["whole"], "no films"))]
    rows += [(row["name"], row) for row in sorted(report["groups"] + report["kinds"], key=lambda row: row["name"]) if row["name"] != "frontal film"]
    lines = [[name, f"{row['alone']['gate']} of {row['n']}", f"{row['refused']} of {row['n']}", share(by_line(row))] for name, row in rows]
    return "\n\n".join([
        "On films and pictures that it did not learn from: films of the test split, changed ones of those, and the other half of the pictures of something else. The line "
        "is what ships: view model, gate and lung check, by pixels alone. It was to refuse at least 99 % of what is no film: so it does with the kinds that it learnt "
        "from, and not with kinds that it never saw. A mirrored film is not refused.",
        table(["pictures", "refused by the gate alone", "by the line", "share by the line (95 % Wilson interval)"], lines)])


WRITTEN_BY = {"removed": "training/train_removed.py", "gate": "training/gate_card.py"}


def write(task: str) -> None:
    (manifests.folder(task) / "card.md").write_text(text(task), encoding="utf-8")


def text(task: str) -> str:
    target, manifest = manifests.folder(task), manifests.read(task)
    report = json.loads((target / "metrics.json").read_text(encoding="utf-8"))
    training = manifest["training"]
    data = table(["source", "films", "licence"], [[d["source"], str(d["rows"]), d["licence"]] for d in training["data"]])
    parts = [
        f"# {manifest['title']}",
        f"`{manifest['id']}` version {manifest['version']}. {manifest['intendedUse']}",
        f"**Network.** {manifest['architecture']}.",
        "**Input.** One frontal film, min-max to 0..1, resampled to 224 x 224 (antialiased triangle filter, aspect ratio not kept), "
        + {"film": "", "lungs": "everything outside the lungs set to 0, ", "removed": "everything inside the lungs set to 0, "}[manifest["input"]["region"]]
        + f"then (N - {manifest['input']['mean']}) / {manifest['input']['std']}.",
        "## Measured", {"view": view, "lungs": lungs, "covid": covid, "removed": removed, "gate": gate}[task](report),
        "## Limits", "\n".join(f"- {line}" for line in manifest["limitations"]),
        "## Learnt from", data, training["notes"], f"Epochs: {training['epochs']}, seed {training['seed']}, `{training['command']}`.",
        "## Licence", manifest["licence"],
        f"<!-- written by {WRITTEN_BY.get(task, f'training/evaluate.py {task} --write')} -->"]
    return "\n\n".join(parts) + "\n"
