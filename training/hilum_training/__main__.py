"""python -m hilum_training COMMAND: see training/README.md."""
from __future__ import annotations

import argparse
import os
import sys


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m hilum_training", description="Makes the models under models/ and measures them.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    queue = commands.add_parser("run-queue", help="train all runs of the plan, one after the other; resumable")
    status = commands.add_parser("status", help="what is done and what is left")
    for command in (queue, status):
        command.add_argument("--cache", help="folder of checkpoints and arrays (default: $HILUM_CACHE_DIR or ~/.cache/hilum/training)")
        command.add_argument("--data", help="folder with cxr/manifest.csv and weights/ (default: $HILUM_DATA_DIR or ../shared/data)")
    return top


def main(argv: list[str]) -> int:
    args = parser().parse_args(argv)
    for name, value in (("HILUM_CACHE_DIR", args.cache), ("HILUM_DATA_DIR", args.data)):
        if value:
            os.environ[name] = value
    from .experiments import queue

    return queue.work(argv) if args.command == "run-queue" else queue.tell()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
