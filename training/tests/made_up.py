"""A data set of drawn films in a folder, and runs on it that learnt next to nothing."""

from __future__ import annotations

import csv
import warnings
import zlib
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import nn

from hilum_training.data import Dataset, Row
from hilum_training.data.labels import FINDINGS
from hilum_training.data.not_films import HELD_OUT, KINDS
from hilum_training.data.partition import judged_rows, training_rows
from hilum_training.data.pictures import fold_of
from hilum_training.experiments.parity import drawn_film
from hilum_training.tasks import check
from hilum_training.tasks.check import CLASSES, FOLDS, CheckRun
from hilum_training.tasks.checkpoint import RunFolder
from hilum_training.tasks.findings import FindingsRun

COLUMNS = [
    *("path", "source", "patient_id", "view", "finding", "mask_path", "mask_kind", "licence", "split"),
    *("host", "sex", "age", "labels", "heartless_mask_path"),
]
SPLITS = ("train", "val", "test")
NIH_SICK, NIH_WELL = "NIH: Effusion|Infiltration", "NIH: No Finding"


def lively(net: nn.Module) -> nn.Module:
    """Random weights that keep the signal's size, and statistics that are not those of a fresh batch normalisation."""
    generator = torch.Generator().manual_seed(1)
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2, generator=generator)
            module.running_var.uniform_(0.5, 1.5, generator=generator)
    return net.eval()


def rows_of(split: str) -> list[dict]:
    """What each split has: two films of each class of each kind of source, a lateral, masks of every kind."""
    found: list[dict] = []

    def add(source: str, finding: str, count: int = 2, **more: str) -> None:
        for _ in range(count):
            name = f"{source}-{split}-{len(found)}"
            row = {"source": source, "patient_id": name, "view": "PA", "finding": finding, "licence": "CC BY"}
            found.append(row | {"path": f"images/{name}.png", "split": split} | more)

    add("cohen", "covid", 2, host="eurorad.org", sex="M", age="45", heartless_mask_path="masks/heartless.png")
    add(
        "cohen",
        "other",
        2,
        host="radiopaedia.org",
        sex="F",
        age="61",
        mask_path="masks/v7.png",
        mask_kind="v7-reviewed",
    )
    add("cohen", "covid", 1, view="L")
    for source in ("shenzhen", "montgomery"):
        for finding in ("normal", "other"):
            add(source, finding, 1, mask_path="masks/manual.png", mask_kind="manual", licence="NLM")
    add("kermany", "normal", mask_path="masks/v7.png", mask_kind="v7-reviewed")
    add("kermany", "pneumonia")
    add("nih", "other", labels=NIH_SICK)
    add("nih", "normal", labels=NIH_WELL)
    return found


def mask(folder: Path, name: str, width: int) -> None:
    image = Image.new("L", (300, 260))
    for left in (60, 180):
        ImageDraw.Draw(image).ellipse((left, 45, left + width, 225), fill=255)
    image.save(folder / name)


def write_data(folder: Path) -> list[Row]:
    """``folder``/cxr and ``folder``/dicom, as the real data set has them; returns the rows."""
    for name in ("cxr/images", "cxr/masks", "dicom"):
        (folder / name).mkdir(parents=True)
    rows = [row for split in SPLITS for row in rows_of(split)]
    with open(folder / "cxr" / "manifest.csv", "w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, restval="")
        table.writeheader()
        table.writerows(rows)
    for i, row in enumerate(rows):
        film = drawn_film(i)[::2, ::2]
        Image.fromarray(film if row["finding"] == "normal" else np.roll(film, 5 * (i % 5), 1)).save(
            folder / "cxr" / row["path"]
        )
    for name, width in (("manual.png", 62), ("heartless.png", 60), ("v7.png", 80)):
        mask(folder / "cxr" / "masks", name, width)
    write_dicom(folder / "dicom")
    return Dataset(folder).rows


def write_dicom(folder: Path) -> None:
    """One chest radiograph and pictures of other kinds, in some of the folds each."""
    import pydicom
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    fields = ["path", "kind", "note", "rows", "columns", "source_repo", "modality", "body_part"]
    listed = [{"path": "chest.dcm", "kind": "chest radiograph", "note": "decodes (pydicom)"}]
    listed += [
        {"path": f"other{i}.dcm", "kind": "variety", "note": "decodes (pydicom)", "modality": "CT"} for i in range(9)
    ]
    for i, row in enumerate(listed):
        row |= {"rows": "80", "columns": str(90 + i), "source_repo": "drawn", "body_part": ""}
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", f"1.2.{i + 1}"
        made = FileDataset(str(folder / row["path"]), {}, file_meta=meta, preamble=b"\0" * 128)
        made.SOPClassUID, made.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
        made.Rows, made.Columns, made.BitsAllocated, made.BitsStored, made.HighBit = 80, 90 + i, 8, 8, 7
        made.SamplesPerPixel, made.PixelRepresentation, made.PhotometricInterpretation = 1, 0, "MONOCHROME2"
        pixels = np.random.default_rng(i).integers(0, 256, (80, 90 + i), np.uint8)
        made.PixelData = pixels.tobytes()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom 3 says that 4 will not want these two; 2 needs them
            made.is_little_endian, made.is_implicit_VR = True, False
            pydicom.dcmwrite(str(folder / row["path"]), made)
    with open(folder / "manifest.csv", "w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, fields, restval="")
        table.writeheader()
        table.writerows(listed)


def drawn_pictures(folder: Path) -> list[dict]:
    """Pictures of something else, the first of each fold."""
    folder.mkdir(exist_ok=True)
    keys: dict[int, str] = {}
    for i in range(200):
        keys.setdefault(fold_of(f"picture{i}", FOLDS), f"picture{i}")
    for place, name in keys.items():
        pixels = np.random.default_rng(place).integers(0, 256, (90, 90), np.uint8)
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return [{"path": str(folder / f"{name}.png"), "kind": "icon", "key": name} for name in keys.values()]


def predict_findings(run: FindingsRun, data: Dataset) -> None:
    """The run's folder with logits by chance, better than none for COVID-19."""
    trained = training_rows(data, run.terms, run.splits, run.left_out, run.fold)
    rows = judged_rows(data, trained, run.left_out, run.fold, run.judged)
    rng = np.random.default_rng(zlib.crc32(run.name.encode()))
    logits = rng.normal(size=(len(rows), len(run.crops), 2, len(FINDINGS))).astype(np.float32)
    logits[..., 0] += np.array([2.0 * r.covid for r in rows])[:, None, None]
    predicted = {"rows": np.array([r.index for r in rows]), "logits": logits}
    names = {"findings": np.array(FINDINGS), "crops": np.array(run.crops)}
    trained_on = [r.index for r in trained]
    RunFolder(run.name, run.settings(data)).finish(predicted | names, {}, trained=trained_on)


def predict_check(run: CheckRun, data: Dataset) -> None:
    rng, rows = np.random.default_rng(run.fold), check.judged_rows(data, run)
    kinds = [*KINDS, *HELD_OUT]

    def logits(answers: list[int]) -> np.ndarray:
        found = rng.normal(size=(len(answers), len(CLASSES))).astype(np.float32)
        found[np.arange(len(answers)), answers] += 4
        return found

    predicted = {
        "rows": np.array([r.index for r in rows]),
        "logits": logits([check.LATERAL if r.lateral else check.FRONTAL for r in rows]),
        "kinds": np.array(kinds),
        "kindLogits": logits([check.KIND_CLASS.get(kind, check.OTHER) for kind in kinds]),
        "pictureGroups": np.array(["icon"] * 3),
        "pictureNames": np.array(["a", "b", "c"]),
        "pictureLogits": logits([check.OTHER] * 3),
    }
    RunFolder(run.name, run.settings(data)).finish(predicted, {}, trained=[])
