"""docs/results.md's tables, from training/results/*.json. The honest ones stand first on the page."""

from __future__ import annotations

import json
import re

from ..data import ROOT
from ..export.manifests import MODELS
from ..text import figure, table
from . import cards
from .cards import counted, percent
from .results import read_result

HEAD = ["seeds", "crops", "positive", "patients", "AUC"]


#: A table stands between its marker and the end's; the words around it are written by hand.
MARKED = re.compile(r"<!-- table: ([a-z-]+) -->\n.*?<!-- end -->", re.DOTALL)
PAGE = ROOT / "docs" / "results.md"


def marked(page: str) -> list[str]:
    return MARKED.findall(page)


def filled(page: str) -> str:
    """The page with its tables written anew; SystemExit where it has one that nothing makes."""
    unknown = [name for name in marked(page) if name not in TABLES]
    if unknown:
        raise SystemExit(f"docs/results.md has tables that no command makes: {', '.join(unknown)}")
    return MARKED.sub(lambda m: f"<!-- table: {m[1]} -->\n{TABLES[m[1]]()}\n<!-- end -->", page)


def show(names: list[str], write: bool) -> int:
    """Prints these tables, or the page; with ``write`` puts all of them into the page."""
    if names:
        print("\n\n".join(TABLES[name]() for name in names))
        return 0
    page = filled(PAGE.read_text(encoding="utf-8"))
    if write:
        PAGE.write_text(page, encoding="utf-8")
    else:
        print(page, end="")
    return 0


def made(result: dict) -> str:
    return f"`{result['command']}`, {result['date']}."


def of_network(entry: dict) -> list[str]:
    return [" + ".join(map(str, entry["seeds"])), entry["crops"]]


def hosts() -> str:
    result = read_result("findings")
    return made(result) + "\n\n" + table(HEAD, [[*of_network(e), *counted(e)] for e in result["hosts"]])


def left_out() -> str:
    lines = [
        [e["group"], j["rows"], j["finding"], *of_network(e), *counted(j)]
        for e in read_result("findings")["leftOut"]
        for j in e["judged"]
        if "auc" in j
    ]
    return table(["left out", "judged", "finding", *HEAD], lines)


def adults() -> str:
    """Diseased adults of NIH, years before COVID-19, called urgent at 90 % sensitivity."""
    result = read_result("findings")
    lines = [
        [
            "nih, ozturk and radiography left out",
            *of_network(e),
            percent(e["diseasedAdultsCalled"]),
            percent(e["diseasedAdultsCalledAllSplits"]),
        ]
        for e in result["leftOut"]
        if "diseasedAdultsCalled" in e
    ]
    lines += [
        ["NIH's other patients in training", *of_network(e), percent(e["diseasedAdultsCalled"]), "-"]
        for e in result["default"]
    ]
    return table(["training", "seeds", "crops", "called, test split", "called, all splits"], lines)


def evidence() -> str:
    lines = [
        [finding, f"{e['auc']:.3f}", ", ".join(f"{j['rows']} {j['auc']['value']:.3f}" for j in e["judged"])]
        for finding, e in read_result("findings")["evidence"].items()
    ]
    return table(["finding", "AUC on films left out", "of"], lines)


def subgroups() -> str:
    result = read_result("findings")
    lines = [
        ["hosts, five folds", *of_network(e), name, *counted(group)]
        for e in result["hosts"]
        for name, group in e["bySubgroup"].items()
    ]
    lines += [
        ["Cohen, left out", *of_network(e), name, *counted(group)]
        for e in result["leftOut"]
        if "bySubgroup" in e
        for name, group in e["bySubgroup"].items()
    ]
    return table(["films", "seeds", "crops", "group", "COVID-19", "patients", "AUC"], lines)


def inside() -> str:
    lines = [
        [j["rows"], j["finding"], *of_network(e), *counted(j)]
        for e in read_result("findings")["default"]
        for j in e["inside"]
    ]
    return table(["source", "finding", *HEAD], lines)


def audit() -> str:
    """What a network that sees all but the lungs reaches on the same rows."""
    result = read_result("findings")
    together = max((e for e in result["default"] if e["crops"] == "film + box"), key=lambda e: len(e["seeds"]))
    lines = []
    for name, entry in (("film and lungs' box", together), ("all but the lungs", result["removed"])):
        lines += [[name, "all sources", "covid", *counted(entry["pooled"])]] + [
            [name, f"inside {j['rows']}", j["finding"], *counted(j)] for j in entry["inside"]
        ]
    return table(["sees", "films, test split", "finding", "positive", "patients", "AUC"], lines)


def pooled() -> str:
    lines = [
        [
            *of_network(e),
            *counted(e["pooled"]),
            *(percent(e["atHalf"][k]) for k in ("accuracy", "sensitivity", "specificity")),
        ]
        for e in read_result("findings")["default"]
    ]
    return table([*HEAD, "accuracy at 0.5", "sensitivity", "specificity"], lines)


def permissive() -> str:
    """The set that learnt from CC BY, NLM and NIH alone beside the shipped one: the same films, seeds and crops."""
    research, own = read_result("findings"), read_result("permissive")
    lines = []
    for kind in ("leftOut", "default"):
        others = {network_key(e): e for e in own[kind]}
        for entry in [e for e in research[kind] if e["crops"] == "film + box" and network_key(e) in others]:
            found = told(others[network_key(entry)])
            lines += [[name, *told(entry)[name], found[name][-1]] for name in told(entry) if name in found]
    shipped = metrics("lungs-unet16")["test"]["float"]
    lines += [
        [f"lungs, {e['n']} masks, {name}: Dice", "", "", figure(shipped[name]), figure(e)]
        for name, e in own["lungs"].items()
    ]
    return made(own) + "\n\n" + table(["judged", "positive", "patients", "research rows", "permissive rows"], lines)


def network_key(entry: dict) -> tuple:
    return entry.get("group"), tuple(entry["seeds"]), entry["crops"]


def told(entry: dict) -> dict[str, list[str]]:
    """What a network tells of films that it did not learn from: positive, patients and figure of each line."""
    group = entry.get("group")
    if group:
        lines = {f"{j['rows']}, {group} left out: {j['finding']}": counted(j) for j in entry["judged"] if "auc" in j}
    else:
        lines = {"all sources, test split: covid": counted(entry["pooled"])}
        lines["the same: accuracy at 0.5"] = ["", "", percent(entry["atHalf"]["accuracy"])]
    if "diseasedAdultsCalled" in entry:
        training = f"{group} left out" if group else "NIH's other patients in training"
        called = percent(entry["diseasedAdultsCalled"])
        lines[f"diseased adults of NIH called urgent, test split, {training}"] = ["", "", called]
    return lines


def check() -> str:
    result = read_result("check")
    keys = {
        "frontal chest films refused": "frontalRefused",
        "frontal films called lateral": "frontalCalledLateral",
        "laterals called lateral": "lateralCalledLateral",
        "no films refused: kinds learnt from, real pictures": "notFilmsRefused",
        "no films refused: kinds never seen": "kindsNeverSeenRefused",
        "true reason told": "reasonTold",
    }
    return (
        made(result)
        + "\n\n"
        + table(["five folds", "share"], [[name, percent(result[key])] for name, key in keys.items()])
    )


def metrics(folder: str) -> dict:
    return json.loads((MODELS / folder / "metrics.json").read_text(encoding="utf-8"))


def lungs() -> str:
    """Dice of the shipped U-Net, as its card has it."""
    return cards.dices(metrics("lungs-unet16")["test"])


def arithmetic() -> str:
    """The shipped classifier in 8 bits against the same networks in float."""
    lines = [
        [
            cards.named(name),
            str(e["films"]),
            *(f"{e[key]:.4f}" for key in ("aucFloat", "aucEightBit")),
            f"{e['rms']:.3f} of {e['spread']:.2f}",
            str(e["otherSide"]),
        ]
        for name, e in metrics("findings-lite0")["arithmetic"].items()
    ]
    head = ["finding", "films", "AUC, float", "AUC, 8 bits", "logits apart (RMS), of their spread"]
    return table([*head, "films on the other side of 0.5"], lines)


def heat() -> str:
    """Where the heat of COVID-19 lies, on COVID-19 films of the test split."""
    lines = []
    for folder in ("findings-lite0", "findings-lite0-removed"):
        e = metrics(folder)["test"]["heat"]
        area = f"{e['lungArea']:.3f}"
        lines.append([f"`{folder}`", str(e["films"]), area, figure(e["insideLungs"]), figure(e["hottestInside"])])
    head = ["model", "films", "share of the film that is lung", "share of the heat inside the lungs"]
    return table([*head, "hottest point inside the lungs"], lines)


def speed() -> str:
    result = read_result("speed")
    lines = [[name, f"{value:.1f}"] for name, value in result["milliseconds"].items()] + [
        ["a film's networks together", f"{result['together']:.1f}"]
    ]
    return (
        made(result)
        + f" Together {result['passesOfVgg19']:.2f} passes of the VGG19.\n\n"
        + table(["network, 8 bits, one thread", "ms"], lines)
    )


def pipeline() -> str:
    """`hilum evaluate` on the test split, for COVID-19."""
    result = read_result("pipeline")
    counts = result["counts"]
    lines = [
        ["films labelled, analysed, with COVID-19", ", ".join(str(n) for n in counts.values())],
        *(
            [f"not analysed: {e['reason']}", f"{e['positive']} with COVID-19, {e['negative']} without"]
            for e in result["excluded"]
        ),
        ["AUC ROC", figure(result["auc"])],
        ["average precision", figure(result["averagePrecision"])],
    ]
    for name, words in (("atHalf", "0.5"), ("atOperatingPoint", "the operating point")):
        entry = result[name]
        where = f"at {words}" if name == "atHalf" else f"at {words} ({entry['threshold']:.4f})"
        lines += [[f"{key} {where}", figure(entry[key])] for key in ("accuracy", "sensitivity", "specificity", "f1")]
        lines.append([f"TP / FN / FP / TN {where}", " / ".join(str(n) for n in entry["confusion"].values())])
    lines.append(
        [
            "sensitivity at the operating point, films not analysed count as missed",
            figure(result["sensitivityWithLeftOut"]),
        ]
    )
    chosen = result["proposed"]
    lines.append(
        [
            f"proposed threshold ({chosen['threshold']:.4f}), other half of the patients: sensitivity, specificity",
            f"{figure(chosen['sensitivity'])}, {figure(chosen['specificity'])}",
        ]
    )
    return made(result) + "\n\n" + table(["figure", "value"], lines)


def refused() -> str:
    """`npm run gate`: what the first check and the lung check refuse by pixels alone."""
    result = read_result("refused")

    def row(entry: dict) -> list[str]:
        low, high = entry["interval95"]
        alone = entry["alone"]
        return [
            entry["name"],
            f"{entry['refused']} of {entry['n']}",
            f"{entry['share']:.1%} ({low:.1%}-{high:.1%})",
            *(str(alone[check]) for check in ("view", "gate", "lungs")),
        ]

    head = ["pictures", "refused", "share", "by the view alone", "by the first check alone", "by the lung check alone"]
    return made(result) + "\n\n" + table(head, [row(e) for e in (*result["groups"], *result["passed"])])


def paper() -> str:
    result, lines = read_result("paper"), []
    for c in result["cells"]:
        e, confusion = c["test"], c["test"]["confusion"]
        lines.append(
            [
                c["net"],
                f"transfer, trained from block {c['frozen'] + 1} on" if c["transfer"] else "from scratch",
                c["region"],
                "lateral against frontal" if c["positive"] == "lateral" else c["negatives"],
                f"{c['epochs']} x {c['draws']}",
                f"{c['train']['positive']} of {c['train']['films']}",
                f"{e['positive']} of {e['films']}",
                *(figure(e[k]) for k in ("accuracy", "sensitivity", "specificity", "f1", "auc", "ap")),
                f"{confusion['tp']} / {confusion['fn']} / {confusion['fp']} / {confusion['tn']}",
                f"{c['calibrationError']:.3f}",
            ]
        )
    return (
        made(result)
        + "\n\n"
        + table(
            [
                "network",
                "start",
                "region",
                "negatives",
                "epochs x draws",
                "learnt from",
                "positive",
                "accuracy",
                "sensitivity",
                "specificity",
                "F1",
                "AUC ROC",
                "AP",
                "TP / FN / FP / TN",
                "ECE",
            ],
            lines,
        )
    )


TABLES = {
    "findings-hosts": hosts,
    "findings-left-out": left_out,
    "findings-adults": adults,
    "findings-evidence": evidence,
    "findings-subgroups": subgroups,
    "findings-inside": inside,
    "findings-pooled": pooled,
    "findings-audit": audit,
    "permissive": permissive,
    "check": check,
    "lungs": lungs,
    "arithmetic": arithmetic,
    "heat": heat,
    "pipeline": pipeline,
    "refused": refused,
    "speed": speed,
    "paper": paper,
}
