"""Real pictures that are no chest films: the data set's other DICOM objects, and pictures of the operating system's
packages."""

from __future__ import annotations

import csv
import hashlib
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .dataset import read_grey

NO_FILMS = ("variety", "other radiograph")
CHEST = ("CHEST", "THORAX")
LEAST_SIDE = 64
FOLDERS = ("/usr/share/icons", "/usr/share/pixmaps", "/usr/share/doc")


def dicom_rows(data: Path) -> list[dict]:
    """Objects that may have pixels and are no chest films: path, kind (modality), key. One size of one modality of one
    repository has one key: the same picture lies there in several transfer syntaxes. Damaged ones are left out: one
    makes GDCM abort."""
    with open(data / "dicom" / "manifest.csv", encoding="utf-8") as file:
        rows = [
            r
            for r in csv.DictReader(file)
            if r["kind"] in NO_FILMS and "decodes (pydicom" in r["note"] and not r["body_part"].startswith(CHEST)
        ]
    sized = [r for r in rows if min(int(r["rows"] or 0), int(r["columns"] or 0)) >= LEAST_SIDE]
    keys = [f"{r['source_repo']}|{r['modality']}|{r['rows']}|{r['columns']}" for r in sized]
    return [
        {"path": str(data / "dicom" / r["path"]), "kind": f"DICOM {r['modality'] or 'of no modality'}", "key": key}
        for r, key in zip(sized, keys, strict=True)
    ]


def read_dicom(path: str) -> np.ndarray | None:
    """The middle frame as grey values, light as shown; None where it has no pixels that can be decoded."""
    import pydicom

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ds = pydicom.dcmread(path, force=True)
            a = ds.pixel_array.astype(np.float64)
        except Exception:  # whatever a damaged file raises: it is no picture then
            return None
    if a.ndim == 4 or (a.ndim == 3 and ds.get("SamplesPerPixel", 1) == 1):
        a = a[len(a) // 2]
    if a.ndim == 3:
        a = a @ [0.299, 0.587, 0.114]
    return -a if ds.get("PhotometricInterpretation") == "MONOCHROME1" else a


def picture_rows(folders: Sequence[str] = FOLDERS, most_of_a_folder: int = 12) -> list[dict]:
    """PNG and JPEG pictures of at least 8 kB, at most so many of one folder, each content once."""
    seen, rows = set(), []
    for top in folders:
        by_folder: dict[Path, int] = {}
        for path in sorted(
            p
            for p in Path(top).rglob("*")
            if p.suffix in (".png", ".jpg", ".jpeg") and p.is_file() and p.stat().st_size >= 8000
        ):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            if digest in seen or by_folder.get(path.parent, 0) >= most_of_a_folder:
                continue
            seen.add(digest)
            by_folder[path.parent] = by_folder.get(path.parent, 0) + 1
            rows.append(
                {
                    "path": str(path),
                    "kind": "icon" if "icons" in top or "pixmaps" in top else "illustration",
                    "key": digest,
                }
            )
    return rows


def read_picture(path: str) -> np.ndarray | None:
    try:
        return read_grey(Path(path)).astype(np.float64)
    except OSError:
        return None
