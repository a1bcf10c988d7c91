"""What the command says to wrong use: one sentence, and nothing is begun."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from hilum_training.data import ROOT, save_whole
from hilum_training.experiments import plan, tables
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
