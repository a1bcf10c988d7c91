"""What the commands say to wrong use: one sentence, and nothing is begun."""
import argparse
import os
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

from hilum_training.arguments import count, some, whole
from hilum_training.data import save_whole
from hilum_training.runtime import Run

TRAINING = Path(__file__).resolve().parents[1]


def run(*args: str) -> subprocess.CompletedProcess:
    with tempfile.TemporaryDirectory() as cache:
        env = os.environ | {"HILUM_DATA_DIR": "/nowhere", "HILUM_CACHE_DIR": cache}
        return subprocess.run([sys.executable, *args], cwd=TRAINING, env=env, capture_output=True, text=True)


class Commands(unittest.TestCase):
    def test_a_data_set_that_is_not_there(self):
        done = run("mask_spread.py")
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1))
        self.assertIn("/nowhere/cxr/manifest.csv is not there: HILUM_DATA_DIR or --data DIR", done.stderr)

    def test_another_file_that_is_not_there(self):
        done = run("gate_card.py", "--figures", "/nowhere.json")
        self.assertEqual((done.returncode, done.stderr), (1, "/nowhere.json is not there\n"))

    def test_help_changes_nothing(self):
        fixture = TRAINING.parent / "test" / "fixtures" / "parity" / "parity.json"
        before = fixture.stat().st_mtime_ns
        done = run("make_parity_fixture.py", "--help")
        self.assertIn("usage: ", done.stdout)
        self.assertEqual(fixture.stat().st_mtime_ns, before)

    def test_counts(self):
        self.assertEqual((count("0"), some("1"), whole("2", 2)), (0, 1, 2))
        for read, text in ((count, "-1"), (some, "0"), (some, "two"), (some, "1.5")):
            with self.subTest(text), self.assertRaises(argparse.ArgumentTypeError):
                read(text)

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

    def test_nothing_is_exported_without_a_checkpoint(self):
        with tempfile.TemporaryDirectory() as cache, unittest.mock.patch.dict(os.environ, HILUM_CACHE_DIR=cache):
            run = Run("lungs", {"seed": 1})
            with self.assertRaisesRegex(SystemExit, "no checkpoint of these settings"):
                run.stored()
            run.save(epoch=3)
            self.assertEqual(run.stored(), {"epoch": 3})


if __name__ == "__main__":
    unittest.main()
