"""VGG16 from ImageNet, and a VGG19 grown out of it."""

import unittest

import numpy as np
import torch
from torch import nn

from hilum_training.data import default_data_dir
from hilum_training.nets.vgg import FEATURES, LOW, MEAN, STD, Vgg, start_from_imagenet

WEIGHTS = default_data_dir() / "weights" / "vgg16-imagenet.npz"
#: Largest means over the 14 x 14 cells behind block5_conv3, from the data set's README; padding here is grey and not
#: the mean colour: within 3 %.
LARGEST = {382: 6.218, 441: 5.391, 229: 4.438}


class Grown(unittest.TestCase):
    @unittest.skipUnless(WEIGHTS.is_file(), "the data set is not here")
    def test_published_activations_and_a_vgg19_is_the_same_function(self):
        y, x = np.mgrid[:224, :224].astype(np.float32)
        z = torch.from_numpy((x / 223 * (0.2 + 0.8 * y / 223) - MEAN) / STD)[None, None]
        means = []
        for name in ("vgg16", "vgg19"):
            with torch.no_grad():
                means.append(start_from_imagenet(Vgg(name), WEIGHTS).eval().activation(z).mean((2, 3))[0])
        values, channels = means[0].topk(3)
        self.assertEqual(channels.tolist(), list(LARGEST))
        np.testing.assert_allclose(values.numpy(), list(LARGEST.values()), rtol=0.03)
        torch.testing.assert_close(means[0], means[1])

    def test_identity_convolutions_pass_on_what_relu_lets_through(self):
        conv = nn.Conv2d(8, 8, 3, padding=1)
        nn.init.dirac_(conv.weight)
        nn.init.zeros_(conv.bias)
        x = torch.rand(1, 8, 6, 6)
        torch.testing.assert_close(torch.relu(conv(x)), x)

    def test_the_map_sums_to_the_logit(self):
        torch.manual_seed(1)
        net = Vgg("vgg16", 2).eval()
        with torch.no_grad():
            a = torch.rand(1, FEATURES, 14, 14)
            torch.testing.assert_close(net.cam(a).mean((2, 3)) + net.head.bias, net.classify(a))

    def test_only_blocks_that_are_not_frozen_are_trained(self):
        for frozen in LOW:
            net = Vgg("vgg19", frozen=frozen)
            self.assertEqual(
                sum(p.numel() for p in net.trained()),
                sum(p.numel() for b in net.blocks[frozen:] for p in b.parameters()) + FEATURES + 1,
            )

    def test_the_frozen_blocks_and_the_others_make_the_whole(self):
        z = torch.randn(1, 1, 224, 224)
        whole = Vgg("vgg16").eval()
        for frozen, shape in LOW.items():
            net = Vgg("vgg16", frozen=frozen).eval()
            net.load_state_dict(whole.state_dict())
            with torch.no_grad():
                low = net.low(z)
                self.assertEqual(tuple(low.shape), (1, *shape))
                torch.testing.assert_close(net.high(low), whole.activation(z))

    def test_a_frozen_identity_is_left_out_and_a_trained_one_is_not(self):
        torch.manual_seed(1)
        z, small, frozen = torch.randn(1, 1, 64, 64), Vgg("vgg16"), 3
        grown = Vgg("vgg19", frozen=frozen).eval()
        for block, of_small in zip(grown.blocks, small.blocks, strict=True):
            for conv, taken in zip(block, of_small, strict=False):
                conv.load_state_dict(taken.state_dict())
            for conv in block[len(of_small) :]:
                nn.init.dirac_(conv.weight)
                nn.init.zeros_(conv.bias)
        with torch.no_grad():
            self.assertTrue(torch.equal(grown.high(grown.low(z)), grown.activation(z)))
            grown.blocks[3][3].weight.mul_(2)
            torch.testing.assert_close(grown.high(grown.low(z)), grown.activation(z))
            self.assertFalse(torch.allclose(grown.activation(z), small.eval().activation(z)))


if __name__ == "__main__":
    unittest.main()
