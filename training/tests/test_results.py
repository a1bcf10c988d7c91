"""docs/results.md says what training/results holds."""
import unittest

import hilum_training  # noqa: F401
from hilum_training import tables
from hilum_training.data import ROOT

PAGE = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")


class Page(unittest.TestCase):
    def test_every_table_is_the_committed_result(self):
        self.assertEqual(tables.filled(PAGE), PAGE)

    def test_every_result_is_shown(self):
        shown = {name.split("-")[0] for name in tables.MARKED.findall(PAGE)}
        for path in (ROOT / "training" / "results").glob("*.json"):
            self.assertIn(path.stem, shown)

    def test_a_changed_figure_is_noticed(self):
        marked = tables.MARKED.search(PAGE)
        self.assertNotEqual(tables.filled(PAGE.replace(marked[0], marked[0].replace("<!-- end -->", "| 1 |\n<!-- end -->"))), PAGE.replace(
            marked[0], marked[0].replace("<!-- end -->", "| 1 |\n<!-- end -->")))


if __name__ == "__main__":
    unittest.main()
