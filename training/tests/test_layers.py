"""Imports go down: experiments, export, tasks, nets, data, and what all of them share."""

import ast
import unittest
from pathlib import Path

import hilum_training

PACKAGE = Path(hilum_training.__file__).parent
LAYERS = ("data", "nets", "tasks", "export", "experiments")
SHARED = ("engine", "metrics", "runtime", "text")


def imported(path: Path) -> set[str]:
    """First names below the package of what a module takes from it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 2:
            found |= {node.module.split(".")[0]} if node.module else {alias.name for alias in node.names}
    return found


class Layers(unittest.TestCase):
    def test_each_folder_takes_from_those_below(self):
        for place, layer in enumerate(LAYERS):
            for path in (PACKAGE / layer).glob("*.py"):
                with self.subTest(layer, file=path.name):
                    self.assertLessEqual(imported(path), {*LAYERS[: place + 1], *SHARED})

    def test_what_all_share_takes_from_none(self):
        for name in SHARED:
            tree = ast.parse((PACKAGE / f"{name}.py").read_text(encoding="utf-8"))
            self.assertFalse([n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.level > 0])

    def test_every_module_has_its_place(self):
        self.assertEqual({p.stem for p in PACKAGE.glob("*.py")} - {"__init__", "__main__"}, set(SHARED))
        folders = {p.parent.name for p in PACKAGE.glob("*/__init__.py")}
        self.assertEqual(folders, set(LAYERS))


if __name__ == "__main__":
    unittest.main()
