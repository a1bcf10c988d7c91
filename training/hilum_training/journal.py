"""What `hilum evaluate` wrote down of every film (films-*.jsonl), so that the shipped pipeline need not run twice."""
from __future__ import annotations

import json
from pathlib import Path


def read_journal(path: Path) -> dict[str, dict]:
    """Entries by the film's path in the manifest; a line cut off by a kill is left out."""
    entries = {}
    for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
        entry = json.loads(line)
        if "file" in entry:
            entries[entry["file"]] = entry
    return entries


def answered(journal: dict[str, dict], path: str, key: str) -> bool:
    return journal.get(path, {}).get(key) is not None
