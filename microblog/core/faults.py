"""A fault as it may be told by mail: what kind it is and where, and nothing that anybody wrote.

What an exception says may hold a password, an address or a text, so none of it is repeated.
"""

import traceback
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
MOST_FRAMES = 40


@dataclass(frozen=True, slots=True)
class Fault:
    """An unexpected exception: its kind, the innermost place in our code, and the way there."""

    kind: str
    place: str
    trace: tuple[str, ...]

    @property
    def name(self) -> str:
        """The same for all faults that are the same one again."""
        return f"{self.kind} at {self.place}"


def describe(error: BaseException) -> Fault:
    """Return what may be told of an exception: kinds, files, lines and functions."""
    lines: list[str] = []
    for one in _chain(error):
        lines += [_line(frame) for frame in traceback.extract_tb(one.__traceback__)]
        lines.append(_kind(one))
    ours = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(PACKAGE)
    ]
    place = _line(ours[-1]) if ours else "outside of the program"
    return Fault(_kind(error), place, tuple(lines[-MOST_FRAMES:]))


def _chain(error: BaseException) -> list[BaseException]:
    """Return an exception and those that led to it, the first cause first."""
    found = [error]
    while (earlier := found[-1].__cause__ or found[-1].__context__) and earlier not in found:
        found.append(earlier)
    return found[::-1]


def _kind(error: BaseException) -> str:
    kind = type(error)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _line(frame: traceback.FrameSummary) -> str:
    path = Path(frame.filename)
    if path.is_relative_to(PACKAGE):
        shown = path.relative_to(PACKAGE.parent).as_posix()
    else:
        shown = "/".join(path.parts[-3:])
    return f"{shown}:{frame.lineno} in {frame.name}"
