"""What the command says to wrong use: one sentence, and nothing is begun."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from hilum_training.data import ROOT, save_whole
from hilum_training.experiments import cards, pipeline, plan, results, tables
from hilum_training.runtime import keep_memory

TRAINING = ROOT / "training"


def run(*args: str) -> subprocess.CompletedProcess:
    with tempfile.TemporaryDirectory() as cache:
        env = os.environ | {"HILUM_DATA_DIR": "/nowhere", "HILUM_CACHE_DIR": cache, "PYTHONPATH": "src"}
        command = [sys.executable, "-m", "hilum_training", *args]
        return subprocess.run(command, cwd=TRAINING, env=env, capture_output=True, text=True)


class Commands(unittest.TestCase):
    def test_a_data_set_that_is_not_there(self):
        done = run("status")
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1))
        self.assertIn("/nowhere/cxr/manifest.csv is not there: HILUM_DATA_DIR or --data DIR", done.stderr)

    def test_a_model_folder_that_is_not_there(self):
        done = run("parity", "--models", "/nowhere", "lungs-unet16")
        self.assertEqual((done.returncode, done.stderr), (1, "/nowhere/lungs-unet16/manifest.json is not there\n"))

    def test_help_says_what_is_made_in_which_time(self):
        done = run("reproduce", "--help")
        for word in ("default", "paper", "permissive", "findings-lite0", "covid-vgg19-lungs", "minutes each", "+-0.06"):
            self.assertIn(word, done.stdout)
        for part, runs in plan.PARTS.items():
            with self.subTest(part):
                self.assertRegex(done.stdout, rf"(?s)\n  {part} .*?\n +{len(runs())} networks")

    def test_wrong_arguments(self):
        with tempfile.TemporaryDirectory() as folder:
            for wrong in ("0", "two", "1.5", "-3"):
                done = run("pictures", "--out", folder, "--each", wrong)
                self.assertEqual(done.returncode, 2)
                self.assertIn("no whole number from 1" if wrong != "-3" else "--each", done.stderr)
        self.assertIn("no table nonsense; there are findings-hosts", run("tables", "nonsense").stderr)


def share(value: float) -> dict:
    return {"value": value, "interval": [value - 0.1, value + 0.1], "hits": 1, "n": 2}


def at(threshold: float) -> dict:
    found = {name: share(0.7) for name in pipeline.MEASURES}
    confusion = dict(zip(pipeline.CONFUSION.values(), (3, 1, 2, 4), strict=True))
    return found | {"threshold": threshold, "f1": 0.6, "f1Interval": [0.5, 0.7], "confusion": confusion}


class Pipeline(unittest.TestCase):
    """Reports of the service's own commands become tables."""

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.enterContext(mock.patch.object(results, "FOLDER", self.folder))

    def written(self, report: dict) -> Path:
        path = self.folder / "report.json"
        path.write_text(json.dumps(report), encoding="utf-8")
        return path

    def test_what_evaluate_reports(self):
        report = {
            "counts": {"labelled": 12, "analysed": 10, "positive": 4, "patients": 9},
            "excluded": [{"reason": "lateral-view", "positive": 1, "negative": 1, "films": ["a", "b"]}],
            "auc": share(0.8),
            "averagePrecision": share(0.75),
            "atHalf": at(0.5),
            "atOperatingPoint": at(0.25),
            "sensitivityWithLeftOut": share(0.65),
            "proposed": {"from": "choice", "figures": at(0.125)},
            "films": [],
        }
        self.assertEqual(pipeline.write(self.written(report), None), 0)
        table = tables.TABLES["pipeline"]()
        for line in (
            "| films labelled, analysed, with COVID-19 | 12, 10, 4 |",
            "| not analysed: lateral-view | 1 with COVID-19, 1 without |",
            "| AUC ROC | 0.800 (0.700-0.900) |",
            "| f1 at 0.5 | 0.600 (0.500-0.700) |",
            "| TP / FN / FP / TN at the operating point (0.2500) | 3 / 1 / 2 / 4 |",
        ):
            self.assertIn(line, table)
        self.assertIn("proposed threshold (0.1250)", table)

    def test_what_the_first_check_refuses(self):
        def row(name: str, refused: int) -> dict:
            alone = {"view": 1, "gate": 2, "lungs": 0}
            share = {"share": refused / 4, "interval95": [0.1, 0.9]}
            return {"name": name, "n": 4, "refused": refused, "reasons": {}, "alone": alone} | share

        report = {
            "models": "gate-lite0 1",
            "whole": [row("films", 1), {"name": "not decoded, left out", "n": 1}],
            "groups": [row("frontal film", 1)],
            "kinds": [row("other picture: icon", 4), row("changed film: solarised", 3)],
            "sources": [],
        }
        self.assertEqual(pipeline.write(None, self.written(report)), 0)
        table = tables.TABLES["refused"]()
        self.assertIn("| frontal film | 1 of 4 | 25.0% (10.0%-90.0%) | 1 | 2 | 0 |", table)
        self.assertIn("changed film: solarised", table)
        self.assertNotIn("icon", table)

    def test_a_command_without_a_report(self):
        self.assertIn("--evaluation or --gate is needed", run("pipeline").stderr)

    def test_a_first_check_that_was_not_measured_in_folds_says_so(self):
        dicom = [{"name": "a.dcm", "answer": "frontal", "refused": False}]
        text = "\n".join(cards.check({}, {"folds": None, "hospitalDicom": dicom}))
        self.assertIn("Not measured in folds yet.", text)
        self.assertIn("| a.dcm | frontal | no |", text)


class Whole(unittest.TestCase):
    def test_a_file_that_was_cut_off_is_not_there(self):
        def cut_off(file):
            file.write(b"half")
            raise KeyboardInterrupt

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "films.npy"
            with self.assertRaises(KeyboardInterrupt):
                save_whole(path, cut_off)
            self.assertFalse(path.exists())
            save_whole(path, lambda file: file.write(b"whole"))
            self.assertEqual(path.read_bytes(), b"whole")


class Memory(unittest.TestCase):
    def test_glibc_keeps_it(self):
        with mock.patch("platform.libc_ver", lambda: ("glibc", "2.36")), mock.patch("ctypes.CDLL") as library:
            library.return_value.mallopt.return_value = 1
            self.assertTrue(keep_memory())
            asked = [call.args for call in library.return_value.mallopt.call_args_list]
        self.assertEqual(asked, [(-1, 2**31 - 1), (-2, 2**28), (-4, 0)])

    def test_another_library_is_left_alone(self):
        with mock.patch("platform.libc_ver", lambda: ("", "")), mock.patch("ctypes.CDLL") as library:
            self.assertFalse(keep_memory())
        library.assert_not_called()


class Page(unittest.TestCase):
    """docs/results.md says what training/results holds."""

    def setUp(self):
        self.page = tables.PAGE.read_text(encoding="utf-8")
        others = sorted(set(tables.marked(self.page)) - set(tables.TABLES))
        if others:
            self.skipTest(f"docs/results.md has tables that nothing makes: {', '.join(others)}")

    def test_every_table_is_the_committed_result(self):
        self.assertEqual(tables.filled(self.page), self.page)

    def test_every_result_is_shown(self):
        shown = {name.split("-")[0] for name in tables.marked(self.page)}
        for path in (TRAINING / "results").glob("*.json"):
            self.assertIn(path.stem, shown)


class Marks(unittest.TestCase):
    def test_a_table_is_put_between_its_marks(self):
        page = "a\n<!-- table: check -->\n| old |\n<!-- end -->\nb\n"
        with mock.patch.dict(tables.TABLES, check=lambda: "| new |"):
            self.assertEqual(tables.filled(page), page.replace("old", "new"))

    def test_a_table_that_nothing_makes_is_told(self):
        with self.assertRaisesRegex(SystemExit, "no command makes: nonsense"):
            tables.filled("<!-- table: nonsense -->\n<!-- end -->")


if __name__ == "__main__":
    unittest.main()
