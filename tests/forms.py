"""The two forms of the tests that kill, stop and fill servers: a fast one, and a long one.

The fast form is part of every run and asserts counts, codes and orders; the long one is for a
machine that has nothing else to do, and asserts times too. One variable chooses: `LONG=1`.
"""

import os
from typing import TypeVar

T = TypeVar("T")

LONG = bool(os.environ.get("LONG"))
SLACK = 4.0  # how much later than promised a busy machine may be before the fast form fails


def of(fast: T, long: T) -> T:
    """Choose by the form that runs."""
    return long if LONG else fast


def at_most(seconds: float) -> float:
    """Return the bound of a time that is promised: as promised, or generous in the fast form."""
    return seconds if LONG else seconds * SLACK
