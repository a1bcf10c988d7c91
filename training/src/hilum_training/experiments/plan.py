"""The runs, the most telling first: what they are judged by is experiments/evaluate.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from ..data import Dataset
from ..data.partition import FOLDS
from ..tasks.check import FOLDS as CHECK_FOLDS
from ..tasks.check import CheckRun
from ..tasks.findings import FindingsRun
from ..tasks.lungs import LungsRun
from ..tasks.vgg import LATERAL, NEGATIVES, VggRun

ALL = ("train", "val", "test")
#: A run without a group learns from all but the validation split, which sets its operating point.
NOT_VAL = ("train", "test")
#: What a cell of the grid may cost. With transfer block 5 alone is trained, at a rate for few steps (decision 243).
TRANSFER: dict[str, Any] = {"transfer": True, "frozen": 4, "epochs": 5, "draws": 960, "rate": 2e-4}
SCRATCH: dict[str, Any] = {"transfer": False, "frozen": 0, "epochs": 2, "draws": 480, "rate": 3e-4}
#: One network. A second one of another seed, whose mean with it gained 0.01 to 0.02 in the trial, costs as much again
#: to train and to run.
SEEDS = (1,)
LUNGS, PERMISSIVE_LUNGS, CHECK = LungsRun("lungs"), LungsRun("permissive-lungs", terms="permissive"), CheckRun("check")
#: The paper's 30 epochs, on the same terms.
PAPER: dict[str, Any] = TRANSFER | {"epochs": 30, "draws": 600}
PAPER_LUNGS = VggRun("paper-lungs", region="lungs", terms="research", **PAPER)
PAPER_VIEW = VggRun("paper-view", positive=LATERAL, terms="research", **PAPER)


class Run(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def seed(self) -> int: ...

    def settings(self, data: Dataset) -> dict: ...

    def run(self) -> None: ...


def hosts(seed: int) -> list[Run]:
    return [FindingsRun(f"hosts-{seed}-fold{k}", splits=ALL, fold=k, seed=seed) for k in range(FOLDS)]


def left_out(group: str, seed: int) -> FindingsRun:
    return FindingsRun(f"without-{group}-{seed}", splits=NOT_VAL, left_out=group, seed=seed)


def default(seed: int) -> FindingsRun:
    return FindingsRun(f"default-{seed}", judged=("val", "test"), seed=seed)


def check_folds() -> list[Run]:
    return [CheckRun(f"check-fold{k}", fold=k) for k in range(CHECK_FOLDS)]


def audit() -> FindingsRun:
    """All but the lungs: what it tells, it tells from the source."""
    return FindingsRun("removed", judged=("val", "test"), crops=("film",), region="removed")


def permissive(seed: int) -> FindingsRun:
    """The set that learnt from CC BY, NLM and NIH alone."""
    return FindingsRun(f"permissive-{seed}", terms="permissive", judged=("val", "test"), seed=seed)


def permissive_runs() -> list[Run]:
    """That set, and what it is worth where Cohen's or NIH's films are left out."""
    return [
        *(permissive(seed) for seed in SEEDS),
        FindingsRun("permissive-without-cohen-1", terms="permissive", splits=NOT_VAL, left_out="cohen"),
        FindingsRun("permissive-without-nih-1", terms="permissive", splits=NOT_VAL, left_out="nih"),
        PERMISSIVE_LUNGS,
    ]


def paper_line() -> list[VggRun]:
    """The paper's own line: the comparison with Kermany's children that it is known for, the view, and COVID-19 on
    the lungs."""
    return [
        VggRun(
            "paper-two-sources-lungs",
            region="lungs",
            negatives="Cohen's COVID-19 + Kermany",
            limited=False,
            frozen=TRANSFER["frozen"],
            rate=TRANSFER["rate"],
        ),
        PAPER_VIEW,
        PAPER_LUNGS,
    ]


def grid() -> list[VggRun]:
    """Network, region and negatives; what was trained with transfer first."""
    cells = [
        VggRun("", net=net, region=region, negatives=kind)
        for kind in NEGATIVES
        for region in ("lungs", "whole", "removed")
        for net in ("vgg19", "vgg16")
    ]
    return [
        replace(cell, name=cell_name(cell, budget is TRANSFER), **budget)
        for budget in (TRANSFER, SCRATCH)
        for cell in cells
    ]


def cell_name(cell: VggRun, transfer: bool) -> str:
    words = cell.negatives.lower().replace("'", "").replace(" + ", "-").replace(" ", "-")
    return f"grid-{cell.net}-{'transfer' if transfer else 'scratch'}-{cell.region}-{words}"


OTHER_GROUPS = ("shenzhen", "montgomery", "kermany", "papers")


def default_runs() -> list[Run]:
    return [
        left_out("cohen", 1),
        left_out("nih", 1),
        default(1),
        LUNGS,
        CHECK,
        audit(),
        *hosts(1),
        *(left_out(group, 1) for group in OTHER_GROUPS),
        *check_folds(),
    ]


#: Runs whose weights become model folders.
SHIPPED: set[str] = {LUNGS.name, CHECK.name, audit().name, PAPER_LUNGS.name, PAPER_VIEW.name, PERMISSIVE_LUNGS.name}
SHIPPED |= {run(seed).name for run in (default, permissive) for seed in SEEDS}

#: What `reproduce` makes, each in the order of the plan.
PARTS: dict[str, Callable[[], list[Run]]] = {
    "default": default_runs,
    "paper": lambda: [LUNGS, CHECK, *paper_line(), *grid()],
    "permissive": lambda: [*permissive_runs(), CHECK],
}


def plan() -> list[Run]:
    return [*default_runs(), *paper_line(), *permissive_runs(), *grid()]
