"""Blocks 4-5 behind frozen features, the ways against the loss on unseen sources, and the drawn curves."""
import types
import unittest

import hilum_training  # noqa: F401
import numpy as np
import torch
from hilum_training import blocks, curves
from hilum_training.external_task import left_out
from hilum_training.grid_task import Table
from hilum_training.metrics import auc
from hilum_training.regions import SCALED, region_film


class Blocks(unittest.TestCase):
    def test_what_separates_the_classes_is_learnt(self):
        torch.manual_seed(1)
        rng = np.random.default_rng(1)
        y = np.arange(64) % 2 == 0
        x = rng.random((64, 256, 4, 4), np.float32)
        x[y, :64] += 1
        net = blocks.Blocks(0.1)
        args = types.SimpleNamespace(seed=1, draws=4 * blocks.BATCH, epochs=2, rate=5e-4)
        optimiser = blocks.optimiser(net, args.rate, 0.02)
        losses = [blocks.epoch(net, optimiser, [x], y, np.full(64, 1 / 64), number, args) for number in range(2)]
        self.assertLess(losses[1], losses[0])
        z = blocks.logits(net, x)
        self.assertGreater(auc(y, z), 0.95)
        np.testing.assert_array_equal(z, blocks.logits(net, x))  # no dropout, no batch's statistics

    def test_mixed_films_keep_their_share_of_the_label(self):
        y = torch.tensor([0.0, 1.0, 1.0, 0.0])
        x = y[:, None, None, None].expand(4, 1, 2, 2).clone()
        mixed_x, mixed_y = blocks.mixed_up(x, y, np.random.default_rng(3))
        self.assertTrue(((mixed_y >= 0) & (mixed_y <= 1)).all())
        strength = mixed_x[:, 0, 0, 0] / mixed_y.clamp_min(1e-9)
        self.assertTrue(((strength > np.exp(-0.2) - 1e-3) & (strength < np.exp(0.2) + 1e-3))[mixed_y > 0].all())


class Regions(unittest.TestCase):
    def test_scaled_lungs_no_longer_tell_how_the_film_was_exposed(self):
        film = np.linspace(0.2, 0.9, 100, dtype=np.float32).reshape(10, 10)
        lungs = np.where(np.arange(100).reshape(10, 10) % 3 == 0, film, np.float32(0))
        bright = np.where(lungs > 0, 0.5 * lungs + 0.3, np.float32(0)).astype(np.float32)
        np.testing.assert_allclose(region_film(film, lungs, SCALED), region_film(film, bright, SCALED), atol=1e-5)
        self.assertEqual(region_film(film, lungs, SCALED)[lungs == 0].max(), 0)
        nothing = np.zeros_like(film)
        np.testing.assert_array_equal(region_film(film, nothing, SCALED), nothing)


class Ways(unittest.TestCase):
    def test_augmented_copies_are_learnt_from_and_those_of_the_group_are_not(self):
        rng, n = np.random.default_rng(1), 240
        rows = [types.SimpleNamespace(covid=bool(i % 2), split=("train", "val", "test")[i % 3], source=f"s{i % 4}", patient=f"p{i}", view="PA",
                                      finding="covid" if i % 2 else "normal") for i in range(n)]
        table = Table(rows)
        x = (rng.standard_normal((n, 4)) + table.covid[:, None]).astype(np.float32)
        out = table.source == "s1"
        copies = x + 0.1
        without = left_out(x, table, out, "as shipped")
        self.assertNotEqual(left_out(x, table, out, "augmented copies", copies)["leftOut"]["auc"], None)
        changed = copies.copy()
        changed[out] = 1e3
        self.assertEqual(left_out(x, table, out, "augmented copies", copies), left_out(x, table, out, "augmented copies", changed))
        self.assertNotEqual(left_out(x, table, out, "augmented copies", -x)["seenSources"]["auc"], without["seenSources"]["auc"])


class Curves(unittest.TestCase):
    def test_points_by_hand_and_the_area_below_them(self):
        y, p = np.array([1, 0, 1, 0]), np.array([0.9, 0.9, 0.4, 0.1])
        false, sensitivity, precision = curves.points(y, p)
        np.testing.assert_allclose(false, [0.5, 0.5, 1])
        np.testing.assert_allclose(sensitivity, [0.5, 1, 1])
        np.testing.assert_allclose(precision, [0.5, 2 / 3, 0.5])
        area = np.trapz([0, *sensitivity], [0, *false])
        self.assertAlmostEqual(area, auc(y, p))


if __name__ == "__main__":
    unittest.main()
