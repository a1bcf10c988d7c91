"""8-bit weights, batch-norm folding, and what the lung masks may teach."""

import unittest

import numpy as np
import torch

from hilum_training.data import Row, licence_table
from hilum_training.export.graph import quantised_weight
from hilum_training.nets.unet import UNet, fold_batch_norm
from hilum_training.tasks.lungs import heart_zone


class Weights(unittest.TestCase):
    def test_within_half_a_step_of_the_channel(self):
        generator = torch.Generator().manual_seed(1)
        for axis, spread in ((0, (-1, 1, 1, 1)), (1, (1, -1, 1, 1))):
            weight = torch.randn(6, 6, 3, 3, generator=generator) * torch.tensor([1, 2, 30, 0.1, 5.0, 0.0]).view(spread)
            q, scale = quantised_weight(weight, axis)
            self.assertEqual((q.dtype, int(np.abs(q).max())), (np.int8, 127))
            step = scale.reshape(spread)
            self.assertTrue((np.abs(weight.numpy() - q * step) <= step / 2 + 1e-6).all())


class Folding(unittest.TestCase):
    def test_batch_normalisation_goes_into_the_convolutions(self):
        torch.manual_seed(1)
        net = UNet(4).train()
        net(torch.randn(4, 1, 64, 64))  # gives batch normalisation something to fold
        net.eval()
        x = torch.randn(1, 1, 64, 64)
        with torch.no_grad():
            before = net(x)
            torch.testing.assert_close(fold_batch_norm(net)(x), before, rtol=1e-3, atol=1e-3)


class Labels(unittest.TestCase):
    def test_the_ignored_zone_is_medial_and_low(self):
        mask = np.zeros((224, 224), bool)
        mask[20:200, 20:100] = mask[20:200, 120:200] = True
        zone = heart_zone(mask)
        self.assertTrue(zone[180, 95] and zone[180, 125])
        self.assertFalse(zone[180, 110] or zone[30, 95] or zone[180, 30] or zone[180, 190])
        self.assertFalse(heart_zone(np.zeros((8, 8), bool)).any())

    def test_licence_table_counts(self):
        row = Row(0, "p", "cohen", "x", "PA", "covid", "", "", "CC BY", "train")
        self.assertEqual(licence_table([row, row]), [{"source": "cohen", "rows": 2, "licence": "CC BY"}])


if __name__ == "__main__":
    unittest.main()
