"""A file of the log that begins anew when it is full, for several processes that write to it.

`logs` opens it. Python's own rotating handler is for one process: with two, each renames what the
other still writes to, and lines are lost.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where one process serves
    fcntl = None  # type: ignore[assignment]

READABLE_BY_GROUP = 0o640


class RotatingFile:
    """Lines in `path`; the full ones before it are `path.1`, the latest, to `path.<kept>`.

    Each line is one write to the end of the file, which no other process can break. Whoever finds
    the file full renames it, under a lock; the others notice at their next line, and so they do
    where another program moved it. Raises OSError where it cannot be opened.
    """

    def __init__(self, path: Path, most_bytes: int, kept: int) -> None:
        self._path = path
        self._most_bytes = most_bytes
        self._kept = kept
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = self._open()

    def write(self, text: str) -> int:
        """Write whole lines. Where the disk takes nothing the line is lost, and nobody fails."""
        line = text.encode("utf-8", "backslashreplace")
        try:
            self._make_room(len(line))
            os.write(self._descriptor, line)
        except OSError as error:
            with suppress(OSError, ValueError):
                print(f"The log {self._path} takes nothing: {error}", file=sys.stderr)
        return len(text)

    def flush(self) -> None:
        """Do nothing: what was written is with the system already."""

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

    def _open(self) -> int:
        how = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        return os.open(self._path, how, READABLE_BY_GROUP)

    def _make_room(self, size_bytes: int) -> None:
        if not self._is_there():
            self._reopen()
        if self._is_full(size_bytes):
            self._begin_anew(size_bytes)

    def _is_there(self) -> bool:
        """Whether the path still leads to the file that is open."""
        with suppress(FileNotFoundError):
            return os.path.samestat(os.stat(self._path), os.fstat(self._descriptor))
        return False

    def _is_full(self, size_bytes: int) -> bool:
        written = os.fstat(self._descriptor).st_size
        return written > 0 and written + size_bytes > self._most_bytes

    def _reopen(self) -> None:
        fresh = self._open()
        os.close(self._descriptor)
        self._descriptor = fresh

    def _begin_anew(self, size_bytes: int) -> None:
        """Rename the full file, unless somebody else has done so meanwhile."""
        if fcntl is not None:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            if self._is_there() and self._is_full(size_bytes):
                self._make_it_the_latest()
        finally:
            if fcntl is not None:  # closing is not enough: a fork may still hold it open
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        self._reopen()

    def _make_it_the_latest(self) -> None:
        free = 1
        while free < self._kept and self._numbered(free).exists():
            free += 1
        for number in range(free, 0, -1):
            os.replace(self._numbered(number - 1), self._numbered(number))

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}") if number else self._path
