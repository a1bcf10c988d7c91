"""8-bit weights, the graphs' way out and back, batch-norm folding, and the class activation map's oracle."""
import tempfile
import unittest
from pathlib import Path

import hilum_training  # noqa: F401
import numpy as np
import onnx
import torch
from hilum_training import manifests, quantise
from hilum_training.data import Row, licence_table
from hilum_training.gradcam import gradcam
from hilum_training.lung_task import heart_zone
from hilum_training.shipped import load_shipped
from hilum_training.onnx_export import export_unet, export_vgg, load_unet, load_vgg
from hilum_training.unet import UNet, fold_batch_norm
from hilum_training.vgg import VGG19, start_as_identity

torch.manual_seed(1)


def random_vgg() -> VGG19:
    net, generator = VGG19(), torch.Generator().manual_seed(2)
    for block in net.blocks:
        for conv in block.convs:
            with torch.no_grad():
                start_as_identity(conv, generator, new=conv.in_channels != conv.out_channels)
    return net.eval()


class Quantise(unittest.TestCase):
    def test_error_is_at_most_half_a_step_of_its_channel(self):
        for axis in (0, 1):
            weight = torch.randn(6, 5, 3, 3) * torch.tensor([1, 2, 30, 0.1, 5.0])[None, :, None, None]
            q, scale = quantise.quantise(weight, axis)
            self.assertEqual(q.dtype, torch.int8)
            self.assertTrue(bool(((weight - q.float() * scale).abs() <= scale / 2 + 1e-7).all()))
            torch.testing.assert_close(quantise.rounded(quantise.rounded(weight, axis), axis), quantise.rounded(weight, axis))

    def test_an_empty_channel_stays_zero(self):
        self.assertEqual(float(quantise.rounded(torch.zeros(2, 3, 1, 1)).abs().max()), 0)

    def test_gradient_passes_straight_through(self):
        weight = torch.randn(2, 3, requires_grad=True)
        (quantise.StraightThrough.apply(weight) * 3).sum().backward()
        torch.testing.assert_close(weight.grad, torch.full((2, 3), 3.0))


class Graphs(unittest.TestCase):
    def test_vgg_round_trip(self):
        net = random_vgg()
        net.temperature.fill_(1.7)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            export_vgg(net, path, "trial")
            back = load_vgg(path)
            self.assertLess(path.stat().st_size, 21e6)
            names = [o.name for o in onnx.load(str(path)).graph.output]
        self.assertEqual(names, ["probability", "logit", "cam", "cam_activation"])
        z = torch.randn(1, 1, 224, 224)
        with torch.no_grad():
            torch.testing.assert_close(back(z), net.eight_bit(True)(z), rtol=1e-3, atol=1e-4)

    def test_unet_round_trip_and_folding(self):
        net = UNet(16)
        net.train()
        net(torch.randn(4, 1, 64, 64))  # gives batch normalisation something to fold
        net.eval()
        x = torch.randn(1, 1, 64, 64)
        with torch.no_grad(), tempfile.TemporaryDirectory() as folder:
            before = net(x)
            torch.testing.assert_close(fold_batch_norm(net)(x), before, rtol=1e-3, atol=1e-3)
            export_unet(net, Path(folder) / "model.onnx", "trial")
            after = load_unet(Path(folder) / "model.onnx")(x)
        self.assertLess(float((after - before).abs().mean() / before.abs().mean()), 0.05)


class ClassActivation(unittest.TestCase):
    def check(self, net):
        z = torch.randn(1, 1, 224, 224)
        with torch.no_grad():
            a = net.activation(net.low(z))
            cam = net.cam(a)[0].numpy()
            logit = float(net.classify(a))
        oracle = gradcam(net, z) * 196
        self.assertLess(np.abs(cam - oracle).max(), 1e-4 * max(1.0, np.abs(cam).max()))
        bias = float(net.head.bias / net.temperature)
        self.assertAlmostEqual(cam.mean(dtype=np.float64) + bias, logit, 3)

    def test_equals_gradcam_by_autograd(self):
        self.check(random_vgg())

    def test_equals_gradcam_by_autograd_on_the_shipped_models(self):
        for task in ("view", "covid"):
            path = manifests.folder(task) / "model.onnx"
            if not path.exists():
                self.skipTest(f"{path.name} of {task} is not there yet")
            self.check(load_shipped(task))


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
