"""The shipped ONNX graphs (opset 13, written node by node) and the way back into PyTorch.

Each convolution's weights are an int8 initializer ``<name>.q`` and a float scale per output channel
``<name>.scale``, expanded in the graph by Cast and Mul. Every engine folds that into a plain float weight when it
loads the file, so the file is a quarter of the size and nothing runs in 8 bits. Biases and the dense layer
(512 numbers) are float.
"""
from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from .quantise import quantise
from .unet import UNet, fold_batch_norm
from .vgg import VGG19

OPSET = 13
CAM_LAYER = "block5_conv4"


class Graph:
    """Collects nodes and initializers; every method returns the name of its output."""

    def __init__(self):
        self.nodes, self.initializers = [], []

    def constant(self, name: str, value) -> str:
        array = value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
        self.initializers.append(numpy_helper.from_array(array.copy(order="C"), name))
        return name

    def node(self, op: str, inputs: list[str], output: str, **attributes) -> str:
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def weight(self, name: str, value: torch.Tensor, axis: int = 0) -> str:
        q, scale = quantise(value, axis)
        wide = self.node("Cast", [self.constant(f"{name}.q", q)], f"{name}.wide", to=TensorProto.FLOAT)
        return self.node("Mul", [wide, self.constant(f"{name}.scale", scale)], f"{name}.weight")

    def conv(self, x: str, name: str, layer, relu: bool = True) -> str:
        size = list(layer.kernel_size)
        inputs = [x, self.weight(name, layer.weight), self.constant(f"{name}.bias", layer.bias)]
        y = self.node("Conv", inputs, f"{name}.linear", kernel_shape=size, pads=[k // 2 for k in size] * 2)
        return self.node("Relu", [y], name) if relu else y

    def up(self, x: str, name: str, layer) -> str:
        inputs = [x, self.weight(name, layer.weight, axis=1), self.constant(f"{name}.bias", layer.bias)]
        return self.node("ConvTranspose", inputs, name, kernel_shape=[2, 2], strides=[2, 2])

    def pool(self, x: str, name: str) -> str:
        return self.node("MaxPool", [x], name, kernel_shape=[2, 2], strides=[2, 2])

    def save(self, path: Path, name: str, outputs: dict[str, list[int]]) -> None:
        def info(label, shape):
            return helper.make_tensor_value_info(label, TensorProto.FLOAT, shape)

        graph = helper.make_graph(self.nodes, name, [info("input", [1, 1, 224, 224])],
                                  [info(k, v) for k, v in outputs.items()], self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="hilum-training")
        model.ir_version = 7
        onnx.checker.check_model(model, full_check=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(model.SerializeToString())


@torch.no_grad()
def export_vgg(net: VGG19, path: Path, name: str) -> None:
    """Outputs: probability [1, 1], logit [1, 1], cam [1, 14, 14] and cam_activation [1, 512, 14, 14]."""
    g, x = Graph(), "input"
    for number, block in enumerate(net.blocks, 1):
        for layer, conv in enumerate(block.convs, 1):
            label = f"block{number}_conv{layer}"
            x = g.conv(x, label, conv)
        if number < 5:
            x = g.pool(x, f"block{number}_pool")
    activation = g.node("Identity", [x], "cam_activation")
    row = net.head.weight / net.temperature
    pooled = g.node("Flatten", [g.node("GlobalAveragePool", [activation], "average")], "features", axis=1)
    g.constant("dense.weight", row)
    logit = g.node("Gemm", [pooled, "dense.weight", g.constant("dense.bias", net.head.bias / net.temperature)],
                   "logit", transB=1)
    g.node("Sigmoid", [logit], "probability")
    mapped = g.node("Conv", [activation, g.constant("cam.weight", row.view(1, 512, 1, 1))], "cam.map", kernel_shape=[1, 1])
    g.node("Squeeze", [mapped, g.constant("cam.axes", np.array([1], np.int64))], "cam")
    g.save(path, name, {"probability": [1, 1], "logit": [1, 1], "cam": [1, 14, 14], "cam_activation": [1, 512, 14, 14]})


@torch.no_grad()
def export_unet(net: UNet, path: Path, name: str) -> None:
    """Output: probability [1, 1, 224, 224]. Batch normalisation is folded into the convolutions."""
    net = fold_batch_norm(net.eval())
    g, x, skips = Graph(), "input", []
    for level, block in enumerate(net.down):
        if level:
            x = g.pool(x, f"down{level}_pool")
        x = g.conv(g.conv(x, f"down{level}_conv1", block.conv1), f"down{level}_conv2", block.conv2)
        skips.append(x)
    for level, (up, block) in enumerate(zip(net.up, net.join)):
        x = g.node("Concat", [g.up(x, f"up{level}", up), skips[3 - level]], f"join{level}", axis=1)
        x = g.conv(g.conv(x, f"join{level}_conv1", block.conv1), f"join{level}_conv2", block.conv2)
    g.node("Sigmoid", [g.conv(x, "out", net.out, relu=False)], "probability")
    g.save(path, name, {"probability": [1, 1, 224, 224]})


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Initializers by name, the 8-bit ones expanded to float under ``<name>.weight``."""
    stored = {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in onnx.load(str(path)).graph.initializer}
    for name in [n for n in stored if n.endswith(".q")]:
        base = name[: -len(".q")]
        stored[f"{base}.weight"] = stored.pop(name).float() * stored.pop(f"{base}.scale")
    return stored


@torch.no_grad()
def load_vgg(path: Path) -> VGG19:
    """A network of ``export_vgg`` in PyTorch; the temperature is already folded into its dense layer."""
    stored, net = read_weights(path), VGG19()
    for number, block in enumerate(net.blocks, 1):
        for layer, conv in enumerate(block.convs, 1):
            _fill(conv, stored, f"block{number}_conv{layer}")
    _fill(net.head, stored, "dense")
    return net.eval()


@torch.no_grad()
def load_unet(path: Path) -> UNet:
    stored = read_weights(path)
    net = fold_batch_norm(UNet(stored["down0_conv1.bias"].shape[0]).eval())
    for level, block in enumerate(net.down):
        for part in ("conv1", "conv2"):
            _fill(getattr(block, part), stored, f"down{level}_{part}")
    for level, (up, block) in enumerate(zip(net.up, net.join)):
        _fill(up, stored, f"up{level}")
        for part in ("conv1", "conv2"):
            _fill(getattr(block, part), stored, f"join{level}_{part}")
    _fill(net.out, stored, "out")
    return net.eval()


def _fill(layer, stored, name):
    layer.weight.copy_(stored[f"{name}.weight"])
    layer.bias.copy_(stored[f"{name}.bias"])
