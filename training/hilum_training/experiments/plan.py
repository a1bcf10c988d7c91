"""The runs, the most telling first: what they are judged by is experiments/evaluate.py."""
from __future__ import annotations

from ..data.partition import FOLDS
from ..tasks.findings import FindingsRun

ALL = ("train", "val", "test")
#: A run without a group learns from all but the validation split, which sets its operating point.
NOT_VAL = ("train", "test")


def hosts(seed: int) -> list[FindingsRun]:
    return [FindingsRun(f"hosts-{seed}-fold{k}", splits=ALL, fold=k, seed=seed) for k in range(FOLDS)]


def left_out(group: str, seed: int) -> FindingsRun:
    return FindingsRun(f"without-{group}-{seed}", splits=NOT_VAL, left_out=group, seed=seed)


def shipped(seed: int) -> FindingsRun:
    return FindingsRun(f"default-{seed}", judged=("val", "test"), seed=seed)


def plan() -> list[FindingsRun]:
    return [*hosts(1), left_out("cohen", 1), left_out("nih", 1), shipped(1), shipped(2), left_out("cohen", 2), left_out("nih", 2),
            *(left_out(group, 1) for group in ("papers", "shenzhen", "montgomery", "kermany"))]
