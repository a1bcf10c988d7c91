"""The graphs that are shipped, run by the service's engine: the float ones give PyTorch's figures, the 8-bit ones
nearly; maps sum to the logit."""

import os
import tempfile
import unittest
import unittest.mock
from pathlib import Path

import numpy as np
import torch
from torch import nn

from hilum_training import engine
from hilum_training.data import ROOT
from hilum_training.export import lite0_onnx, unet_onnx, vgg_onnx
from hilum_training.export.lite0_onnx import Member, export_answers, export_findings, ranges
from hilum_training.nets.lite0 import Lite0
from hilum_training.nets.unet import UNet, fold_batch_norm
from hilum_training.nets.vgg import Vgg

ENGINE = (ROOT / "node_modules" / "onnxruntime-node").exists()


def lively(net: nn.Module) -> nn.Module:
    """Random weights that keep the signal's size, and statistics that are not those of a fresh batch normalisation."""
    generator = torch.Generator().manual_seed(1)
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2, generator=generator)
            module.running_var.uniform_(0.5, 1.5, generator=generator)
    return net.eval()


def films(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 224, 224), np.uint8)


def standard(n: np.ndarray, mean: float = 0.5, std: float = 0.5) -> torch.Tensor:
    return ((torch.from_numpy(n.astype(np.float32) / np.float32(255)) - mean) / std)[:, None]


@unittest.skipUnless(ENGINE, "onnxruntime-node is not installed: npm ci")
class Graphs(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        patch = unittest.mock.patch.dict(os.environ, HILUM_CACHE_DIR=self.folder.name)
        patch.start()
        self.addCleanup(patch.stop)
        torch.manual_seed(1)
        self.path = Path(self.folder.name) / "net" / "model.onnx"
        self.film, self.box = films(2), films(2, 2)

    def computed(self, path: Path, planes: list, wanted: dict[str, int]) -> dict[str, np.ndarray]:
        return engine.computed(path, planes, wanted, Path(self.folder.name))

    def member(self, net: Lite0, found=None) -> Member:
        return Member(net, net.head.weight.detach().numpy(), net.head.bias.detach().numpy(), found)

    def answers(self) -> dict:
        found = self.computed(
            self.path,
            [(self.film, 0.5, 0.5), (self.box, 0.5, 0.5)],
            {"logits": 3, "probability": 3, "cam": 2 * 3 * 196},
        )
        return found | {"cam": found["cam"].reshape(2, 2, 3, 14, 14)}

    def test_a_mean_of_networks_crops_and_mirror_images(self):
        nets = [lively(Lite0(3)).dense() for _ in range(2)]
        export_findings([self.member(net) for net in nets], self.path, "net")
        found = self.answers()
        with torch.no_grad():
            views = [z for crop in (self.film, self.box) for z in (standard(crop), standard(crop).flip(3))]
            expected = np.mean([net(z).numpy() for net in nets for z in views], 0)
        np.testing.assert_allclose(found["logits"], expected, atol=1e-4)
        np.testing.assert_allclose(found["probability"], 1 / (1 + np.exp(-expected)), atol=1e-4)
        bias = np.mean([net.head.bias.detach().numpy() for net in nets], 0)
        sums = found["cam"].mean((3, 4)).sum(1)
        np.testing.assert_allclose(sums + bias, found["logits"], atol=1e-4)

    def test_the_map_of_a_mirror_image_is_turned_back(self):
        net = lively(Lite0(3)).dense()
        export_findings([self.member(net)], self.path, "net")
        with torch.no_grad():
            z = standard(self.film)
            expected = (net.cam(net.activation(z)) + net.cam(net.activation(z.flip(3))).flip(3)) / 4
        np.testing.assert_allclose(self.answers()["cam"][:, 0], expected.numpy(), atol=1e-3)

    def test_in_8_bits(self):
        net = lively(Lite0(3)).dense()
        found = ranges(net, standard(films(4, 3)))
        export_findings([self.member(net, found)], self.path, "net", mirrored=False)
        with torch.no_grad():
            expected = (net(standard(self.film)) + net(standard(self.box))).numpy() / 2
        np.testing.assert_allclose(
            self.answers()["logits"], expected, atol=0.05 * max(1.0, float(np.abs(expected).max()))
        )

    def test_one_answer_of_several(self):
        net = lively(Lite0(5))
        export_answers(net, self.path, "net", net.head.weight.detach().numpy(), net.head.bias.detach().numpy(), 0, 1)
        found = self.computed(self.path, [(self.film, 0.5, 0.5)], {"answers": 5, "unlike": 1, "lateral": 1})
        with torch.no_grad():
            p = torch.softmax(net(standard(self.film)), 1).numpy()
        np.testing.assert_allclose(found["answers"], p, atol=1e-4)
        np.testing.assert_allclose(found["unlike"][:, 0], 1 - p[:, 0] - p[:, 1], atol=1e-4)
        np.testing.assert_allclose(found["lateral"][:, 0], p[:, 1] / (p[:, 0] + p[:, 1]), atol=1e-4)

    def test_vgg(self):
        net = lively(Vgg("vgg16"))
        weight, bias = net.head.weight.detach().numpy()[0], 0.25
        with torch.no_grad():
            a = net.activation(standard(self.film))
            expected = (a.mean((2, 3)).numpy() @ weight + bias)[:, None]
        for found, tolerance in ((None, 1e-3), (vgg_onnx.maxima(net, standard(self.film)), 0.1)):
            vgg_onnx.export_vgg(net, self.path, "net", weight, bias, found)
            answer = self.computed(self.path, [(self.film, 0.5, 0.5)], {"logit": 1, "cam": 196})
            np.testing.assert_allclose(
                answer["logit"], expected, atol=tolerance * max(1.0, float(np.abs(expected).max()))
            )
            np.testing.assert_allclose(answer["cam"].mean(1) + bias, answer["logit"][:, 0], atol=1e-3)

    def test_unet_in_8_bits(self):
        net = fold_batch_norm(lively(UNet(4)))
        found = unet_onnx.ranges(net, standard(self.film))
        unet_onnx.export_unet_qdq(net, self.path, "net", found, 0.5, 0.5)
        answer = self.computed(self.path, [(self.film, 0.5, 0.5)], {"probability": 224 * 224})["probability"]
        with torch.no_grad():
            expected = torch.sigmoid(net(standard(self.film))).flatten(1).numpy()
        self.assertLess(float(np.abs(answer - expected).mean()), 0.03)


class Equalisation(unittest.TestCase):
    def test_factors_of_a_stream_cancel(self):
        """What the linear outputs are divided by, the next convolutions take back."""
        torch.manual_seed(1)
        net = lively(Lite0(1))
        found = ranges(net, standard(films(1)))
        g = lite0_onnx.Lite0Graph().begin("", found)
        kernel, bias = net.stages[1][0].project.folded()
        written, _ = g.equalised("s1b0.project", kernel, bias)
        reader = net.stages[1][1].expand.folded()[0]
        read, _ = g.equalised("s1b1.expand", reader, torch.zeros(1))
        product = torch.einsum("oi,ij->oj", read[:, :, 0, 0], written[:, :, 0, 0])
        torch.testing.assert_close(
            product, torch.einsum("oi,ij->oj", reader[:, :, 0, 0], kernel[:, :, 0, 0]), rtol=1e-4, atol=1e-5
        )


if __name__ == "__main__":
    unittest.main()
