"""What the gate is judged on in the service's own line: films of the test split changed in each way, and real pictures
of the fold that the shipped first check did not learn from.

`npm run gate -- --pictures DIR` reads them through the shipped pipeline. DICOM objects are listed and read in place.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from ..data import Dataset, default_data_dir, read_grey
from ..data.not_films import HELD_OUT, KINDS, NOT_AIMED_AT, make
from ..data.other_pictures import dicom_rows, picture_rows, read_picture
from ..data.pictures import fold_of
from ..data.preprocess import resize
from ..tasks.check import FOLDS

SIZE = 336
#: Of the real pictures; what the shipped first check has not seen.
HELD_FOLD = 0


def changed(data: Dataset, out: Path, each: int) -> list[dict]:
    """``each`` films of every kind."""
    rng = np.random.default_rng(11)
    rows = data.select(lambda r: r.split == "test" and not r.lateral)
    groups = {
        "changed film": KINDS,
        "changed film, kind not learnt from": HELD_OUT,
        "mirrored film": NOT_AIMED_AT,
    }
    listed = []
    for group, kinds in groups.items():
        for kind in kinds:
            for i, row in enumerate(rows[j] for j in rng.permutation(len(rows))[:each]):
                grey = read_grey(data.folder / row.path) / 255.0
                film = np.clip(resize(grey, SIZE, SIZE), 0, 1).astype(np.float32)
                name = f"{kind.replace(' ', '-')}-{i}.png"
                Image.fromarray(np.round(255 * make(kind, film, rng)).astype(np.uint8)).save(out / name)
                listed.append({"file": name, "group": group, "kind": kind, "source": row.source})
    return listed


def others(out: Path) -> list[dict]:
    listed = []
    for i, row in enumerate(r for r in picture_rows() if fold_of(r["key"], FOLDS) == HELD_FOLD):
        picture = read_picture(row["path"])
        if picture is not None:
            name = f"other-{i}.png"
            Image.fromarray(picture.astype(np.uint8)).save(out / name)
            listed.append(
                {"file": name, "group": "other picture", "kind": row["kind"], "source": Path(row["path"]).name}
            )
    return listed


def objects() -> list[dict]:
    data = default_data_dir()
    held = [r for r in dicom_rows(data) if fold_of(r["key"], FOLDS) == HELD_FOLD]
    group = "other DICOM object"
    return [
        {
            "dicom": str(Path(r["path"]).relative_to(data)),
            "group": group,
            "kind": r["kind"],
            "source": Path(r["path"]).name,
        }
        for r in held
    ]


def write(out: Path, each: int) -> int:
    """PNG files and their list, for scripts/models/gate.mjs."""
    out.mkdir(parents=True, exist_ok=True)
    listed = [*changed(Dataset(), out, each), *others(out), *objects()]
    (out / "list.json").write_text(json.dumps(listed, indent=1), encoding="utf-8")
    print(f"{len(listed)} pictures")
    return 0
