#!/usr/bin/env python3
"""docs/results.md from training/results/*.json: prints the tables, some of them, or with --write puts them between the page's markers."""
from __future__ import annotations

import argparse

from hilum_training import tables
from hilum_training.data import ROOT

PAGE = ROOT / "docs" / "results.md"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", nargs="*", choices=[[], *tables.TABLES], metavar="TABLE", help=f"{', '.join(tables.TABLES)}: print only these, for instance: aims")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    if args.table:
        print("\n\n".join(tables.TABLES[name]() for name in args.table))
        return
    text = tables.filled(PAGE.read_text(encoding="utf-8"))
    if args.write:
        PAGE.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
