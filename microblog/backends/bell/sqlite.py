"""A bell for several processes on one SQLite file: each looks whether the file has changed.

SQLite tells nobody of a commit, but `PRAGMA data_version` gives another number after each one of
another connection. Asking costs a few microseconds and waits for no lock, so it is done on the
event loop itself.
"""

import asyncio
import contextlib
import os
import sqlite3
from pathlib import Path

import structlog

from microblog.backends.bell.whispers import Neighbours, Whispers

LOOK_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 0.25  # after an error; each one counts as a ring

log = structlog.get_logger(__name__)


class SqliteBell:
    """Hears every commit to a file, and its own process at once."""

    name = "sqlite"

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._version: int | None = None
        self._rung = asyncio.Event()
        self.whispers = Whispers()
        self._neighbours = Neighbours(self._path, self.whispers)
        self._well = False
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        self._notice()
        self._neighbours.open()
        self._task = asyncio.create_task(self._watch(), name="bell")

    async def ring(self) -> None:
        # What is noticed here need not be noticed a second time: the ring makes the tail read,
        # and that is later than this look.
        if self._task is not None:
            self._notice()
        self._rung.set()

    async def whisper(self, words: str) -> None:
        if (handed := self.whispers.say(words)) is not None:
            self._neighbours.hand(handed)

    async def wait(self) -> None:
        await self._rung.wait()
        self._rung.clear()

    async def is_ready(self) -> bool:
        return self._well

    async def close(self) -> None:
        self._neighbours.close()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        self._hang_up()

    async def _watch(self) -> None:
        pause = LOOK_SECONDS
        while True:
            await asyncio.sleep(pause)
            if self._notice():
                self._rung.set()
            pause = LOOK_SECONDS if self._well else min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _notice(self) -> bool:
        """Tell whether the file may have changed since the last look; an error means: it may."""
        try:
            changed = self._look()
        except (sqlite3.Error, OSError) as error:
            if self._well:
                log.warning("bell.lost", reason=str(error))
            self._well = False
            self._hang_up()
            return True
        self._well = True
        return changed

    def _look(self) -> bool:
        found = os.stat(self._path)
        file = (found.st_dev, found.st_ino)
        if self._connection is None or file != self._file:
            self._hang_up()  # another file has come into its place
            where = f"{self._path.absolute().as_uri()}?mode=ro"
            self._connection = sqlite3.connect(where, uri=True, timeout=0, isolation_level=None)
            self._file = file
        before = self._version
        (self._version,) = self._connection.execute("PRAGMA data_version").fetchone()
        return self._version != before

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._file = self._version = None
