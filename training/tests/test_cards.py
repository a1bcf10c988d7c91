"""What people read of a shipped model is what was measured of it and what its manifest says."""
import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from hilum_training import cards, manifests
from hilum_training.covid_export import LIMITATIONS
from ship_quantised import CALIBRATED, CALIBRATED_AGAIN


class Cards(unittest.TestCase):
    def test_each_card_is_written_from_its_manifest_and_figures(self):
        for task in manifests.IDS:
            with self.subTest(task):
                self.assertEqual((manifests.folder(task) / "card.md").read_text(encoding="utf-8"), cards.text(task))

    def test_the_figures_of_the_manifest_are_the_measured_ones(self):
        for task in ("view", "lungs", "covid", "removed"):
            measured = json.loads((manifests.folder(task) / "metrics.json").read_text(encoding="utf-8"))
            for path, value in leaves(manifests.read(task)["metrics"]):
                with self.subTest(task, path=path):
                    self.assertEqual(dict(leaves(measured))[path], value)

    def test_the_classifier_says_how_it_was_calibrated_and_what_it_can_not(self):
        shipped = manifests.read("covid")
        self.assertEqual(shipped["limitations"], LIMITATIONS)
        self.assertIn(CALIBRATED_AGAIN, shipped["training"]["notes"])
        self.assertNotIn(CALIBRATED, shipped["training"]["notes"])
        self.assertIn(shipped["operatingPoint"]["threshold"], [point["threshold"] for point in shipped["operatingPoints"]])


def leaves(value, path=()):
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if inside is None:
        yield path, value
    else:
        for name, below in inside:
            yield from leaves(below, (*path, name))


if __name__ == "__main__":
    unittest.main()
