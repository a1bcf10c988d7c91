"""Types of command-line arguments that argparse refuses with a sentence."""
from __future__ import annotations

import argparse


def count(text: str) -> int:
    """A whole number from 0."""
    return whole(text, 0)


def some(text: str) -> int:
    """A whole number from 1."""
    return whole(text, 1)


def whole(text: str, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"{text} is no whole number from {least}")
    return value
