"""python -m hilum_training COMMAND: see training/README.md."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

#: What `reproduce --help` says. Times on two cores without other work, of training/README.md.
REPRODUCE = """\
What each part makes, and how long that takes on two cores with AVX-512 and bfloat16 that do nothing else
(beside other work twice to three times as long; with CUDA minutes a network):

  default     gate-lite0, view-lite0, lungs-unet16, findings-lite0, findings-lite0-removed
              20 networks: about 11 minutes each, 4 hours together
  paper       lungs-unet16, covid-vgg19-lungs, view-vgg19, and the grid of the paper's table
              53 networks: about 0.3 s a film that is learnt from; a night
  permissive  lungs-unet16-permissive, findings-lite0-permissive
              5 networks, the first check's among them: about an hour

A network that is trained anew is not the same network: other seeds scatter by 0.02 in AUC on the hosts (251 films of
147 patients), where the interval by patient is +-0.06. The same seed with the same versions on the same processor
differs only by the order in which threads add.

Runs that are finished are not trained again; one that was ended goes on from its last checkpoint.
"""


def some(text: str) -> int:
    """A whole number from 1, for argparse."""
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is no whole number from 1")
    return value


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m hilum_training", description="Makes the models under models/ and measures them."
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    made = commands.add_parser(
        "reproduce",
        help="train what a set of models needs, make its folders, their figures and cards; resumable",
        epilog=REPRODUCE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "part",
        choices=("default", "paper", "permissive"),
        help="the default set, the paper's own line, or the set that learnt from permissive rows alone",
    )
    made.add_argument(
        "--rows",
        choices=("research", "permissive"),
        default="research",
        help="`default --rows permissive` is `permissive`",
    )
    made.add_argument("--out", type=Path, help="where the folders go (default: models/)")
    made.add_argument(
        "--only", choices=("train", "make"), help="only train, or only make the folders of what is trained"
    )
    queue = commands.add_parser(
        "run-queue", help="train all runs of the plan in one process, the most telling first; resumable"
    )
    kept = commands.add_parser(
        "keep", help="what the finished runs predicted into training/results/runs, so that figures need no training"
    )
    status = commands.add_parser("status", help="what is done and what is left")
    figures = commands.add_parser(
        "evaluate", help="figures of the finished runs: hosts first, then sources left out, then the rest"
    )
    figures.add_argument("--write", action="store_true", help="into training/results, for docs/results.md")
    figures.add_argument("--json", action="store_true", help="everything, for programs")
    tables = commands.add_parser("tables", help="the tables of docs/results.md from training/results")
    tables.add_argument("table", nargs="*", metavar="TABLE", help="print only these (default: the whole page)")
    tables.add_argument("--write", action="store_true", help="into the page")
    parity = commands.add_parser(
        "parity", help="test/fixtures/parity: what the service must make of a drawn film with the models of models/"
    )
    parity.add_argument("model", nargs="*", metavar="MODEL", help="folders (default: those of the default set)")
    parity.add_argument("--models", type=Path, help="where they lie (default: models/)")
    parity.add_argument("--out", type=Path, help="where the fixture goes (default: test/fixtures/parity)")
    pictures = commands.add_parser(
        "pictures", help="pictures that are no films, for `npm run gate -- --pictures DIR --out FILE.jsonl`"
    )
    pictures.add_argument("--out", type=Path, required=True, metavar="DIR")
    pictures.add_argument("--each", type=some, default=40, metavar="N", help="films of each kind (default: 40)")
    line = commands.add_parser(
        "pipeline", help="reports of the shipped pipeline into training/results, for docs/results.md"
    )
    line.add_argument("--evaluation", type=Path, metavar="FILE", help="report.json of `npx hilum evaluate`")
    line.add_argument("--gate", type=Path, metavar="FILE", help="what `npm run gate -- --json` printed")
    for command in (made, queue, kept, status, figures, pictures):
        command.add_argument(
            "--cache",
            help="folder of checkpoints and arrays (default: $HILUM_CACHE_DIR or ~/.cache/hilum/training)",
        )
        command.add_argument(
            "--data",
            help="folder with cxr/manifest.csv and weights/ (default: $HILUM_DATA_DIR or ../shared/data)",
        )
    return top


def run_evaluate(args: argparse.Namespace) -> int:
    from .data import Dataset
    from .experiments import cards, check, evaluate, reproduce
    from .export.manifests import tidy

    data = Dataset()
    if args.write:
        reproduce.write_results(data, "python -m hilum_training evaluate --write")
        return 0
    report = evaluate.report(data)
    if args.json:
        more = {"check": check.report(data), "evidence": evaluate.evidence(data)}
        print(json.dumps(tidy(report | more), indent=1))
        return 0
    print(cards.overview(report))
    return 0


def run_reproduce(args: argparse.Namespace) -> int:
    from .experiments.reproduce import reproduce
    from .export.manifests import MODELS

    part = "permissive" if args.rows == "permissive" else args.part
    return reproduce(part, args.out or MODELS, args.only)


def run_tables(args: argparse.Namespace) -> int:
    from .experiments import tables

    unknown = [name for name in args.table if name not in tables.TABLES]
    if unknown:
        sys.exit(f"no table {', '.join(unknown)}; there are {', '.join(tables.TABLES)}")
    return tables.show(args.table, args.write)


def run_parity(args: argparse.Namespace) -> int:
    from .experiments import parity, speed
    from .export.manifests import MODELS

    record = parity.write(args.models or MODELS, args.model or (*speed.LINE, "view-lite0"), args.out or parity.TARGET)
    print(json.dumps(record, indent=2))
    return 0


def run_pictures(args: argparse.Namespace) -> int:
    from .experiments import gate_pictures

    return gate_pictures.write(args.out, args.each)


def run_pipeline(args: argparse.Namespace) -> int:
    from .experiments import pipeline

    if args.evaluation is None and args.gate is None:
        sys.exit("pipeline: --evaluation or --gate is needed")
    return pipeline.write(args.evaluation, args.gate)


def run_queue(args: argparse.Namespace) -> int:
    from .experiments import queue

    return {"keep": queue.keep_finished, "status": queue.tell}[args.command]()


RUN = {
    "reproduce": run_reproduce,
    "evaluate": run_evaluate,
    "tables": run_tables,
    "parity": run_parity,
    "pictures": run_pictures,
    "pipeline": run_pipeline,
    "keep": run_queue,
    "status": run_queue,
}


def main(argv: list[str]) -> int:
    args = parser().parse_args(argv)
    for name, value in (("HILUM_CACHE_DIR", vars(args).get("cache")), ("HILUM_DATA_DIR", vars(args).get("data"))):
        if value:
            os.environ[name] = value
    if args.command == "run-queue":
        from .experiments import queue

        return queue.work(argv)
    return RUN[args.command](args)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
