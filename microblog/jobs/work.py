"""What a handler is given, and what it may raise. `worker` calls handlers with a `Job`."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from microblog.actions import jobs
from microblog.actions.jobs import Claim
from microblog.core.tasks import Task
from microblog.database import Tx
from microblog.runtime import Runtime

HOURLY = timedelta(hours=1)
LEASE_SECONDS = 20.0  # without a word for so long, a worker counts as dead
PROGRESS_SECONDS = 0.25  # at least, between two that are written


class Handler(NamedTuple):
    """Who does a kind of task, how often it is tried, and how often it comes by itself.

    A task that comes by itself needs no fields.
    """

    task: type[Task]
    work: Callable[["Job", Any], Awaitable[None]]
    attempts: int = 12  # over about three hours
    every: timedelta | None = None


class Failed(Exception):
    """Say why a job failed, in words of our own that hold no secret: they are kept and shown."""


class Hopeless(Failed):
    """Say that a job can never succeed, so that it is not tried again."""


class NotNow(Exception):
    """Say that what the job needs is away; it is tried again later, and this is no attempt."""

    def __init__(self, reason: str, retry_seconds: float) -> None:
        super().__init__(reason)
        self.retry_seconds = retry_seconds


class Job:
    """One run of a job."""

    def __init__(
        self, runtime: Runtime, run: Claim, *, every: timedelta | None, lease_seconds: float
    ) -> None:
        self.runtime = runtime
        self.run = run
        self.is_settled = False  # its end is committed
        self._every = every
        self._lease = timedelta(seconds=lease_seconds)
        self._told: tuple[int, float] = (0, float("-inf"))

    @property
    def id(self) -> int:
        return self.run.job_id

    @property
    def user_id(self) -> int | None:
        """Whose job it is."""
        return self.run.user_id

    @property
    def attempt(self) -> int:
        """Which attempt this is, from 1 on."""
        return self.run.attempt

    async def progress(self, percent: int) -> None:
        """Say how much is done, 0 to 100; the job's person sees it at once.

        Cheap to call often: what is no news, or comes too soon after the last, is not written.
        Raises Cancelled where the job is to stop, Lost where another worker has it by now.
        """
        before, at = self._told
        if percent == before or time.monotonic() - at < PROGRESS_SECONDS:
            return
        async with self.runtime.database.write() as tx:
            await jobs.progress(tx, self.run, percent, datetime.now(UTC) + self._lease)
        self._told = percent, time.monotonic()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        """Open the transaction of the job's effect; the job's end is committed with it.

        So the effect is there once, whatever dies when. At most once in a run, and last. Raises
        Cancelled or Lost, and then nothing is written.
        """
        async with self.runtime.database.write() as tx:
            await self._complete(tx)
            yield tx
        self.is_settled = True

    async def finish(self) -> None:
        """Note the end of a run whose handler did not need `write`."""
        if not self.is_settled:
            async with self.write():
                pass

    async def _complete(self, tx: Tx) -> None:
        now = datetime.now(UTC)
        await jobs.complete(tx, self.run, now, now + self._every if self._every else None)
