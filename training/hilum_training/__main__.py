"""python -m hilum_training COMMAND: see training/README.md."""
from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m hilum_training", description="Makes the models under models/ and measures them.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    made = commands.add_parser("reproduce", help="train what a set of models needs, make its folders, their figures and cards; resumable")
    made.add_argument("part", choices=("default", "paper", "permissive"), help="the default set, the paper's own line, or the set that learnt from permissive rows alone")
    made.add_argument("--rows", choices=("research", "permissive"), default="research", help="`default --rows permissive` is `permissive`")
    made.add_argument("--out", type=Path, help="where the folders go (default: models/)")
    made.add_argument("--only", choices=("train", "make"), help="only train, or only make the folders of what is trained")
    queue = commands.add_parser("run-queue", help="train all runs of the plan in one process, the most telling first; resumable")
    kept = commands.add_parser("keep", help="what the finished runs predicted into training/results/runs, so that figures need no training")
    status = commands.add_parser("status", help="what is done and what is left")
    figures = commands.add_parser("evaluate", help="figures of the finished runs: hosts first, then sources left out, then the rest")
    figures.add_argument("--write", action="store_true", help="into training/results, for docs/results.md")
    figures.add_argument("--json", action="store_true", help="everything, for programs")
    for command in (made, queue, kept, status, figures):
        command.add_argument("--cache", help="folder of checkpoints and arrays (default: $HILUM_CACHE_DIR or ~/.cache/hilum/training)")
        command.add_argument("--data", help="folder with cxr/manifest.csv and weights/ (default: $HILUM_DATA_DIR or ../shared/data)")
    return top


def run_evaluate(args: argparse.Namespace) -> int:
    from .data import Dataset
    from .experiments import cards, check, evaluate, reproduce
    from .manifests import tidy

    data = Dataset()
    if args.write:
        reproduce.write_results(data, "python -m hilum_training evaluate --write")
        return 0
    report = evaluate.report(data)
    if args.json:
        print(json.dumps(tidy(report | {"check": check.report(data), "evidence": evaluate.evidence(data)}), indent=1))
        return 0
    print(cards.overview(report))
    return 0


def main(argv: list[str]) -> int:
    args = parser().parse_args(argv)
    for name, value in (("HILUM_CACHE_DIR", args.cache), ("HILUM_DATA_DIR", args.data)):
        if value:
            os.environ[name] = value
    if args.command == "evaluate":
        return run_evaluate(args)
    if args.command == "reproduce":
        from .data import ROOT
        from .experiments.reproduce import reproduce

        return reproduce("permissive" if args.rows == "permissive" else args.part, args.out or ROOT / "models", args.only)
    from .experiments import queue

    return {"run-queue": lambda: queue.work(argv), "keep": queue.keep_finished, "status": queue.tell}[args.command]()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
