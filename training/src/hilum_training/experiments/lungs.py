"""Dice of the U-Net on masks of patients never trained on: manual ones, and those of diseased adults."""

from __future__ import annotations

import numpy as np

from ..data import Dataset, Row
from ..metrics import intervals


def kind_of(row: Row) -> str:
    return "diseased adults" if row.heartless_mask_path else row.source


def by_kind(rows: list[Row], dice: np.ndarray, splits: tuple[str, ...] = ("val", "test")) -> dict:
    """Mean Dice with its interval by patient: of the test split's manual masks, and of diseased adults of
    ``splits``."""
    groups = {
        "manual": [i for i, r in enumerate(rows) if r.manual_mask and not r.heartless_mask_path and r.split == "test"],
        "diseased adults": [i for i, r in enumerate(rows) if r.heartless_mask_path and r.split in splits],
    }
    for source in ("montgomery", "shenzhen"):
        groups[source] = [i for i in groups["manual"] if rows[i].source == source]
    return {name: entry(dice[use], [rows[i].patient for i in use]) for name, use in groups.items() if use}


def entry(dice: np.ndarray, patients: list[str]) -> dict:
    bounds = intervals(np.ones(len(dice), bool), dice, patients, {"dice": lambda _, v: float(v.mean())})
    return {
        "n": len(dice),
        "value": float(dice.mean()),
        "interval95": bounds["dice"],
        "median": float(np.median(dice)),
        "lowest": float(dice.min()),
    }


def report(data: Dataset, predictions: dict[str, np.ndarray]) -> dict:
    return by_kind([data.rows[i] for i in predictions["rows"]], predictions["dice"])
