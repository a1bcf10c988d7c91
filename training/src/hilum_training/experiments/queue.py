"""Works through the plan, one run after the other, in one process whose number stays the same.

The next unfinished run is taken; an interrupted one goes on from its last checkpoint. Behind each run the process
starts itself anew, so that no run sees what another left in memory. A run that fails is noted in its folder
(failed.txt) and left out until that file is removed."""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path

from ..data import Dataset, cache_dir
from ..runtime import start
from ..tasks.checkpoint import as_stored
from ..tasks.kept import keep, kept
from .plan import SHIPPED, Run, plan


def folder(name: str) -> Path:
    return cache_dir() / "runs" / name


def state(run: Run, data: Dataset) -> str:
    """``done``, ``failed``, ``begun``, ``waiting``; what was made with other settings counts as nothing. Of what ships
    the weights are needed, of others the predictions that the repository keeps are enough."""
    done = kept(run.name)
    return (
        "done"
        if done is not None and run.name not in SHIPPED and done.settings == as_stored(run.settings(data))
        else state_in_cache(run, data)
    )


def state_in_cache(run: Run, data: Dataset) -> str:
    at = folder(run.name)
    settings = at / "settings.json"
    if not settings.exists() or json.loads(settings.read_text(encoding="utf-8")) != as_stored(run.settings(data)):
        return "failed" if (at / "failed.txt").exists() and not settings.exists() else "waiting"
    for file, word in (("done.json", "done"), ("failed.txt", "failed"), ("checkpoint.pt", "begun")):
        if (at / file).exists():
            return word
    return "waiting"


def next_run(data: Dataset) -> Run | None:
    return next((run for run in plan() if state(run, data) in ("begun", "waiting")), None)


def alive(pid: int) -> bool:
    try:
        return "hilum_training" in Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def claim(path: Path) -> None:
    """One queue for one cache."""
    if path.exists() and (pid := int(path.read_text() or 0)) != os.getpid() and alive(pid):
        sys.exit(f"a queue is at work in this cache already, process {pid}")
    path.write_text(f"{os.getpid()}\n")


def work(again: list[str]) -> int:
    """One run, then itself anew with the arguments ``again``; 0 when nothing is left."""
    claim(cache_dir() / "pid")
    run = next_run(Dataset())
    if run is None:
        print("nothing is left to do", flush=True)
        return 0
    start(run.seed)
    try:
        run.run()
    except Exception:
        folder(run.name).mkdir(parents=True, exist_ok=True)
        (folder(run.name) / "failed.txt").write_text(traceback.format_exc(), encoding="utf-8")
        traceback.print_exc()
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "hilum_training", *again])


def tell() -> int:
    data = Dataset()
    for run in plan():
        print(f"{state(run, data):8} {run.name}")
    return 0


def keep_finished() -> int:
    """Keeps each finished run of the cache whose settings are the plan's."""
    data = Dataset()
    for run in plan():
        if state_in_cache(run, data) == "done":
            print(f"kept {keep(run.name).name}")
    return 0
