"""From runs to folders, figures, cards, tables and the parity fixture, on a made-up data set.

It finds what a slip in any of them would spoil after hours of training.
"""

import contextlib
import functools
import io
import json
import os
import re
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
import onnx

from hilum_training import metrics
from hilum_training.data import ROOT, Dataset, pictures
from hilum_training.experiments import evaluate, grid, parity, plan, reproduce, results, speed, tables
from hilum_training.export import ship
from hilum_training.export.onnx_torch import Network
from hilum_training.tasks import check, findings, kept, lungs, vgg
from hilum_training.tasks.check import CheckRun
from hilum_training.tasks.findings import FindingsRun
from hilum_training.tasks.lungs import LungsRun
from hilum_training.tasks.vgg import VggRun

from .made_up import drawn_pictures, lively, predict_check, predict_findings, write_data

ENGINE = (ROOT / "node_modules" / "onnxruntime-node").exists()
LUNGS = LungsRun("lungs", filters=4, coarse=1, fine=1)
CHECK = CheckRun("check", passes=1, draws=32)
DEFAULT = FindingsRun("default-1", judged=("val", "test"), passes=1, draws=8)
AUDIT = FindingsRun("removed", judged=("val", "test"), crops=("film",), region="removed", passes=1, draws=8)
PAPER = VggRun(
    "paper-lungs",
    net="vgg16",
    region="lungs",
    negatives="Cohen's COVID-19 + Kermany",
    terms="research",
    epochs=1,
    draws=4,
)
#: The greatest part of the time is spent on films, so a step has few of them.
SMALL = (
    (findings, "BATCH", 8),
    (findings, "PART", 4),
    (check, "BATCH", 32),
    (lungs, "BATCH", 4),
    (vgg, "BATCH", 4),
    (vgg, "PART", 4),
    (vgg, "COPIES", 1),
)
#: Fewer draws, films and rounds than figures that mean something need.
QUICK = (
    (check, "judged", functools.partial(check.judged, each=1)),
    (evaluate, "auc_interval", functools.partial(metrics.auc_interval, rounds=20)),
    (metrics, "intervals", functools.partial(metrics.intervals, rounds=20)),
    (ship, "CALIBRATION_FILMS", 8),
    (speed, "report", functools.partial(speed.report, rounds=1)),
)


def finite(value: object) -> bool:
    if isinstance(value, dict):
        return all(finite(v) for v in value.values())
    if isinstance(value, list):
        return all(finite(v) for v in value)
    return not isinstance(value, float) or bool(np.isfinite(value))


@unittest.skipUnless(ENGINE, "onnxruntime-node is not installed: npm ci")
class Reproduced(unittest.TestCase):
    """All is made once, in ``setUpClass``."""

    out: Path
    results: Path

    @classmethod
    def setUpClass(cls) -> None:
        stack = contextlib.ExitStack()
        cls.addClassCleanup(stack.close)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cls.out, cls.results = folder / "models", folder / "results"
        write_data(folder / "data")
        environment = {"HILUM_DATA_DIR": str(folder / "data"), "HILUM_CACHE_DIR": str(folder / "cache")}
        stack.enter_context(mock.patch.dict(os.environ, environment))
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        own = drawn_pictures(folder / "pictures")
        replaced = [
            *SMALL,
            (findings, "start_from_imagenet", lambda net, path: lively(net)),
            (check, "start_from_imagenet", lambda net, path: lively(net)),
            (vgg, "start_from_imagenet", lambda net, path: lively(net)),
            (pictures, "picture_rows", lambda: own),
            (kept, "KEPT", folder / "kept"),
            (results, "FOLDER", cls.results),
            *QUICK,
            (reproduce, "LUNGS", LUNGS),
            (reproduce, "CHECK", CHECK),
            (reproduce, "default", lambda seed: DEFAULT),
            (reproduce, "audit", lambda: AUDIT),
            (reproduce, "PAPER_LUNGS", PAPER),
        ]
        for module, name, value in replaced:
            stack.enter_context(mock.patch.object(module, name, value))
        cls.make()

    @classmethod
    def make(cls) -> None:
        data = Dataset()
        for run in (LUNGS, CHECK, DEFAULT, AUDIT):
            run.run()
        for planned in [*plan.default_runs(), *plan.permissive_runs()]:
            if isinstance(planned, FindingsRun) and planned.name not in (DEFAULT.name, AUDIT.name):
                predict_findings(planned, data)
            elif isinstance(planned, CheckRun) and planned.fold is not None:
                predict_check(planned, data)
        reproduce.reproduce("default", cls.out, "make", cls.results)

    def folder(self, name: str) -> tuple[dict, dict, str]:
        at = self.out / name
        manifest, metrics = (
            json.loads((at / f"{n}.json").read_text(encoding="utf-8")) for n in ("manifest", "metrics")
        )
        return manifest, metrics, (at / "card.md").read_text(encoding="utf-8")

    def test_every_folder_is_whole(self) -> None:
        wanted = ["findings-lite0", "findings-lite0-removed", "gate-lite0", "lungs-unet16", "view-lite0"]
        self.assertEqual(sorted(p.name for p in self.out.iterdir()), wanted)
        for name in wanted:
            with self.subTest(name):
                manifest, metrics, card = self.folder(name)
                self.assertEqual(manifest["id"], name)
                self.assertTrue(finite(manifest) and finite(metrics))
                self.assertTrue(manifest["metrics"])
                self.assertIn(f"# {manifest['title']}", card)
                self.assertNotRegex(card, r"\b(nan|None|inf)\b")
                outputs = {o.name for o in onnx.load(str(self.out / name / "model.onnx")).graph.output}
                named = {v for v in manifest["output"].values() if v is not None}
                self.assertLessEqual(named, outputs)

    def test_the_classifier_says_what_it_tells_and_how_well(self) -> None:
        manifest, metrics, card = self.folder("findings-lite0")
        self.assertEqual([head["finding"] for head in manifest["heads"]], ["covid", "opacity", "abnormal"])
        self.assertEqual((manifest["schemaVersion"], manifest["input"]["region"]), (2, ["film", "box"]))
        for head in manifest["heads"]:
            shadow = head["evidence"]["auc"] < 0.75
            self.assertEqual((head["mode"], head["reason"] is None), ("shadow" if shadow else "live", not shadow))
        for heading in ("What a new hospital may expect", "Inside sources", "All sources"):
            self.assertIn(heading, card)
        self.assertLess(card.index("What a new hospital"), card.index("Inside sources"))
        self.assertIn("sees all but the lungs reaches an AUC of", card)
        self.assertEqual(set(metrics["arithmetic"]), {"covid", "opacity", "abnormal"})

    def test_a_single_finding_has_the_keys_of_version_1(self) -> None:
        manifest, _, _ = self.folder("findings-lite0-removed")
        self.assertEqual((manifest["schemaVersion"], manifest["input"]["region"]), (1, "removed"))
        self.assertNotIn("heads", manifest)

    def test_gate_and_view_are_one_network(self) -> None:
        (gate, metrics, _), (view, _, _) = self.folder("gate-lite0"), self.folder("view-lite0")
        self.assertEqual((gate["task"], view["task"]), ("gate", "view"))
        self.assertEqual(gate["answers"], view["answers"])
        constants = (Network(self.out / name / "model.onnx").constants for name in ("gate-lite0", "view-lite0"))
        first, second = ({name: value.tolist() for name, value in c.items()} for c in constants)
        self.assertEqual(first, second)
        self.assertEqual([d["name"] for d in metrics["hospitalDicom"]], ["chest.dcm"])
        self.assertEqual(metrics["folds"]["folds"], check.FOLDS)

    def test_tables_are_made_of_the_results(self) -> None:
        self.assertLessEqual({"findings", "check", "permissive"}, {p.stem for p in self.results.iterdir()})
        for name in (
            "findings-hosts",
            "findings-left-out",
            "findings-adults",
            "findings-evidence",
            "findings-subgroups",
            "findings-inside",
            "findings-pooled",
            "findings-audit",
            "check",
            "permissive",
        ):
            with self.subTest(name):
                text = tables.TABLES[name]()
                lines = [line for line in text.split("\n") if line.startswith("|")]
                self.assertGreater(len(lines), 2)
                self.assertEqual(len({line.count(" | ") for line in lines}), 1)

    def test_the_card_has_the_figures_of_metrics(self) -> None:
        _, metrics, card = self.folder("findings-lite0")
        for entry in metrics["test"]["pooled"].values():
            self.assertIn(f"{entry['atHalf']['auc']['value']:.3f}", card)

    def test_the_parity_fixture_has_every_region_and_head(self) -> None:
        target = self.out.parent / "parity"
        record = parity.write(self.out, speed.LINE, target)
        self.assertEqual(list(record["models"]), list(speed.LINE))
        entry = record["models"]["findings-lite0"]
        self.assertEqual(len(entry["probability"]), 3)
        maps, gradients = (np.fromfile(target / f"{n}.f32", "<f4").reshape(3, 2, 14, 14) for n in ("cam", "gradcam"))
        np.testing.assert_allclose(maps, gradients, atol=1e-3 * float(np.abs(maps).max()))
        self.assertEqual(np.fromfile(target / "findings-lite0.z.f32", "<f4").size, 2 * 224 * 224)

    def test_the_paper_s_classifier(self) -> None:
        PAPER.run()
        maker = reproduce.Maker(self.out.parent / "paper")
        maker.vgg(
            "covid-vgg19-lungs", PAPER, "COVID-19 or not on the lungs, VGG", "python -m hilum_training reproduce paper"
        )
        at = self.out.parent / "paper" / "covid-vgg19-lungs"
        manifest = json.loads((at / "manifest.json").read_text(encoding="utf-8"))
        self.assertEqual((manifest["input"]["region"], manifest["lungsModel"]), ("lungs", "lungs-unet16"))
        self.assertTrue(re.search(r"\| \d+ of \d+ \|", (at / "card.md").read_text(encoding="utf-8")))
        results.write_result("paper", "python -m hilum_training reproduce paper", grid.report(Dataset()))
        self.assertIn("| vgg19 | transfer, trained from block 5 on | lungs |", tables.TABLES["paper"]())


if __name__ == "__main__":
    unittest.main()
