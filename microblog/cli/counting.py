"""Where the workers of a supervisor count, so that one of them can tell what all have done."""

import shutil
import tempfile
from pathlib import Path

import structlog

from microblog import measures

log = structlog.get_logger(__name__)


class Counting:
    """A folder of the workers' counts, and which number each of them has.

    Numbers are used again: a new worker goes on with the counts of one that is gone.
    """

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._folder: Path | None = None
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="microblog-counts-"))
        except OSError as error:
            log.warning("metrics.apart", told="each process counts for itself", reason=str(error))

    def free_number(self) -> int:
        """Return the least number that nobody has."""
        taken = set(self._numbers.values())
        return next(number for number in range(len(taken) + 1) if number not in taken)

    def begin(self, number: int) -> None:
        """Let this process, a new worker, count under its number."""
        if self._folder is not None:
            measures.share(self._folder, number)

    def note(self, pid: int, number: int) -> None:
        """Remember who has a number."""
        self._numbers[pid] = number

    def bury(self, pid: int) -> None:
        """Take out what was true of a worker only while it lived."""
        number = self._numbers.pop(pid, None)
        if number is not None and self._folder is not None:
            measures.forget(self._folder, number)

    def close(self) -> None:
        """Remove the folder."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
