"""Which rows a shipped network may learn from, by the terms that each row states."""

from __future__ import annotations

from .dataset import NIH, Row

#: Collections whose terms hold for every film of theirs: CC BY, CC0 for the masks, NLM.
OPEN = ("cxnet", "hannover", "kermany", "montgomery", "shenzhen")
OPEN_COHEN = ("CC BY", "CC BY 4.0")
RESEARCH_COHEN = (*OPEN_COHEN, "CC BY-SA", "CC BY-NC-SA", "CC BY-NC-SA 4.0")


def permissive(row: Row) -> bool:
    """CC BY, NLM and NIH terms: commercial use is not excluded."""
    if row.source in OPEN or row.source == "nih":
        return True
    if row.source == "cohen":
        return row.licence in OPEN_COHEN
    return row.source == "ozturk" and row.licence.startswith(NIH)


def research(row: Row) -> bool:
    """Terms that allow research: besides the permissive ones CC BY-SA, CC BY-NC-SA and RSNA's; no ND, nothing blank or
    not stated, nothing whose repository has no more than a word on research (figure1, actualmed) or none (vqarad)."""
    if permissive(row) or row.source == "radiography":
        return True
    return row.source == "cohen" and row.licence in RESEARCH_COHEN


def everything(row: Row) -> bool:
    """For experiments that ship nothing."""
    return True


TERMS = {"research": research, "permissive": permissive, "all": everything}
