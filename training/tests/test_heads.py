"""Dense layers on frozen features, their calibration, the figures with intervals, and the quantised network in PyTorch."""
import tempfile
import unittest
from pathlib import Path

import hilum_training  # noqa: F401
import numpy as np
import torch
from hilum_training import heads
from hilum_training.metrics import auc, average_precision, calibration_error, full
from hilum_training.operating_points import operating_points
from hilum_training.qdq import QdqVGG, activation_maxima, export_qdq, labels, load_qdq
from hilum_training.regions import region_film

from .test_networks import random_vgg


def two_clouds(n: int = 400, apart: float = 1.5, seed: int = 1):
    rng = np.random.default_rng(seed)
    y = rng.random(n) < 0.3
    return rng.standard_normal((n, 5)) + apart * y[:, None] * np.array([1, 1, 0, 0, 0]), y


class Heads(unittest.TestCase):
    def test_what_separates_is_found_and_a_penalty_shrinks_it(self):
        x, y = two_clouds()
        free, held = (heads.fit(x, y, np.ones(len(y)), p) for p in (1e-4, 1.0))
        self.assertGreater(auc(y, free.logit(x)), 0.9)
        self.assertGreater(min(abs(free.weight[:2])), 5 * max(abs(free.weight[2:])))
        self.assertLess(np.linalg.norm(held.weight), np.linalg.norm(free.weight) / 3)

    def test_calibration_undoes_the_balanced_weights_and_keeps_the_order(self):
        x, y = two_clouds()
        balanced = heads.fit(x, y, np.where(y, 0.5 / y.sum(), 0.5 / (~y).sum()), 1e-3)
        after = heads.calibrated(balanced, x, y)
        self.assertLess(calibration_error(y, after.probability(x)), calibration_error(y, balanced.probability(x)))
        self.assertAlmostEqual(after.probability(x).mean(), y.mean(), places=3)
        self.assertAlmostEqual(auc(y, after.logit(x)), auc(y, balanced.logit(x)), places=9)

    def test_operating_points_find_what_they_promise(self):
        x, y = two_clouds(apart=1.0)
        p = heads.calibrated(heads.fit(x, y, np.ones(len(y)), 1e-3), x, y).probability(x)
        points = operating_points(y, p)
        for point in points:
            self.assertGreaterEqual((p[y] >= point["threshold"]).mean(), point["sensitivity"])
            self.assertAlmostEqual((p[~y] < point["threshold"]).mean(), point["specificity"])
        self.assertEqual(sorted((p_["threshold"] for p_ in points), reverse=True), [p_["threshold"] for p_ in points])


class Figures(unittest.TestCase):
    def test_average_precision_by_hand(self):
        self.assertAlmostEqual(average_precision([1, 0, 1, 0], np.array([0.9, 0.8, 0.7, 0.1])), (1 + 2 / 3) / 2)
        self.assertAlmostEqual(average_precision([1, 0], np.array([0.5, 0.5])), 0.5)

    def test_the_confusion_matrix_and_one_class_only(self):
        found = full([1, 1, 0, 0, 0], np.array([0.9, 0.1, 0.8, 0.2, 0.3]), list("abcde"))
        self.assertEqual(found["confusion"], {"tp": 1, "fn": 1, "fp": 1, "tn": 2})
        self.assertEqual(found["accuracy"]["value"], 0.6)
        alone = full([0, 0], np.array([0.9, 0.1]), ["a", "b"])
        self.assertIsNone(alone["auc"]["value"])
        self.assertIsNone(alone["sensitivity"]["value"])


class Regions(unittest.TestCase):
    def test_lungs_and_the_rest_make_the_film(self):
        film = np.array([[0.0, 0.2], [0.4, 1.0]], np.float32)
        lungs = np.array([[0.0, 0.2], [0.0, 1.0]], np.float32)
        parts = {r: region_film(film, lungs, r) for r in ("film", "lungs", "removed")}
        np.testing.assert_array_equal(parts["removed"], [[0, 0], [np.float32(0.4), 0]])
        np.testing.assert_array_equal(parts["lungs"] + parts["removed"], parts["film"])


class Quantised(unittest.TestCase):
    def test_a_written_graph_comes_back_and_gives_nearly_what_the_float_network_gives(self):
        net, z = random_vgg(), torch.randn(1, 1, 32, 32, generator=torch.Generator().manual_seed(5))
        with tempfile.TemporaryDirectory() as folder:
            export_qdq(net, Path(folder) / "m.onnx", "test", activation_maxima(net, z, 100), (float(z.min()), float(z.max())))
            back = load_qdq(Path(folder) / "m.onnx")
        self.assertIsInstance(back, QdqVGG)
        self.assertEqual(len(back.grids), 1 + len(list(labels(net))))
        with torch.no_grad():
            a, b = net.activation(net.low(z)), back.activation(back.low(z))
        self.assertGreater(float(np.corrcoef(a.flatten(), b.flatten())[0, 1]), 0.9)
        steps = b / back.grids["block5_conv4.grid"][0]
        self.assertLess(float((steps - steps.round()).abs().max()), 1e-3)


if __name__ == "__main__":
    unittest.main()
