"""What each film is known to show: 1, 0 or not known, for each finding a network may have an output for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .dataset import Row

COVID, ABNORMAL, OPACITY, TUBERCULOSIS, EFFUSION = "covid", "abnormal", "opacity", "tuberculosis", "effusion"
#: Findings that only NIH's labels name: label of the reports and of the 14 expert labels, label of the 4 expert labels.
NIH_FINDINGS = {
    EFFUSION: ({"Effusion"}, None),
    "pneumothorax": ({"Pneumothorax"}, "Pneumothorax"),
    "cardiomegaly": ({"Cardiomegaly"}, None),
    "nodule": ({"Nodule", "Mass"}, "Nodule or mass"),
    "atelectasis": ({"Atelectasis"}, None),
}
FINDINGS = (COVID, ABNORMAL, OPACITY, TUBERCULOSIS, *NIH_FINDINGS)
#: How much each finding counts in the loss.
WEIGHTS = {COVID: 1.0, ABNORMAL: 0.5, OPACITY: 0.5, TUBERCULOSIS: 0.5}
OTHER_WEIGHT = 0.25
OPACITIES = ({"Consolidation", "Infiltration", "Pneumonia"}, "Airspace opacity")
SCREENING = ("montgomery", "shenzhen")
UNKNOWN = -1


def nih_labels(row: Row, experts: bool = True) -> dict[str, set[str]]:
    """Labels by who gave them: ``NIH`` (reports), ``expert4``, ``expert14``; without ``experts`` those of the reports
    alone."""
    parts = (part.split(":", 1) for part in row.labels.split(";") if ":" in part)
    found = {who.strip(): {label.strip() for label in labels.split("|")} for who, labels in parts}
    return found if experts else {who: labels for who, labels in found.items() if who == "NIH"}


def shows(labels: dict[str, set[str]], names: set[str], expert4: str | None) -> int:
    """Whether an NIH film shows one of ``names``: the experts' word where there is one."""
    if expert4 is not None and "expert4" in labels:
        return int(expert4 in labels["expert4"])
    given = labels.get("expert14", labels.get("NIH"))
    return UNKNOWN if given is None else int(bool(given & names))


def covid(row: Row) -> int:
    return UNKNOWN if row.finding == "unknown" else int(row.finding == "covid")


def abnormal(row: Row, experts: bool = True) -> int:
    """Anything but a normal film; vqarad's films are of unlabelled patients."""
    if row.source == "vqarad" or row.finding == "unknown":
        return UNKNOWN
    labels = nih_labels(row, experts)
    if row.source == "nih" and not experts:
        return int(labels["NIH"] != {"No Finding"})
    return int(row.finding != "normal")


def opacity(row: Row, experts: bool = True) -> int:
    """Pneumonia of any kind, COVID-19 included. Whether tuberculosis or Cohen's "other" shows one is not known."""
    if row.source == "nih":
        return shows(nih_labels(row, experts), *OPACITIES)
    if row.finding == "normal":
        return 0
    return int(row.finding == "covid" or row.finding.startswith("pneumonia")) or UNKNOWN


def tuberculosis(row: Row) -> int:
    """Known of the two screening collections; no other collection but Cohen's and vqarad's is likely to hold any."""
    if row.source in SCREENING:
        return int(row.finding == "other")
    return UNKNOWN if row.finding == "unknown" or (row.finding == "other" and row.source != "nih") else 0


def of_nih(row: Row, name: str, experts: bool = True) -> int:
    if row.source == "nih":
        return shows(nih_labels(row, experts), *NIH_FINDINGS[name])
    return 0 if row.finding == "normal" else UNKNOWN


def label(row: Row, name: str, experts: bool = True) -> int:
    if name == COVID:
        return covid(row)
    if name == TUBERCULOSIS:
        return tuberculosis(row)
    if name in NIH_FINDINGS:
        return of_nih(row, name, experts)
    return abnormal(row, experts) if name == ABNORMAL else opacity(row, experts)


def label_table(rows: Sequence[Row], findings: Sequence[str] = FINDINGS, experts: bool = True) -> np.ndarray:
    """int8 [rows, findings]: 1, 0 or -1 where it is not known."""
    return np.array([[label(row, name, experts) for name in findings] for row in rows], np.int8).reshape(
        len(rows), len(findings)
    )


def loss_weights(findings: Sequence[str]) -> np.ndarray:
    return np.array([WEIGHTS.get(name, OTHER_WEIGHT) for name in findings], np.float32)
