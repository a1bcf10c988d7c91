"""What a model was before its arithmetic became 8-bit, kept in the training cache; and any shipped VGG19 in PyTorch."""
from __future__ import annotations

import json
from pathlib import Path

from . import manifests
from .data import cache_dir
from .onnx_export import load_vgg
from .qdq import load_qdq
from .vgg import VGG19


def keep_first(task: str) -> tuple[Path, dict]:
    """(graph, manifest) of the version with float arithmetic: from models/ if it is still there, else what was kept of it."""
    onnx, manifest = (cache_dir() / f"{manifests.IDS[task]}-float{end}" for end in (".onnx", ".json"))
    shipped = manifests.read(task)
    if "quantisation" not in shipped:
        onnx.write_bytes((manifests.folder(task) / "model.onnx").read_bytes())
        manifest.write_text(json.dumps(shipped), encoding="utf-8")
    if not onnx.exists():
        raise FileNotFoundError(f"{onnx} is gone: train the {task} model again")
    return onnx, json.loads(manifest.read_text(encoding="utf-8"))


def load_shipped(task: str) -> VGG19:
    path = manifests.folder(task) / "model.onnx"
    return load_qdq(path) if "quantisation" in manifests.read(task) else load_vgg(path)
