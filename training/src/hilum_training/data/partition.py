"""Which rows a run learns from and which it is judged on: sources left out, folds of the hosts that hold both
classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .dataset import Dataset, Row
from .terms import TERMS

#: Web collections inside Cohen's that hold COVID-19 and other disease, so that the host does not give the answer away.
HOSTS = ("radiopaedia.org", "eurorad.org")
FOLDS = 5
FOLD_SEED = 1


def frontal(row: Row) -> bool:
    return not row.lateral


def of_hosts(row: Row) -> bool:
    return frontal(row) and row.source == "cohen" and row.host in HOSTS


def sources(*names: str) -> Callable[[Row], bool]:
    return lambda row: row.source in names


#: Groups that are left out together. NIH's films are in three sources; Cohen's, cxnet's, figure1's and ozturk's
#: COVID-19 come from the same papers.
GROUPS: dict[str, Callable[[Row], bool]] = {
    "cohen": sources("cohen"),
    "nih": sources("nih", "ozturk", "radiography"),
    "papers": lambda row: (
        row.source in ("cohen", "cxnet", "figure1") or (row.source == "ozturk" and row.finding == "covid")
    ),
    "shenzhen": sources("shenzhen"),
    "montgomery": sources("montgomery"),
    "kermany": sources("kermany"),
    "hannover": sources("hannover"),
    "cxnet": sources("cxnet"),
}


def patient_key(row: Row) -> str:
    """One key for a patient of NIH in whichever source; films without a patient stand for themselves."""
    name = row.patient.split("/", 1)[1]
    return name if name.startswith("nih-") else row.patient


def host_folds(data: Dataset) -> dict[str, int]:
    """Fold of each patient of the hosts; patients with COVID-19 are dealt out evenly."""
    rng, fold = np.random.default_rng(FOLD_SEED), {}
    rows = data.select(of_hosts)
    positive = sorted({r.patient for r in rows if r.covid})
    others = sorted({r.patient for r in rows} - set(positive))
    for patients in (positive, others):
        for place, i in enumerate(rng.permutation(len(patients))):
            fold[patients[i]] = place % FOLDS
    return fold


def training_rows(
    data: Dataset,
    terms: str = "research",
    splits: Sequence[str] = ("train",),
    left_out: str | None = None,
    fold: int | None = None,
    within: Sequence[str] = (),
) -> list[Row]:
    """Frontal rows whose terms allow it, of ``splits``, without a group and without the patients of a fold;
    ``within``: of these sources only."""
    folds = host_folds(data) if fold is not None else {}
    allowed, group = TERMS[terms], GROUPS[left_out] if left_out else (lambda row: False)
    return data.select(
        lambda r: (
            frontal(r)
            and r.split in splits
            and allowed(r)
            and not group(r)
            and (fold is None or folds.get(r.patient) != fold)
            and (not within or r.source in within)
        )
    )


def judged_rows(
    data: Dataset,
    trained: Sequence[Row],
    left_out: str | None = None,
    fold: int | None = None,
    splits: Sequence[str] = ("val",),
) -> list[Row]:
    """Frontal rows that tell something of a run and were not learnt from: the fold, or the group left out and
    ``splits`` of the rest."""
    seen, folds = {r.index for r in trained}, host_folds(data)
    if fold is not None:
        return data.select(lambda r: of_hosts(r) and folds[r.patient] == fold and r.index not in seen)
    group = GROUPS[left_out] if left_out else sources("figure1", "actualmed", "vqarad")
    return data.select(
        lambda r: (
            frontal(r)
            and r.index not in seen
            and (group(r) or r.split in splits or r.source in ("figure1", "actualmed", "vqarad"))
        )
    )
