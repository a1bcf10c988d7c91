"""Real pictures that are no chest films, on the network's grid and with the fold of each: DICOM objects of other
kinds, icons, illustrations."""

from __future__ import annotations

import csv
import hashlib

import numpy as np

from .dataset import cache_dir, default_data_dir, digest, save_whole
from .other_pictures import dicom_rows, picture_rows, read_dicom, read_picture
from .preprocess import normalise_film


def fold_of(key: str, count: int) -> int:
    return int(hashlib.sha256(f"check|{key}".encode()).hexdigest(), 16) % count


def listed() -> list[dict]:
    """``key`` is alike for pictures that must share a fold: one size of one modality of one repository, one content."""
    data = default_data_dir()
    return [r | {"read": read_dicom, "group": "DICOM object"} for r in dicom_rows(data)] + [
        r | {"read": read_picture, "group": r["kind"]} for r in picture_rows()
    ]


def pictures() -> dict[str, np.ndarray]:
    """``films`` uint8 [n, 224, 224], ``keys``, ``groups``, ``kinds``, ``names``; made once, needs pydicom then."""
    rows = listed()
    path = cache_dir() / f"pictures-{digest(*(r['path'] for r in rows))}.npz"
    if not path.exists():
        found: dict[str, list] = {"films": [], "keys": [], "groups": [], "kinds": [], "names": []}
        for row in rows:
            grey = row["read"](row["path"])
            if grey is None or grey.ndim != 2:
                continue
            found["films"].append(np.round(255 * normalise_film(grey)).astype(np.uint8))
            for key, value in (
                ("keys", row["key"]),
                ("groups", row["group"]),
                ("kinds", row["kind"]),
                ("names", row["path"].rsplit("/", 1)[1]),
            ):
                found[key].append(value)
        save_whole(path, lambda file: np.savez_compressed(file, **{k: np.array(v) for k, v in found.items()}))
    with np.load(path) as stored:
        return dict(stored)


def chest_films() -> dict[str, np.ndarray]:
    """The data set's real chest radiographs in DICOM: ``films`` uint8 [n, 224, 224] and ``names``. By pixels alone,
    without window or LUT; needs pydicom."""
    with open(default_data_dir() / "dicom" / "manifest.csv", encoding="utf-8") as file:
        rows = [
            r
            for r in csv.DictReader(file)
            if r["kind"].startswith("chest radiograph") and "no pixel data" not in r["note"]
        ]
    films = {r["path"]: read_dicom(str(default_data_dir() / "dicom" / r["path"])) for r in rows}
    shown = {name: normalise_film(film) for name, film in films.items() if film is not None and film.ndim == 2}
    return {
        "films": np.stack([np.round(255 * n).astype(np.uint8) for n in shown.values()]),
        "names": np.array(list(shown)),
    }
