"""reproduce default|paper|permissive: every run that it needs, then the folders with their figures and cards, then the tables."""
from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from .. import manifests
from ..data import Dataset, cache_dir
from ..data.crops import Crops
from ..data.labels import ABNORMAL, COVID, OPACITY
from ..data.pictures import chest_films
from ..export import ship, ship_parts
from ..results import write_result
from ..runtime import start
from ..tasks.check import CLASSES
from ..tasks.vgg import cell_rows, is_positive
from . import cards, check, evaluate, grid, lungs, shipped, speed
from .plan import PARTS, SEEDS, Run
from .queue import state

COMMAND = "python -m hilum_training reproduce"
#: What the shipped classifiers tell.
FINDINGS = (COVID, OPACITY, ABNORMAL)


def train(runs: list[Run]) -> None:
    """All runs that are not finished, with the time that is left by the mean of those that were."""
    data = Dataset()
    waiting, took = [r for r in runs if state(r, data) != "done"], []
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


def brief(report):
    """Without tables by source, subgroups and the runs' own report."""
    if isinstance(report, dict):
        return {k: brief(v) for k, v in report.items() if k not in ("runs", "bySource", "bySubgroup", "frontalRefusedBySource", "changedRefusedByKind", "hospitalDicom")}
    return report


class Maker:
    def __init__(self, out: Path):
        self.out, self.data = out, Dataset()
        self.crops = Crops(self.data)

    def folder(self, name: str) -> Path:
        target = self.out / name
        target.mkdir(parents=True, exist_ok=True)
        return target

    def findings(self, name: str, title: str, runs: list[str], command: str, **how) -> None:
        made = ship.Findings(self.data, self.crops, runs, how.pop("findings", FINDINGS), **how)
        family = evaluate.PERMISSIVE if made.terms == "permissive" else evaluate.DEFAULT
        folder, report = self.folder(name), evaluate.report(self.data, family)
        manifest = ship.ship_findings(folder, title, made, evaluate.evidence(self.data, family=family), command)
        test = shipped.figures(made, folder / "model.onnx", manifest)
        finished(folder, manifest, {"runs": report, "test": test, "arithmetic": self.arithmetic(made, folder, manifest)})

    def arithmetic(self, made: ship.Findings, folder: Path, manifest: dict, every: int = 4) -> dict:
        """The same networks in float and in 8 bits, on every fourth film of the test split."""
        calibrations = [ship.Calibration(h["calibration"]["slope"], h["calibration"]["offset"]) for h in shipped.heads(manifest)]
        plain = made.write(cache_dir() / "float" / folder.name / "model.onnx", calibrations, eight_bits=False)
        return shipped.compared(made, plain, folder / "model.onnx", shipped.test_rows(made)[::every])

    def lungs(self, name: str, run: str, command: str) -> None:
        folder = self.folder(name)
        manifest = ship_parts.ship_lungs(folder, self.data, self.crops, command, run)
        rows = [self.data.rows[i] for i in ship.folder_of(run).predictions()["rows"]]
        found = ship_parts.lung_probabilities(folder / "model.onnx", self.crops, rows, manifest["input"]["mean"], manifest["input"]["std"])
        finished(folder, manifest, {"test": {"eightBit": lungs.by_kind(rows, ship_parts.dices(self.data, rows, found)),
                                             "float": lungs.report(self.data, ship.folder_of(run).predictions())}})

    def check(self, gate: str, view: str, command: str) -> None:
        """The first check's network twice: as the gate and as the view."""
        folders = self.folder(gate), self.folder(view)
        both = ship_parts.ship_check(*folders, self.data, self.crops, command)
        films = chest_films()
        p = ship_parts.answers(folders[0] / "model.onnx", films["films"])
        dicom = [{"name": str(name), "answer": CLASSES[int(row.argmax())], "refused": bool(ship_parts.refusal(row[None])[0] >= both[0]["operatingPoint"]["threshold"])}
                 for name, row in zip(films["names"], p)]
        for folder, manifest in zip(folders, both):
            finished(folder, manifest, {"folds": check.report(self.data), "hospitalDicom": dicom})

    def vgg(self, name: str, run_name: str, title: str, command: str) -> None:
        folder, run = self.folder(name), ship.settings_of(run_name)
        manifest = ship_parts.ship_vgg(folder, self.data, self.crops, run_name, title, command)
        rows = cell_rows(self.data, run, "test")
        p = ship_parts.vgg_probabilities(folder / "model.onnx", self.crops, rows, run.region)
        labels = np.array([is_positive(r, run.positive) for r in rows])
        finished(folder, manifest, {"test": shipped.full(labels, p, shipped.keys(rows))})


def make_default(maker: Maker) -> None:
    command = f"{COMMAND} default"
    maker.lungs("lungs-unet16", "lungs", command)
    maker.check("gate-lite0", "view-lite0", command)
    maker.findings("findings-lite0", "COVID-19, lung opacity, abnormal chest film", [f"default-{s}" for s in SEEDS], command)
    maker.findings("findings-lite0-removed", "COVID-19 on all but the lungs (audit)", ["removed"], command, findings=(COVID,), kinds=("film",), region="removed", mirrored=False)


def make_paper(maker: Maker) -> None:
    command = f"{COMMAND} paper"
    maker.lungs("lungs-unet16", "lungs", command)
    maker.vgg("covid-vgg19-lungs", "paper-lungs", "COVID-19 or not on the lungs of a frontal chest film, VGG19", command)
    maker.vgg("view-vgg19", "paper-view", "Frontal or lateral chest film, VGG19", command)


def make_permissive(maker: Maker) -> None:
    command = f"{COMMAND} permissive"
    maker.lungs("lungs-unet16-permissive", "permissive-lungs", command)
    maker.findings("findings-lite0-permissive", "COVID-19, lung opacity, abnormal film; permissive rows", [f"permissive-{s}" for s in SEEDS], command)


MAKERS: dict[str, Callable[[Maker], None]] = {"default": make_default, "paper": make_paper, "permissive": make_permissive}


def measure_speed(out: Path, command: str) -> None:
    if all((out / name / "model.onnx").exists() for name in speed.LINE):
        write_result("speed", command, 1, 0, 0, speed.report(out))


def write_results(data: Dataset, command: str) -> None:
    """training/results: what the tables of docs/results.md are made of."""
    began = time.time()
    write_result("findings", command, 1, 8, time.time() - began, evaluate.report(data) | {"evidence": evaluate.evidence(data)})
    permissive = evaluate.report(data, evaluate.PERMISSIVE)
    if permissive["leftOut"] or permissive["default"]:
        write_result("permissive", command, 1, 8, time.time() - began, permissive)
    folds = check.report(data)
    if folds is not None:
        write_result("check", command, 1, 6, time.time() - began, folds)
    cells = grid.report(data)
    if cells["cells"]:
        write_result("paper", command, 1, 5, time.time() - began, cells)


def reproduce(part: str, out: Path, only: str | None = None) -> int:
    """Train, make the folders under ``out``, write the figures. ``only``: ``train`` or ``make``."""
    began = time.time()
    if only != "make":
        train(PARTS[part]())
    if only != "train":
        MAKERS[part](Maker(out))
        write_results(Dataset(), f"{COMMAND} {part}")
        measure_speed(out, f"{COMMAND} {part}")
    print(f"{part}: {(time.time() - began) / 3600:.1f} h, checkpoints in {cache_dir()}", flush=True)
    return 0
