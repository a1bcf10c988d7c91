"""Tables and figures in Markdown."""

from __future__ import annotations


def table(head: list[str], lines: list[list]) -> str:
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in [head, ["---"] * len(head), *lines])


def figure(entry: dict | None, digits: int = 3) -> str:
    """value (95 % interval)."""
    if not entry or entry.get("value") is None:
        return "-"
    text, bounds = f"{entry['value']:.{digits}f}", entry.get("interval95")
    return text + (f" ({bounds[0]:.{digits}f}-{bounds[1]:.{digits}f})" if bounds else "")
