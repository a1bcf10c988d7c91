"""Training code of Hilum's models: data, preprocessing, networks, export and metrics."""

import os
import sys
from types import TracebackType

# Before torch loads its OpenMP library: threads that wait must sleep, or two processes on a small machine
# slow each other down fivefold.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A file that is not there is said in one line; where in the program it came up helps nobody."""
    if isinstance(error, FileNotFoundError) and error.filename is not None:
        print(f"{error.filename} is not there", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _tell
