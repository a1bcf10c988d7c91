"""Figures of merit against cases worked out by hand."""

import unittest

import numpy as np

from hilum_training import metrics
from hilum_training.export import plausibility
from hilum_training.metrics import operating_point


class Figures(unittest.TestCase):
    def test_auc(self):
        self.assertEqual(metrics.auc([0, 0, 1, 1], [1, 2, 3, 4]), 1)
        self.assertEqual(metrics.auc([1, 1, 0, 0], [1, 2, 3, 4]), 0)
        self.assertEqual(metrics.auc([0, 1, 0, 1], [5, 5, 5, 5]), 0.5)
        self.assertEqual(metrics.auc([0, 1, 0, 1], [0.1, 0.4, 0.35, 0.3]), 0.75)
        self.assertIsNone(metrics.auc([1, 1], [0, 1]))

    def test_wilson(self):
        low, high = metrics.wilson(47, 47)
        self.assertAlmostEqual(low, 0.9244, 3)
        self.assertAlmostEqual(high, 1)
        low, high = metrics.wilson(8, 10)
        self.assertAlmostEqual(low, 0.4902, 3)
        self.assertAlmostEqual(high, 0.9433, 3)
        self.assertIsNone(metrics.wilson(0, 0))

    def test_binary(self):
        found = metrics.binary([1, 1, 1, 0, 0], [0.9, 0.5, 0.1, 0.5, 0.2], 0.5)
        self.assertAlmostEqual(found["sensitivity"]["value"], 2 / 3)
        self.assertAlmostEqual(found["specificity"]["value"], 1 / 2)
        self.assertAlmostEqual(found["accuracy"]["value"], 3 / 5)
        self.assertAlmostEqual(found["f1"], 2 / 3)

    def test_dice(self):
        a, b = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
        self.assertEqual(metrics.dice(a, b), 1)
        a[0], b[0, :2] = True, True
        self.assertAlmostEqual(metrics.dice(a, b), 4 / 6)

    def test_bootstrap_keeps_patients_together(self):
        labels, scores = np.array([0, 0, 1, 1] * 10), np.arange(40) % 4
        low, high = metrics.auc_interval(labels, scores, np.arange(40) // 4, rounds=50)
        self.assertEqual((low, high), (1, 1))

    def test_calibration_error(self):
        self.assertAlmostEqual(metrics.calibration_error([1, 0], [1.0, 0.0]), 0)
        self.assertAlmostEqual(metrics.calibration_error([0, 0], [0.95, 0.95]), 0.95)

    def test_operating_point_keeps_the_sensitivity(self):
        labels, p = np.ones(20, bool), np.arange(1, 21) / 20
        cut = operating_point(labels, p, 0.95)
        self.assertEqual((p >= cut).mean(), 0.95)


class Plausibility(unittest.TestCase):
    def lungs(self):
        p = np.zeros((224, 224))
        p[50:150, 30:90] = p[50:150, 130:190] = 0.9
        return p

    def test_describes_two_equal_lungs(self):
        figures = plausibility.describe(self.lungs())
        self.assertAlmostEqual(figures["lungFraction"], 12000 / 50176)
        self.assertEqual(figures["components"], 2)
        self.assertAlmostEqual(figures["smallerSideShare"], 0.5)
        self.assertAlmostEqual(figures["meanProbability"], 0.9)

    def test_bounds_hold_for_what_they_were_made_of_and_refuse_the_rest(self):
        limits = plausibility.bounds([plausibility.describe(self.lungs())] * 10)
        self.assertEqual(plausibility.reasons(plausibility.describe(self.lungs()), limits), [])
        one_sided = self.lungs()
        one_sided[:, 100:] = 0
        self.assertIn("lungFraction", plausibility.reasons(plausibility.describe(one_sided), limits))
        self.assertEqual(len(plausibility.reasons(plausibility.describe(np.zeros((224, 224))), limits)), 4)


if __name__ == "__main__":
    unittest.main()
