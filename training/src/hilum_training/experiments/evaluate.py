"""Figures of the plan's runs, the honest ones first, from the predictions that each run left beside its checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from ..data import Dataset, Row
from ..data.labels import ABNORMAL, COVID, FINDINGS, OPACITY, TUBERCULOSIS, label_table
from ..data.partition import FOLDS, of_hosts, patient_key
from ..metrics import auc, auc_interval, binary, operating_point, share
from ..tasks.kept import Finished, finished

CROPS = ("film", "box")
#: Combinations of crops that are compared; the mean of logits over them and their mirror images.
VIEWS: dict[str, tuple[str, ...]] = {"film": ("film",), "box": ("box",), "film + box": CROPS}


@dataclass(frozen=True)
class Family:
    """Names of the runs that tell about one set of networks."""

    own: str
    prefix: str = ""

    def hosts(self, seed: int, fold: int) -> str:
        return f"{self.prefix}hosts-{seed}-fold{fold}"

    def left_out(self, group: str, seed: int) -> str:
        return f"{self.prefix}without-{group}-{seed}"

    def shipped(self, seed: int) -> str:
        return f"{self.own}-{seed}"


DEFAULT, PERMISSIVE = Family("default"), Family("permissive", "permissive-")
MOST_SEEDS = range(1, 10)
#: The network that sees all but the lungs.
AUDIT = "removed"


@dataclass(frozen=True)
class Scores:
    """Mean logits [rows, findings] of one or several networks on the rows that all of them were judged on."""

    rows: list[Row]
    logits: np.ndarray

    def of(self, finding: str) -> np.ndarray:
        return self.logits[:, FINDINGS.index(finding)]

    def where(self, keep: Callable[[Row], bool]) -> Scores:
        use = [i for i, row in enumerate(self.rows) if keep(row)]
        return Scores([self.rows[i] for i in use], self.logits[use])

    def known(self, finding: str) -> Scores:
        """Rows whose label is known."""
        labels = label_table(self.rows, (finding,))[:, 0]
        return Scores([r for r, y in zip(self.rows, labels, strict=True) if y >= 0], self.logits[labels >= 0])

    def labels(self, finding: str) -> np.ndarray:
        return label_table(self.rows, (finding,))[:, 0] == 1


def read_run(name: str) -> Finished:
    done = finished(name)
    if done is None:
        raise SystemExit(f"the run {name} is not finished")
    return done


def is_done(name: str) -> bool:
    return finished(name) is not None


def read(data: Dataset, names: Sequence[str], crops: Sequence[str] = CROPS, mirrored: bool = True) -> Scores:
    """The mean over networks ``names``, crops and, with ``mirrored``, both sides."""
    tables: list[dict[int, np.ndarray]] = []
    for name in names:
        stored = read_run(name).predictions
        places = [stored["crops"].tolist().index(crop) for crop in crops]
        logits = stored["logits"][:, places][:, :, : 2 if mirrored else 1].mean((1, 2), dtype=np.float64)
        tables.append(dict(zip(stored["rows"].tolist(), logits, strict=True)))
    common = sorted(set.intersection(*(set(t) for t in tables)))
    return Scores(
        [data.rows[i] for i in common],
        np.array([np.mean([t[i] for t in tables], 0) for i in common]).reshape(len(common), -1),
    )


def joined(parts: Iterable[Scores]) -> Scores:
    """Folds, each row once."""
    parts = list(parts)
    return Scores([r for part in parts for r in part.rows], np.concatenate([part.logits for part in parts]))


def of_folds(data: Dataset, family: Family, seeds: Sequence[int], **how: Any) -> Scores:
    return joined(read(data, [family.hosts(seed, k) for seed in seeds], **how) for k in range(FOLDS))


def area(scores: Scores, finding: str) -> dict | None:
    """AUC with its interval by patient, films and patients; None where a class is missing."""
    scores = scores.known(finding)
    y, z, patients = scores.labels(finding), scores.of(finding), [patient_key(r) for r in scores.rows]
    value = auc(y, z) if len(y) else None
    if value is None:
        return None
    return {
        "films": len(y),
        "positive": int(y.sum()),
        "patients": len(set(patients)),
        "auc": {"value": value, "interval95": auc_interval(y, z, patients)},
    }


def age_group(row: Row) -> str | None:
    try:
        age = float(row.age)
    except ValueError:
        return None
    return "under 40" if age < 40 else "40 to 59" if age < 60 else "60 and over"


def of_age(group: str) -> Callable[[Row], bool]:
    return lambda row: age_group(row) == group


#: Groups of films that are reported beside the whole: sex, age, projection.
SUBGROUPS: dict[str, Callable[[Row], bool]] = {
    "men": lambda r: r.sex == "M",
    "women": lambda r: r.sex == "F",
    **{name: of_age(name) for name in ("under 40", "40 to 59", "60 and over")},
    "PA": lambda r: r.view == "PA",
    "AP": lambda r: r.view == "AP",
    "AP Supine": lambda r: r.view == "AP Supine",
}


def by_subgroup(scores: Scores, finding: str) -> dict:
    found = {name: area(scores.where(keep), finding) for name, keep in SUBGROUPS.items()}
    return {name: value for name, value in found.items() if value is not None}


def in_source(*names: str) -> Callable[[Row], bool]:
    return lambda row: row.source in names


def diseased_nih(row: Row) -> bool:
    """Diseased adults of years before COVID-19."""
    return row.source == "nih" and row.finding != "normal"


def threshold_at(scores: Scores, finding: str, sensitivity: float = 0.9) -> float:
    """Logit from which ``sensitivity`` of the validation split's positives are found."""
    val = scores.where(lambda r: r.split == "val").known(finding)
    return operating_point(val.labels(finding), val.of(finding), sensitivity)


def called(scores: Scores, finding: str, threshold: float, keep: Callable[[Row], bool]) -> dict:
    chosen = scores.where(keep)
    return share(int((chosen.of(finding) >= threshold).sum()), len(chosen.rows))


#: What is judged in a run that left the group out: rows, finding.
LEFT_OUT: dict[str, list[tuple[str, Callable[[Row], bool], str]]] = {
    "cohen": [
        ("hosts", of_hosts, COVID),
        ("Cohen", in_source("cohen"), COVID),
        ("Cohen + figure1 + actualmed", in_source("cohen", "figure1", "actualmed"), COVID),
    ],
    "papers": [
        ("hosts", of_hosts, COVID),
        (
            "Cohen + cxnet + figure1 + ozturk's COVID-19",
            lambda r: r.source in ("cohen", "cxnet", "figure1") or (r.source == "ozturk" and r.covid),
            COVID,
        ),
    ],
    "nih": [
        ("nih", in_source("nih"), ABNORMAL),
        ("ozturk", lambda r: r.source == "ozturk" and not r.covid, ABNORMAL),
        ("nih", in_source("nih"), OPACITY),
        ("ozturk", lambda r: r.source == "ozturk" and not r.covid, OPACITY),
    ],
    "shenzhen": [("shenzhen", in_source("shenzhen"), ABNORMAL), ("shenzhen", in_source("shenzhen"), TUBERCULOSIS)],
    "montgomery": [
        ("montgomery", in_source("montgomery"), ABNORMAL),
        ("montgomery", in_source("montgomery"), TUBERCULOSIS),
    ],
    "kermany": [("kermany", in_source("kermany"), ABNORMAL), ("kermany", in_source("kermany"), OPACITY)],
}
#: Inside a source of the test split: rows, findings.
INSIDE: list[tuple[str, Callable[[Row], bool], tuple[str, ...]]] = [
    ("cohen", in_source("cohen"), (COVID,)),
    ("ozturk", lambda r: r.source == "ozturk" and not r.covid, (ABNORMAL, OPACITY)),
    ("nih", in_source("nih"), FINDINGS[1:3] + FINDINGS[4:]),
    ("shenzhen", in_source("shenzhen"), (ABNORMAL,)),
    ("montgomery", in_source("montgomery"), (ABNORMAL,)),
    ("kermany", in_source("kermany"), (OPACITY,)),
]


def left_out(data: Dataset, family: Family, group: str, seeds: Sequence[int], crops: Sequence[str]) -> dict:
    scores = read(data, [family.left_out(group, seed) for seed in seeds], crops)
    found = [
        {"rows": name, "finding": finding} | (area(scores.where(keep), finding) or {})
        for name, keep, finding in LEFT_OUT[group]
    ]
    report = {"group": group, "networks": len(seeds), "judged": found}
    if group == "nih":
        report["diseasedAdultsCalled"] = called(
            scores, COVID, threshold_at(scores, COVID), lambda r: diseased_nih(r) and r.split == "test"
        )
        report["diseasedAdultsCalledAllSplits"] = called(scores, COVID, threshold_at(scores, COVID), diseased_nih)
    if group == "cohen":
        report["bySubgroup"] = by_subgroup(scores.where(in_source("cohen")), COVID)
    return report


def default_network(data: Dataset, names: Sequence[str], crops: Sequence[str]) -> dict:
    """Inside sources and pooled, on the test split; the operating point of 90 % sensitivity from validation."""
    scores = read(data, names, crops)
    test, threshold = scores.where(lambda r: r.split == "test"), threshold_at(scores, COVID)
    known = test.known(COVID)
    inside = [
        {"rows": name, "finding": finding} | (area(test.where(keep), finding) or {})
        for name, keep, findings in INSIDE
        for finding in findings
    ]
    return {
        "networks": len(names),
        "inside": [entry for entry in inside if "auc" in entry],
        "diseasedAdultsCalled": called(test, COVID, threshold, diseased_nih),
        "pooled": area(test, COVID),
        "atHalf": binary(known.labels(COVID), expit(known.of(COVID)), 0.5),
        "pooledFindings": {name: area(test, name) for name in (ABNORMAL, OPACITY, TUBERCULOSIS)},
    }


def seeds_of(family: Family, group: str) -> list[int]:
    return [s for s in MOST_SEEDS if is_done(family.left_out(group, s))]


def evidence(data: Dataset, crops: Sequence[str] = CROPS, family: Family = DEFAULT) -> dict[str, dict]:
    """For each finding its AUC on what was left out: COVID-19 on the hosts with all of Cohen left out, others as the
    mean over sources left out one by one. Nothing where no such run is finished."""
    found: dict[str, list[dict]] = {}
    for group, judged in LEFT_OUT.items():
        seeds = seeds_of(family, group)
        if not seeds:
            continue
        scores = read(data, [family.left_out(group, s) for s in seeds], crops)
        for name, keep, finding in judged:
            if (finding == COVID) != (name == "hosts" and group == "cohen"):
                continue
            entry = area(scores.where(keep), finding)
            if entry is not None:
                found.setdefault(finding, []).append({"rows": name} | entry)
    return {
        finding: {"auc": float(np.mean([e["auc"]["value"] for e in entries])), "judged": entries}
        for finding, entries in found.items()
    }


def alone_and_together(seeds: list[int]) -> list[list[int]]:
    """Each network by itself, and the mean of all where there are several."""
    return [[s] for s in seeds] + ([seeds] if len(seeds) > 1 else [])


def report(data: Dataset, family: Family = DEFAULT) -> dict:
    """Everything that the finished runs tell."""
    found: dict = {"hosts": [], "leftOut": [], "default": []}
    for chosen in alone_and_together([s for s in MOST_SEEDS if all(is_done(family.hosts(s, k)) for k in range(FOLDS))]):
        for name, crops in VIEWS.items():
            scores = of_folds(data, family, chosen, crops=crops)
            entry = area(scores, COVID)
            if entry is not None:
                more = {"bySubgroup": by_subgroup(scores, COVID)}
                found["hosts"].append({"seeds": chosen, "crops": name} | entry | more)
    for group in LEFT_OUT:
        for chosen in alone_and_together(seeds_of(family, group)):
            found["leftOut"] += [
                {"seeds": chosen, "crops": name} | left_out(data, family, group, chosen, crops)
                for name, crops in VIEWS.items()
            ]
    for chosen in alone_and_together([s for s in MOST_SEEDS if is_done(family.shipped(s))]):
        found["default"] += [
            {"seeds": chosen, "crops": name} | default_network(data, [family.shipped(s) for s in chosen], crops)
            for name, crops in VIEWS.items()
        ]
    if family is DEFAULT and is_done(AUDIT):
        found["removed"] = default_network(data, [AUDIT], ("film",))
    return found
