"""EfficientNet-Lite0: the ImageNet weights give the figures that came with them, 14 x 14 cells, exact class activation
maps, gradients."""

import unittest

import numpy as np
import torch
from torch.nn import functional as F

from hilum_training.data import default_data_dir
from hilum_training.nets.lite0 import MEAN, STD, Depthwise, Lite0, same_padding, start_from_imagenet

WEIGHTS = default_data_dir() / "weights" / "efficientnet-lite0-imagenet.npz"
#: Largest means over the 7 x 7 cells for ``ramp``, from the data set's README.
LARGEST = {71: 5.148, 468: 4.6138, 689: 4.4767}


def ramp() -> torch.Tensor:
    y, x = np.mgrid[:224, :224].astype(np.float32)
    return torch.from_numpy((x / 223 * (0.2 + 0.8 * y / 223) - MEAN) / STD)[None, None]


class Network(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(1)
        self.net = Lite0(3).eval()

    @unittest.skipUnless(WEIGHTS.is_file(), "the data set is not here")
    def test_imagenet_weights_give_the_published_activations(self):
        with torch.no_grad():
            means = start_from_imagenet(self.net, WEIGHTS).activation(ramp()).mean((2, 3))[0]
        values, channels = means.topk(3)
        self.assertEqual(channels.tolist(), list(LARGEST))
        np.testing.assert_allclose(values.numpy(), list(LARGEST.values()), atol=1e-3)

    def test_cells(self):
        with torch.no_grad():
            self.assertEqual(self.net.activation(ramp()).shape, (1, 1280, 7, 7))
            self.assertEqual(self.net.dense().activation(ramp()).shape, (1, 1280, 14, 14))
            self.assertEqual(self.net.dense(False).activation(ramp()).shape, (1, 1280, 7, 7))

    def test_dense_cells_hold_the_strided_ones(self):
        """Where no border is near, every second cell of the dense map is computed from the same values: first block of
        the stage."""
        x = torch.rand(1, 112, 14, 14)
        block = self.net.stages[5][0]
        with torch.no_grad():
            coarse = block(x)
            fine = self.net.dense().stages[5][0](x)
        np.testing.assert_allclose(fine[:, :, 3:11:2, 3:11:2].numpy(), coarse[:, :, 1:5, 1:5].numpy(), atol=1e-5)

    def test_the_map_sums_to_the_logit(self):
        with torch.no_grad():
            a = self.net.dense().activation(ramp())
            logit = self.net.cam(a).mean((2, 3)) + self.net.head.bias
            np.testing.assert_allclose(logit.numpy(), self.net.classify(a).numpy(), atol=1e-5)

    def test_folded_batch_normalisation_is_the_same_function(self):
        z = torch.rand(2, 1, 64, 64)
        with torch.no_grad():
            folded = self.net(z)
        np.testing.assert_allclose(self.net(z).detach().numpy(), folded.numpy(), atol=1e-5)

    def test_frozen_stages_do_not_move(self):
        self.net.freeze(2).train()
        self.net(torch.rand(4, 1, 64, 64)).sum().backward()
        self.assertIsNone(self.net.stem.conv.weight.grad)
        self.assertIsNone(self.net.stages[1][0].expand.conv.weight.grad)
        self.assertIsNotNone(self.net.stages[2][0].expand.conv.weight.grad)
        self.assertEqual(float(self.net.stem.norm.running_mean.abs().sum()), 0)


class Gradients(unittest.TestCase):
    def test_depthwise(self):
        torch.manual_seed(1)
        for size, stride, padding, dilation in ((3, 1, 1, 1), (5, 2, 0, 1), (5, 1, 4, 2), (3, 2, 1, 1)):
            with self.subTest(size=size, stride=stride):
                x, w = torch.randn(2, 8, 15, 15, requires_grad=True), torch.randn(8, 1, size, size, requires_grad=True)
                own, torchs = (
                    Depthwise.apply(x, w, stride, padding, dilation),
                    F.conv2d(x, w, None, stride, padding, dilation, 8),
                )
                weight = torch.randn_like(own)
                for a, b in zip(
                    torch.autograd.grad((own * weight).sum(), (x, w)),
                    torch.autograd.grad((torchs * weight).sum(), (x, w)),
                    strict=True,
                ):
                    np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-4)

    def test_padding_as_tensorflow(self):
        self.assertEqual(
            [same_padding(224, 3, 2), same_padding(56, 5, 2), same_padding(14, 5, 1), same_padding(7, 3, 2)],
            [(0, 1), (1, 2), (2, 2), (1, 1)],
        )


if __name__ == "__main__":
    unittest.main()
