"""From a trained VGG19 to models/view-vgg19."""
from __future__ import annotations

import torch

from . import manifests
from .data import licence_table
from .onnx_export import CAM_LAYER, export_vgg
from .runtime import cache_dir

ARCHITECTURE = ("VGG19 blocks 1-5 on one grey channel, global average pooling right behind block5_conv4 (no pool5), one "
                "dense layer, sigmoid")
BLOCKS_1_TO_3 = ("Blocks 1-3: ImageNet weights (Visual Geometry Group, CC BY 4.0), grey input folded in as the sum over "
                 "colours, not trained further. ")
DENSE_ONLY = ("Blocks 4-5 are still at their start: identities that pass block 3's features on, and random features beside them "
              "(no ImageNet weights of them were to be had); only the dense layer was trained, by logistic regression on "
              "the mean activations of the network with its 8-bit weights. ")
FINE_TUNED = ("Blocks 4-5 started as identities (no ImageNet weights to be had) and were trained with the dense layer, {draws} "
              "films an epoch, seeing the weights rounded to 8 bits as they are shipped. ")


def how_trained(state, args) -> str:
    """What was trained, in words: epoch 0 means that blocks 4-5 stayed at their start."""
    return BLOCKS_1_TO_3 + (FINE_TUNED.format(draws=args.draws) if state["epoch"] else DENSE_ONLY)


def export_view(net, state, rows, cross, mean, std, args) -> None:
    target = manifests.folder("view")
    target.mkdir(parents=True, exist_ok=True)
    torch.save(net.state_dict(), cache_dir() / "view-float.pt")
    export_vgg(net, target / "model.onnx", manifests.IDS["view"])
    manifests.write_json(target / "curves.json", {"epochs": state["curve"], "crossValidation": cross})
    threshold = cross["atThreshold"]["threshold"] if cross else 0.5
    manifests.write("view", {
        "task": "view",
        "title": "Frontal or lateral chest film, VGG19",
        "architecture": ARCHITECTURE,
        "input": manifests.input_block("film", mean, std),
        "output": {"probability": "probability", "cam": "cam"},
        "classes": [{"label": "frontal"}, {"label": "lateral"}],
        "positive": 1,
        "operatingPoint": {
            "threshold": threshold,
            "meaning": "lateral at a probability of lateral of at least this; chosen on cross-validation scores so that doubt "
                       "leads to lateral, which is not analysed"},
        "camLayer": CAM_LAYER,
        "training": manifests.training_block(
            licence_table(rows), state["epoch"], args.seed, "python3 training/train_view.py",
            how_trained(state, args) + f"Laterals and frontals weigh the same in all; {args.copies} mirrored, turned, scaled, "
            f"shifted and re-exposed copies of each lateral, {args.frontal_copies} of each frontal. All 47 laterals at hand come "
            "from one collection; licensed frontals of the same collection are among "
            "the frontals."),
        "metrics": {"crossValidation": cross},
        "licence": "CC BY-NC-SA 4.0 (non-commercial), because the laterals it learnt from are. See ../LICENSE.md.",
        "limitations": [
            "Learnt from 25 laterals of one collection, tested on 47 in all.",
            "Augmentation, penalty and threshold were chosen on the cross-validation over all 47 laterals: its figures, and those "
            "of the test split's 14 laterals among them, are somewhat optimistic.",
            "A drawn film or one shown inverted can be called lateral with great certainty.",
            "Knows frontal and lateral chest films only: another body part gets one of these two answers. The lung check "
            "behind it is meant to refuse those.",
            "Not tried on oblique, lordotic or decubitus views."],
    })
