"""From a trained VGG19 to models/covid-vgg19-lungs."""
from __future__ import annotations

import torch

from . import manifests
from .data import licence_table
from .onnx_export import CAM_LAYER, export_vgg
from .runtime import cache_dir
from .view_export import ARCHITECTURE, how_trained

LIMITATIONS = [
    "Source and class are tied together in the training data: the pooled figures mostly measure the source. A network that sees all but the "
    "lungs does as well on the same films (docs/results.md).",
    "Within one collection (Cohen: COVID-19 against other disease) and on sources left out of training the AUC was 0.6 to 0.7: there "
    "the model hardly tells COVID-19 from other pneumonia. Expect another hospital to be nearer to that.",
    "Most non-COVID pneumonia films are children's.",
    "COVID-19 is not the only disease that looks like this; a low probability does not exclude it.",
    "Films of 2020; JPEG copies of at most 384 pixels on the long side, many taken from publications.",
    "The operating points hold for the validation films, not for another site: check them there first (hilum evaluate)."]


def export_covid(net, state, rows, threshold, validation, mean, std, args) -> None:
    """``threshold``: the urgent operating point; ``validation``: figures on the validation rows."""
    target = manifests.folder("covid")
    target.mkdir(parents=True, exist_ok=True)
    torch.save(net.state_dict(), cache_dir() / "covid-float.pt")
    export_vgg(net, target / "model.onnx", manifests.IDS["covid"])
    manifests.write_json(target / "curves.json", {"epochs": state["curve"]})
    manifests.write("covid", {
        "task": "classification",
        "title": "COVID-19 or not on the lungs of a frontal chest film, VGG19",
        "architecture": ARCHITECTURE,
        "input": manifests.input_block("lungs", mean, std),
        "lungsModel": manifests.IDS["lungs"],
        "output": {"probability": "probability", "cam": "cam"},
        "classes": [
            {"label": "not COVID-19"},
            {"label": "COVID-19", "code": {"value": "840544004", "scheme": "SCT", "meaning": "Suspected disease caused by SARS-CoV-2"}}],
        "positive": 1,
        "operatingPoint": {
            "threshold": threshold,
            "meaning": "urgent at a probability of COVID-19 of at least this; the highest threshold with 95 % sensitivity on the "
                       "validation split's licensed rows"},
        "camLayer": CAM_LAYER,
        "training": manifests.training_block(
            licence_table(rows), state["epoch"], args.seed, "python3 training/train_covid.py",
            how_trained(state, args) + "COVID-19 and not weigh the same in all, sources within a class by the square root of "
            f"their size; films as they are and in {args.copies} turned, shifted, mirrored and re-exposed copy each. The "
            "penalty on the dense layer's weights was chosen on validation; temperature fitted on validation and folded into the dense layer."),
        "metrics": {"validation": validation},
        "licence": "See ../LICENSE.md. Learnt from CC BY 3.0, CC BY 4.0, NLM and NIH films.",
        "limitations": LIMITATIONS,
    })
