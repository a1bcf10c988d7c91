"""The input recipe against its own formula and against PyTorch's antialiased resampling."""

import unittest

import numpy as np
import torch
from torch.nn import functional as F

from hilum_training.data import preprocess


class Resize(unittest.TestCase):
    def test_equals_pytorch_antialiased_bilinear(self):
        rng = np.random.default_rng(1)
        for shape in ((384, 303), (260, 300), (1024, 777), (100, 150), (224, 224), (300, 90)):
            film = rng.random(shape)
            theirs = F.interpolate(
                torch.from_numpy(film)[None, None], (224, 224), mode="bilinear", antialias=True, align_corners=False
            )[0, 0].numpy()
            self.assertLess(np.abs(preprocess.resize(film) - theirs).max(), 1e-6, shape)

    def test_rows_of_weights_sum_to_one(self):
        for n_in in (1, 7, 224, 225, 3000):
            weights = preprocess.triangle_matrix(n_in, 224)
            self.assertEqual(weights.shape, (224, n_in))
            np.testing.assert_allclose(weights.sum(1), 1, atol=1e-12)

    def test_same_size_is_unchanged(self):
        film = np.random.default_rng(2).random((224, 224))
        np.testing.assert_allclose(preprocess.resize(film), film, atol=1e-12)

    def test_orientation_is_kept(self):
        film = np.zeros((300, 400))
        film[:30, :40] = 1
        small = preprocess.resize(film)
        self.assertGreater(small[5, 5], 0.99)
        self.assertLess(small[5, -5], 0.01)
        self.assertLess(small[-5, 5], 0.01)


class Film(unittest.TestCase):
    def test_is_indifferent_to_gain_and_offset(self):
        film = np.random.default_rng(3).integers(0, 4096, (310, 250))
        one, two = preprocess.normalise_film(film), preprocess.normalise_film(film * 16.0 - 900)
        self.assertEqual(one.dtype, np.float32)
        np.testing.assert_allclose(one, two, atol=1e-6)
        self.assertGreaterEqual(one.min(), 0)
        self.assertLessEqual(one.max(), 1)

    def test_outliers_do_not_set_the_scale(self):
        film = np.random.default_rng(4).integers(1000, 3000, (310, 250)).astype(np.float64)
        for value, place in ((65535, np.s_[100, 100]), (0, np.s_[:, 7]), (4095, np.s_[20:30, 20:40])):
            spoilt = film.copy()
            spoilt[place] = value
            self.assertLess(np.abs(preprocess.normalise_film(spoilt) - preprocess.normalise_film(film)).mean(), 0.01)

    def test_undeclared_padding_is_black(self):
        film = np.random.default_rng(5).integers(1000, 3000, (310, 250)).astype(np.float64)
        black, white = film.copy(), film.copy()
        for padded, value in ((black, -32000), (white, 65535)):
            padded[:20] = padded[-20:] = value
        np.testing.assert_array_equal(preprocess.normalise_film(black), preprocess.normalise_film(white))
        self.assertEqual(preprocess.normalise_film(white)[:10].max(), 0)

    def test_a_tail_without_a_gap_is_the_film_s(self):
        film = np.linspace(0, 1, 100_000).reshape(250, 400) ** 3
        self.assertEqual(preprocess.grey_range(film), (0.0, 1.0))

    def test_a_blank_film_is_zero(self):
        self.assertEqual(preprocess.normalise_film(np.full((50, 60), 7)).max(), 0)

    def test_refuses_what_is_no_film(self):
        for wrong in (np.zeros((2, 3, 4)), np.zeros((0, 5))):
            with self.assertRaises(ValueError):
                preprocess.normalise_film(wrong)

    def test_standardise(self):
        z = preprocess.standardise(np.full((2, 2), 0.75, np.float32), 0.5, 0.25)
        np.testing.assert_allclose(z, 1)


class Mask(unittest.TestCase):
    def test_specks_go_and_lungs_stay(self):
        p = np.zeros((224, 224))
        p[50:150, 30:90] = 0.9
        p[50:150, 130:190] = 0.5
        p[200:205, 200:205] = 1
        mask = preprocess.clean_mask(p)
        self.assertEqual(int(mask.sum()), 2 * 100 * 60)

    def test_parts_that_touch_at_a_corner_are_two(self):
        p = np.zeros((224, 224))
        p[0:30, 0:30] = 1
        p[30:50, 30:50] = 1  # 400 pixels: under 1 % of the film, joined to the first by a corner only
        self.assertEqual(int(preprocess.clean_mask(p).sum()), 900)

    def test_empty(self):
        self.assertFalse(preprocess.clean_mask(np.zeros((224, 224))).any())

    def test_outside_the_lungs_is_filled(self):
        film, mask = np.full((4, 4), 0.6, np.float32), np.eye(4, dtype=bool)
        np.testing.assert_allclose(preprocess.lungs_only(film, mask), 0.6 * np.eye(4))


if __name__ == "__main__":
    unittest.main()
