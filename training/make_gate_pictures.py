"""Writes what the gate is judged on as PNG files with a list: films of the test split changed in each way, and the other half of the real pictures.

    python3 training/make_gate_pictures.py --out DIR [--each 40]

`npm run gate -- --pictures DIR` reads them through the shipped pipeline. DICOM objects are listed and read in place.
"""
from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from hilum_training.arguments import some
from hilum_training.data import Dataset, default_data_dir, read_grey
from hilum_training.not_films import HELD_OUT, KINDS, NOT_AIMED_AT, make
from hilum_training.other_pictures import dicom_rows, picture_rows, read_picture
from hilum_training.preprocess import resize

SIZE = 336


def changed(data: Dataset, out: Path, each: int) -> list[dict]:
    rng = np.random.default_rng(11)
    rows = data.select(lambda r: r.split == "test" and not r.lateral)
    listed = []
    for group, kinds in (("changed film", KINDS), ("changed film, kind not learnt from", HELD_OUT), ("mirrored film", NOT_AIMED_AT)):
        for kind in kinds:
            for i, row in enumerate(rows[j] for j in rng.permutation(len(rows))[:each]):
                film = np.clip(resize(read_grey(data.folder / row.path) / 255.0, SIZE, SIZE), 0, 1).astype(np.float32)
                name = f"{kind.replace(' ', '-')}-{i}.png"
                Image.fromarray(np.round(255 * make(kind, film, rng)).astype(np.uint8)).save(out / name)
                listed.append({"file": name, "group": group, "kind": kind, "source": row.source})
    return listed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--each", type=some, default=40)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    listed = changed(Dataset(), args.out, args.each)
    for i, row in enumerate(r for r in picture_rows() if r["half"] == "judge"):
        picture = read_picture(row["path"])
        if picture is not None:
            Image.fromarray(picture.astype(np.uint8)).save(args.out / f"other-{i}.png")
            listed.append({"file": f"other-{i}.png", "group": "other picture", "kind": row["kind"], "source": Path(row["path"]).name})
    listed += [{"dicom": str(Path(r["path"]).relative_to(default_data_dir())), "group": "other DICOM object", "kind": r["kind"], "source": Path(r["path"]).name}
               for r in dicom_rows(default_data_dir()) if r["half"] == "judge"]
    (args.out / "list.json").write_text(json.dumps(listed, indent=1), encoding="utf-8")
    print(f"{len(listed)} pictures")
    return 0


if __name__ == "__main__":
    sys.exit(main())
