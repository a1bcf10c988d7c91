"""reproduce default|paper|permissive: every run that it needs, then the folders with their figures and cards, then the
tables."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..data import Dataset, cache_dir
from ..data.crops import Crops
from ..data.labels import ABNORMAL, COVID, OPACITY
from ..data.pictures import chest_films
from ..export import manifests, ship, ship_parts
from ..export.calibration import Calibration
from ..metrics import full
from ..runtime import start
from ..tasks.check import CLASSES, refusal
from ..tasks.findings import FindingsRun
from ..tasks.lungs import LungsRun
from ..tasks.vgg import VggRun, cell_rows, is_positive
from . import cards, check, evaluate, grid, lungs, shipped, speed
from .plan import CHECK, LUNGS, PAPER_LUNGS, PAPER_VIEW, PARTS, PERMISSIVE_LUNGS, SEEDS, Run, audit, default, permissive
from .queue import state
from .results import write_result

COMMAND = "python -m hilum_training reproduce"
#: What the shipped classifiers tell.
FINDINGS = (COVID, OPACITY, ABNORMAL)


def train(runs: list[Run]) -> None:
    """All runs that are not finished, with the time that is left by the mean of those that were."""
    data = Dataset()
    waiting = [r for r in runs if state(r, data) != "done"]
    took: list[float] = []
    for number, run in enumerate(waiting):
        left = f", about {np.mean(took) * (len(waiting) - number) / 3600:.1f} h left" if took else ""
        print(f"run {number + 1} of {len(waiting)}: {run.name}{left}", flush=True)
        began = time.time()
        start(run.seed)
        run.run()
        took.append(time.time() - began)


def finished(folder: Path, manifest: dict, report: dict) -> None:
    """Figures into metrics.json and, in short, into the manifest; the card."""
    manifests.write_json(folder / "metrics.json", report)
    stored = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifests.write_json(folder / "manifest.json", stored | {"metrics": brief(report)})
    cards.write(folder)
    print(f"wrote {folder.name}", flush=True)


def brief(report: Any) -> Any:
    """Without tables by source, subgroups and the runs' own report."""
    if isinstance(report, dict):
        return {
            k: brief(v)
            for k, v in report.items()
            if k
            not in ("runs", "bySource", "bySubgroup", "frontalRefusedBySource", "changedRefusedByKind", "hospitalDicom")
        }
    return report


@functools.cache
def measured(data: Dataset, family: evaluate.Family) -> dict:
    """Figures of the finished runs; thousands of draws of patients, so once for all that is made of them."""
    return evaluate.report(data, family)


class Maker:
    def __init__(self, out: Path):
        self.out, self.data = out, Dataset()
        self.crops = Crops(self.data)

    def folder(self, name: str) -> Path:
        target = self.out / name
        target.mkdir(parents=True, exist_ok=True)
        return target

    def findings(self, name: str, title: str, runs: list[FindingsRun], command: str, **how: Any) -> None:
        made = ship.Findings(self.data, self.crops, runs, how.pop("findings", FINDINGS), **how)
        family = evaluate.PERMISSIVE if made.terms == "permissive" else evaluate.DEFAULT
        folder, report = self.folder(name), measured(self.data, family)
        manifest = ship.ship_findings(folder, title, made, evaluate.evidence(self.data, family=family), command)
        test = shipped.figures(made, folder / "model.onnx", manifest)
        finished(
            folder, manifest, {"runs": report, "test": test, "arithmetic": self.arithmetic(made, folder, manifest)}
        )

    def arithmetic(self, made: ship.Findings, folder: Path, manifest: dict, every: int = 4) -> dict:
        """The same networks in float and in 8 bits, on every fourth film of the test split."""
        calibrations = [
            Calibration(h["calibration"]["slope"], h["calibration"]["offset"]) for h in shipped.heads(manifest)
        ]
        plain = made.write(cache_dir() / "float" / folder.name / "model.onnx", calibrations, eight_bits=False)
        return shipped.compared(made, plain, folder / "model.onnx", shipped.test_rows(made)[::every])

    def lungs(self, name: str, run: LungsRun, command: str) -> None:
        """The U-Net's folder; from then on boxes and lungs are those that it finds, as in the service."""
        folder, predicted = self.folder(name), ship.finished_run(run, self.data).predictions()
        manifest = ship_parts.ship_lungs(folder, self.data, self.crops, run, command)
        rows = [self.data.rows[i] for i in predicted["rows"]]
        found = ship_parts.lung_probabilities(
            folder / "model.onnx", self.crops, rows, manifest["input"]["mean"], manifest["input"]["std"]
        )
        finished(
            folder,
            manifest,
            {
                "test": {
                    "eightBit": lungs.by_kind(rows, ship_parts.dices(self.data, rows, found)),
                    "float": lungs.report(self.data, predicted),
                }
            },
        )
        self.crops = Crops(self.data, folder)

    def check(self, gate: str, view: str, command: str) -> None:
        """The first check's network twice: as the gate and as the view."""
        folders = self.folder(gate), self.folder(view)
        both = ship_parts.ship_check(*folders, self.data, self.crops, CHECK, command)
        films = chest_films()
        p = ship_parts.answers(folders[0] / "model.onnx", films["films"])
        dicom = [
            {
                "name": str(name),
                "answer": CLASSES[int(row.argmax())],
                "refused": bool(refusal(row[None])[0] >= both[0]["operatingPoint"]["threshold"]),
            }
            for name, row in zip(films["names"], p, strict=True)
        ]
        for folder, manifest in zip(folders, both, strict=True):
            finished(folder, manifest, {"folds": check.report(self.data), "hospitalDicom": dicom})

    def vgg(self, name: str, run: VggRun, title: str, command: str) -> None:
        folder = self.folder(name)
        manifest = ship_parts.ship_vgg(folder, self.data, self.crops, run, title, command)
        rows = cell_rows(self.data, run, "test")
        p = ship_parts.vgg_probabilities(folder / "model.onnx", self.crops, rows, run.region)
        labels = np.array([is_positive(r, run.positive) for r in rows])
        finished(folder, manifest, {"test": full(labels, p, shipped.keys(rows))})


def make_default(maker: Maker) -> None:
    command = f"{COMMAND} default"
    maker.lungs("lungs-unet16", LUNGS, command)
    maker.check("gate-lite0", "view-lite0", command)
    maker.findings(
        "findings-lite0", "COVID-19, lung opacity, abnormal chest film", [default(s) for s in SEEDS], command
    )
    maker.findings(
        "findings-lite0-removed",
        "COVID-19 on all but the lungs (audit)",
        [audit()],
        command,
        findings=(COVID,),
        kinds=("film",),
        region="removed",
        mirrored=False,
    )


def make_paper(maker: Maker) -> None:
    command = f"{COMMAND} paper"
    maker.lungs("lungs-unet16", LUNGS, command)
    maker.vgg("covid-vgg19-lungs", PAPER_LUNGS, "COVID-19 or not on the lungs of a frontal chest film, VGG19", command)
    maker.vgg("view-vgg19", PAPER_VIEW, "Frontal or lateral chest film, VGG19", command)


def make_permissive(maker: Maker) -> None:
    command = f"{COMMAND} permissive"
    maker.lungs("lungs-unet16-permissive", PERMISSIVE_LUNGS, command)
    maker.findings(
        "findings-lite0-permissive",
        "COVID-19, lung opacity, abnormal film; permissive rows",
        [permissive(s) for s in SEEDS],
        command,
    )


MAKERS: dict[str, Callable[[Maker], None]] = {
    "default": make_default,
    "paper": make_paper,
    "permissive": make_permissive,
}


def write_results(data: Dataset, command: str, models: Path | None = None, results: Path | None = None) -> None:
    """training/results: what the tables of docs/results.md are made of. ``models``: folders whose speed is measured
    too."""
    found = {
        "findings": measured(data, evaluate.DEFAULT) | {"evidence": evaluate.evidence(data)},
        "check": check.report(data),
    }
    permissive = measured(data, evaluate.PERMISSIVE)
    if permissive["leftOut"] or permissive["default"]:
        unet = PERMISSIVE_LUNGS.name
        dices = lungs.report(data, evaluate.read_run(unet).predictions) if evaluate.is_done(unet) else {}
        found["permissive"] = permissive | {"lungs": dices}
    cells = grid.report(data)
    if cells["cells"]:
        found["paper"] = cells
    if models is not None:
        found["speed"] = speed.report(models)
    for name, result in found.items():
        if result is not None:
            write_result(name, command, result, results)


def reproduce(part: str, out: Path, only: str | None = None, results: Path | None = None) -> int:
    """Train, make the folders under ``out``, write the figures. ``only``: ``train`` or ``make``."""
    began = time.time()
    if only != "make":
        train(PARTS[part]())
    if only != "train":
        maker = Maker(out)
        MAKERS[part](maker)
        write_results(maker.data, f"{COMMAND} {part}", out, results)
    print(f"{part}: {(time.time() - began) / 3600:.1f} h, checkpoints in {cache_dir()}", flush=True)
    return 0
