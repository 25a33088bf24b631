"""Positions in the log and in timelines. Read by every surface that pages or resumes.

A cursor is the decimal id of an event; a post has the id of the event that published it, so
timelines and the log share one order.
"""

import re
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

GREATEST = 2**63 - 1
_DECIMAL = re.compile(r"[0-9]{1,19}", re.ASCII)


def parse(text: str | None) -> int | None:
    """Read a cursor: None where there is none, ValueError where it is not a decimal id."""
    if text is None or text == "":
        return None
    if not _DECIMAL.fullmatch(text) or (value := int(text)) > GREATEST:
        raise ValueError("a cursor is a decimal number")
    return value


@dataclass(frozen=True, slots=True)
class Window:
    """What part of a timeline is asked for: ids below `before`, or above `after`, or the newest."""

    limit: int
    before: int | None = None
    after: int | None = None

    @property
    def rising(self) -> bool:
        """Whether rows are to be read oldest first (and turned round afterwards)."""
        return self.after is not None and self.before is None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Items newest first, at most the window's `limit`, and where the neighbours begin."""

    items: tuple[T, ...]
    before: int | None = None
    after: int | None = None
