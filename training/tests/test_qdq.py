"""The QDQ graphs: ranges from calibration, weights and biases on their grids, every convolution in whole numbers."""
import tempfile
import unittest
from pathlib import Path

import hilum_training  # noqa: F401
import numpy as np
import onnx
import torch
from hilum_training.qdq import activation_maxima, export_qdq, labels, quantised_weight
from onnx import numpy_helper

from .test_networks import random_vgg


class Weights(unittest.TestCase):
    def test_within_half_a_step_and_within_the_bits(self):
        weight = torch.randn(6, 5, 3, 3) * torch.tensor([1, 2, 30, 0.1, 5.0, 0.0])[:, None, None, None]
        for bits, most in ((8, 127), (7, 63)):
            q, scale = quantised_weight(weight, bits)
            self.assertEqual((q.dtype, int(np.abs(q).max())), (np.int8, most))
            error = np.abs(weight.numpy() - q * scale[:, None, None, None])
            self.assertTrue((error <= scale[:, None, None, None] / 2 + 1e-6).all())


class Calibration(unittest.TestCase):
    def test_the_100th_percentile_is_the_greatest_value_of_the_sample_and_a_lower_one_is_lower(self):
        net, z = random_vgg(), torch.randn(2, 1, 32, 32, generator=torch.Generator().manual_seed(3))
        maxima = activation_maxima(net, z, 100)
        self.assertEqual(list(maxima), [name for name, _ in labels(net)])
        with torch.no_grad():
            first = torch.relu(net.blocks[0].convs[0](z)).max()
            last = net.activation(net.low(z)).max()
        self.assertAlmostEqual(maxima["block1_conv1"], float(first), places=5)
        self.assertAlmostEqual(maxima["block5_conv4"], float(last), places=4)
        self.assertLess(activation_maxima(net, z, 99)["block1_conv1"], maxima["block1_conv1"])


class QdqGraphs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = random_vgg()
        cls.maxima = {name: 1.0 + i for i, (name, _) in enumerate(labels(cls.net))}
        with tempfile.TemporaryDirectory() as folder:
            export_qdq(cls.net, Path(folder) / "m.onnx", "test", cls.maxima, (-0.5, 3.7))
            cls.graph = onnx.load(str(Path(folder) / "m.onnx")).graph
        cls.made = {node.output[0]: node for node in cls.graph.node}
        cls.constants = {i.name: numpy_helper.to_array(i) for i in cls.graph.initializer}

    def test_every_convolution_but_the_map_takes_and_gives_whole_numbers(self):
        convs = [n for n in self.graph.node if n.op_type == "Conv" and n.name != "cam.map"]
        self.assertEqual(len(convs), 16)
        for conv in convs:
            self.assertEqual([self.made[name].op_type for name in conv.input], ["DequantizeLinear"] * 3)
            relu = next(n for n in self.graph.node if conv.output[0] in n.input)
            self.assertEqual(relu.op_type, "Relu")
            self.assertEqual([n.op_type for n in self.graph.node if relu.output[0] in n.input], ["QuantizeLinear"])

    def test_a_bias_lies_on_the_grid_of_input_times_weight(self):
        for name, conv in labels(self.net):
            x = self.made[self.made[f"{name}.linear"].input[0]]
            expected = self.constants[x.input[1]] * self.constants[f"{name}.scale"]
            np.testing.assert_allclose(self.constants[f"{name}.bias.scale"], expected, rtol=1e-6)
            self.assertEqual(self.constants[f"{name}.bias.q"].dtype, np.int32)
            error = np.abs(self.constants[f"{name}.bias.q"] * expected - conv.bias.detach().numpy())
            self.assertTrue((error <= expected / 2 + 1e-6).all())

    def test_activations_reach_from_0_to_their_calibrated_maximum_and_pooling_keeps_the_grid(self):
        for name, _ in labels(self.net):
            self.assertAlmostEqual(float(self.constants[f"{name}.grid.scale"]) * 255, self.maxima[name], places=4)
            self.assertEqual(self.constants[f"{name}.grid.zero"].dtype, np.uint8)
        pools = [n for n in self.graph.node if n.op_type == "MaxPool"]
        self.assertEqual(len(pools), 4)
        for pool in pools:
            after = next(n for n in self.graph.node if pool.output[0] in n.input)
            self.assertEqual(list(self.made[pool.input[0]].input[1:]), list(after.input[1:]))

    def test_the_input_holds_both_ends_of_its_range(self):
        scale, zero = float(self.constants["input.grid.scale"]), int(self.constants["input.grid.zero"])
        self.assertLessEqual(abs((0 - zero) * scale + 0.5), scale)
        self.assertLessEqual(abs((255 - zero) * scale - 3.7), scale)


if __name__ == "__main__":
    unittest.main()
