"""From finished runs to model folders: graphs in 8 bits, calibration, operating points, manifest, figures and card.

Every figure of a folder comes from the 8-bit graph, run by the service's engine on the data set's rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from scipy.special import expit

from ..data import Dataset, Row, cache_dir, licence_table
from ..data.crops import Crops
from ..data.labels import ABNORMAL, COVID, EFFUSION, FINDINGS, OPACITY, TUBERCULOSIS, label_table
from ..data.partition import frontal
from ..data.terms import TERMS
from ..metrics import auc, calibration_error
from ..nets.lite0 import MEAN, STD, Lite0
from ..tasks.checkpoint import RunFolder
from ..tasks.findings import FindingsRun
from . import manifests
from .calibration import UNCALIBRATED, Calibration, platt
from .lite0_onnx import Member, export_findings, ranges
from .operating_points import operating_points
from .outputs import films_of, outputs

VERSION = "3.0.0"
#: Of the operating points the one that a site begins with.
SENSITIVITY = 0.90
CALIBRATION_FILMS = 96
PERCENTILE = 99.99
SEED = 1

LABELS = {
    COVID: ("COVID-19", {"value": "840544004", "scheme": "SCT", "meaning": "Suspected disease caused by SARS-CoV-2"}),
    OPACITY: ("lung opacity", {"value": "112033", "scheme": "DCM", "meaning": "Abnormal opacity"}),
    ABNORMAL: (
        "abnormal chest film",
        {"value": "abnormal-film", "scheme": "99HILUM", "meaning": "Abnormal chest film"},
    ),
    TUBERCULOSIS: ("tuberculosis", {"value": "56717001", "scheme": "SCT", "meaning": "Tuberculosis"}),
    EFFUSION: ("pleural effusion", {"value": "60046008", "scheme": "SCT", "meaning": "Pleural effusion"}),
}
LICENCES = {
    "research": "CC BY-NC-SA 4.0 (research, non-commercial), because some films it learnt from are. See ../LICENSE.md.",
    "permissive": "CC BY 4.0: name the sources. See ../LICENSE.md. Learnt from CC BY, NLM and NIH films.",
}
LIMITATIONS = (
    "The figures that lead this card (hosts that hold both classes, sources left out) are what a new "
    "hospital may expect; pooled figures mostly measure the source.",
    "Most other pneumonia films are children's; few films of COVID-19 are of known projection, sex and age at once.",
    "COVID-19 is not the only disease that looks like this; a low probability does not exclude it.",
    "Films of 2020 and before; JPEG copies of at most 384 pixels on the long side, many taken from publications.",
    "The operating points hold for the validation films, not for another site: check them there first "
    "(hilum evaluate).",
)


class Run(Protocol):
    @property
    def name(self) -> str: ...

    def settings(self, data: Dataset) -> dict: ...


def finished_run(run: Run, data: Dataset) -> RunFolder:
    return RunFolder.finished(run.name, run.settings(data))


def lite0_of(folder: RunFolder, answers: int, dense: bool = True) -> Lite0:
    net = Lite0(answers)
    net.load_state_dict(folder.weights())
    return net.eval().dense(dense)


def calibration_films(crops: Crops, rows: Sequence[Row], kinds: Sequence[str], region: str = "whole") -> torch.Tensor:
    """Z of films of the train split, drawn evenly over sources, in all crops: what the activation ranges are taken
    from."""
    chosen = drawn_evenly(rows, CALIBRATION_FILMS // len(kinds))
    films = np.concatenate([films_of(crops, chosen, kind, region) for kind in kinds])
    return (torch.from_numpy(films.astype(np.float32) / np.float32(255))[:, None] - MEAN) / STD


def drawn_evenly(rows: Sequence[Row], count: int) -> list[Row]:
    """About ``count`` rows, as many of each source."""
    rng, names, chosen = np.random.default_rng(SEED), sorted({r.source for r in rows}), []
    for name in names:
        own = [r for r in rows if r.source == name]
        chosen += [own[i] for i in rng.permutation(len(own))[: max(1, count // len(names))]]
    return chosen


class Findings:
    """A mean of networks with several findings, on its way into a folder."""

    def __init__(
        self,
        data: Dataset,
        crops: Crops,
        runs: Sequence[FindingsRun],
        findings: Sequence[str],
        kinds: Sequence[str] = ("film", "box"),
        mirrored: bool = True,
        region: str = "whole",
    ):
        self.data, self.crops, self.runs, self.findings = data, crops, list(runs), tuple(findings)
        self.kinds, self.mirrored, self.region = tuple(kinds), mirrored, region
        self.terms = self.runs[0].terms
        folders = [finished_run(run, data) for run in self.runs]
        self.trained = sorted({i for folder in folders for i in folder.facts()["trained"]})
        rows = [data.rows[i] for i in self.trained]
        films = calibration_films(crops, rows, kinds, region)
        self.nets = [lite0_of(folder, len(FINDINGS)) for folder in folders]
        self.found = [ranges(net, films, PERCENTILE) for net in self.nets]

    def members(self, calibrations: Sequence[Calibration], eight_bits: bool = True) -> list[Member]:
        places = [FINDINGS.index(name) for name in self.findings]
        slope, offset = (np.array([getattr(c, key) for c in calibrations]) for key in ("slope", "offset"))
        return [
            Member(
                net,
                net.head.weight.detach().numpy()[places] * slope[:, None],
                net.head.bias.detach().numpy()[places] * slope + offset,
                found if eight_bits else None,
            )
            for net, found in zip(self.nets, self.found, strict=True)
        ]

    def write(self, path: Path, calibrations: Sequence[Calibration], eight_bits: bool = True) -> Path:
        export_findings(self.members(calibrations, eight_bits), path, path.parent.name, len(self.kinds), self.mirrored)
        return path

    def logits(self, model: Path, rows: Sequence[Row]) -> np.ndarray:
        return self.run(model, rows, {"logits": len(self.findings)})["logits"].astype(np.float64)

    def run(self, model: Path, rows: Sequence[Row], wanted: dict[str, int]) -> dict[str, np.ndarray]:
        return outputs(
            model, [(films_of(self.crops, rows, kind, self.region), MEAN, STD) for kind in self.kinds], wanted
        )

    def validation(self) -> list[Row]:
        return self.data.select(lambda r: frontal(r) and r.split == "val" and TERMS[self.terms](r))

    def calibrated(self) -> list[Calibration]:
        """From what the 8-bit graph gives for the validation split's licensed rows."""
        plain = [UNCALIBRATED] * len(self.findings)
        rows = self.validation()
        z = self.logits(
            self.write(cache_dir() / "uncalibrated" / "-".join(run.name for run in self.runs) / "model.onnx", plain),
            rows,
        )
        labels = label_table(rows, self.findings, experts=self.terms != "permissive")
        return [platt(z[labels[:, i] >= 0, i], labels[labels[:, i] >= 0, i] == 1) for i in range(len(self.findings))]


def head_of(name: str, labels: np.ndarray, logits: np.ndarray, calibration: Calibration, evidence: dict) -> dict:
    """What the manifest says of one finding. ``evidence``: its AUC on films left out; below 0.75 it is computed in
    shadow."""
    p = expit(logits)
    points = operating_points(labels, p)
    start = next(point for point in points if point["sensitivity"] == SENSITIVITY)
    label, code = LABELS[name]
    reason = shadow_reason(evidence)
    return {
        "finding": name,
        "label": label,
        "code": code,
        "operatingPoint": {"threshold": start["threshold"], "meaning": MEANING},
        "operatingPoints": points,
        "mode": "live" if reason is None else "shadow",
        "reason": reason,
        "limitations": [],
        "calibration": {
            "slope": calibration.slope,
            "offset": calibration.offset,
            "films": len(labels),
            "positive": int(labels.sum()),
            "error": calibration_error(labels, p),
            "auc": auc(labels, p),
        },
        "evidence": evidence,
    }


LEAST_AREA = 0.75
MEANING = f"the highest threshold with {SENSITIVITY:.0%} sensitivity on the validation split's licensed rows"


def shadow_reason(evidence: dict) -> str | None:
    value = evidence.get("auc")
    if value is None:
        return "not measured on films of sources left out of training"
    return (
        None if value >= LEAST_AREA else f"AUC {value:.2f} on films of sources left out of training, below {LEAST_AREA}"
    )


def heads_of(made: Findings, model: Path, calibrations: Sequence[Calibration], evidence: dict[str, dict]) -> list[dict]:
    rows = made.validation()
    z, labels = made.logits(model, rows), label_table(rows, made.findings, experts=made.terms != "permissive")
    found = []
    for i, name in enumerate(made.findings):
        known = labels[:, i] >= 0
        found.append(head_of(name, labels[known, i] == 1, z[known, i], calibrations[i], evidence.get(name, {})))
    return found


def answers_of(heads: list[dict], several: bool) -> dict:
    """The manifest's keys of what is told: ``heads`` (schemaVersion 2), or of a single finding version 1's."""
    if several:
        return {"schemaVersion": 2, "heads": heads}
    (head,) = heads
    return {
        "schemaVersion": 1,
        "classes": [{"label": f"not {head['label']}"}, {"label": head["label"], "code": head["code"]}],
        "positive": 1,
        "operatingPoint": head["operatingPoint"],
        "operatingPoints": head["operatingPoints"],
        "calibration": head["calibration"],
    }


def ship_findings(folder: Path, title: str, made: Findings, evidence: dict[str, dict], command: str) -> dict:
    """Graph and manifest of a classifier; returns the manifest."""
    calibrations = made.calibrated()
    model = made.write(folder / "model.onnx", calibrations)
    regions = [kind if made.region == "whole" else made.region for kind in made.kinds]
    several = len(regions) > 1 or len(made.findings) > 1
    block = manifests.input_block("film", MEAN, STD) | {
        "shape": [1, len(regions), 224, 224],
        "region": regions if several else regions[0],
    }
    run = made.runs[0]
    manifest = {
        "task": "classification",
        "title": title,
        "architecture": f"EfficientNet-Lite0 on one grey channel, without stride in its last stage, global "
        "average pooling, one dense layer; "
        f"mean of logits over {len(made.nets)} network{'s' if len(made.nets) > 1 else ''}, {' and '.join(regions)}"
        + (", each with its mirror image" if made.mirrored else ""),
        "input": block,
        "lungsModel": made.crops.unet.name,
        "output": {"probability": "probability", "cam": "cam", "logits": "logits"},
        **answers_of(heads_of(made, model, calibrations, evidence), several),
        "camLayer": "top",
        "training": manifests.training_block(
            licence_table([made.data.rows[i] for i in made.trained]),
            run.passes,
            run.seed,
            command,
            f"From ImageNet weights (EfficientNet-Lite0, Apache 2.0); stem and the first {run.frozen} "
            f"stages as they were. AdamW, {run.passes} passes of {run.draws} draws, half of them "
            "COVID-19, within a class a source counts as the square root of its films; turned, scaled, "
            "stretched, shifted, mirrored and exposed otherwise, a third of the batches "
            "scaled down and up. Each draw is the whole film or the lungs' box. Loss: COVID-19 + 0.5 "
            "(abnormal chest film + lung opacity + tuberculosis) + 0.25 for NIH's findings, each where it is "
            "known.",
        ),
        "quantisation": {
            "kind": "QDQ, weights int8 per output channel, activations uint8; stem and first two stages float",
            "weightBits": 8,
            "percentile": PERCENTILE,
            "films": CALIBRATION_FILMS,
            "split": "train",
            "seed": SEED,
        },
        "metrics": {},
        "licence": LICENCES[made.terms],
        "limitations": list(LIMITATIONS),
    }
    manifests.write_folder(folder, manifest, VERSION)
    return manifest
