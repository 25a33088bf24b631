"""The worker: takes jobs that are due, a few at a time, and keeps them while they run.

`factory` has one in each process that serves; `microblog jobs` is a process with nothing else. An
idle worker waits for the bell, and reads one row of a small index when it rings, four times a
second at most, and every five seconds.
"""

import asyncio
import contextlib
import os
import secrets
import socket
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import structlog

from microblog.actions import jobs
from microblog.actions.jobs import Claim
from microblog.core.errors import Unavailable
from microblog.finishing import finished
from microblog.jobs import HANDLERS
from microblog.jobs.runs import carry_out
from microblog.jobs.work import LEASE_SECONDS, Handler, Job
from microblog.queries import jobs as queries
from microblog.runtime import Runtime

POLL_SECONDS = 5.0
AWAY_SECONDS = 1.0  # until the database is asked again
LOOKS_APART_SECONDS = 0.25
SCHEDULE_SECONDS = 3600.0
SCHEDULE = b"schedule"
BEATS_IN_A_LEASE = 4
DRAIN_SECONDS = 2.0  # of the five that all of a server has
GIVE_BACK_SECONDS = 1.0

log = structlog.get_logger(__name__)


class Worker:
    """Does jobs in this process until the runtime stops, at most `concurrency` at once."""

    def __init__(
        self,
        runtime: Runtime,
        concurrency: int,
        *,
        handlers: Mapping[str, Handler] = HANDLERS,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self.name = f"{socket.gethostname()[:64]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._runtime = runtime
        self._concurrency = concurrency
        self._handlers = handlers
        self._lease = timedelta(seconds=lease_seconds)
        self._wanted = asyncio.Event()
        self._looked_at = self._scheduled_at = float("-inf")
        self._next_look: asyncio.TimerHandle | None = None
        self._running: dict[asyncio.Task[None], Claim] = {}
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Begin to work."""
        self._runtime.database.on_jobs = self._wanted.set
        self._runtime.tail.on_ring = self._hear
        self._task = asyncio.create_task(self._work(), name="worker")

    async def end(self) -> None:
        """Stop; what is not finished within two seconds is given back."""
        self._runtime.stopping.set()
        if self._task is not None:
            await self._task

    async def _work(self) -> None:
        beside = [
            asyncio.create_task(self._heed_the_end(), name="worker's end"),
            asyncio.create_task(self._beat(), name="worker's heartbeat"),
        ]
        while not self._runtime.stopping.is_set():
            await self._wait(await finished(self._look()))
        await self._drain()
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)

    # --- Looking for work -----------------------------------------------------------------------

    def _hear(self) -> None:
        """Look after the bell has rung: at once, or soon where that was done a moment ago."""
        since = time.monotonic() - self._looked_at
        if since >= LOOKS_APART_SECONDS:
            self._wanted.set()
        elif self._next_look is None:
            loop = asyncio.get_running_loop()
            self._next_look = loop.call_later(LOOKS_APART_SECONDS - since, self._wanted.set)

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wanted.wait()
        self._wanted.clear()

    async def _look(self) -> float:
        """Take what is due; return after how many seconds to look again, if nothing happens."""
        self._looked_at = time.monotonic()
        if self._next_look is not None:
            self._next_look.cancel()
            self._next_look = None
        if self._runtime.not_ready is not None:
            return AWAY_SECONDS
        try:
            await self._schedule()
            return await self._take(self._concurrency - len(self._running))
        except Unavailable:
            log.warning("worker.database_away")
        except Exception:
            log.exception("worker.failed")
        return AWAY_SECONDS

    async def _schedule(self) -> None:
        """See to it that what comes by itself waits for its time; one process of all adds it."""
        if self._looked_at - self._scheduled_at < SCHEDULE_SECONDS:
            return
        wanted = {recurring(kind): one for kind, one in self._handlers.items() if one.every}
        database = self._runtime.database
        async with database.read() as read:
            known = await queries.unfinished_keys(read, wanted)
        if known < wanted.keys():
            async with database.write() as tx:
                # One process after the other: where it runs already it must not be wanted again.
                await tx.lock_name(SCHEDULE)
                known = await queries.unfinished_keys(tx, wanted)
                for key in wanted.keys() - known:
                    tx.enqueue(wanted[key].task(), key=key)
        self._scheduled_at = self._looked_at

    async def _take(self, room: int) -> float:
        if not room:
            return POLL_SECONDS  # what ends wakes us
        database, now = self._runtime.database, datetime.now(UTC)
        async with database.read() as read:
            due = await queries.next_due(read, self._handlers)
        if due is None or due > now:
            later = POLL_SECONDS if due is None else (due - now).total_seconds()
            return min(later, POLL_SECONDS)
        async with database.write() as tx:
            taken = await jobs.claim(tx, self.name, self._handlers, room, now, self._lease)
        for run in taken:
            self._start(run)
        return LOOKS_APART_SECONDS

    def _start(self, run: Claim) -> None:
        handler = self._handlers[run.kind]
        seconds = self._lease.total_seconds()
        job = Job(self._runtime, run, every=handler.every, lease_seconds=seconds)
        task = asyncio.create_task(carry_out(job, handler), name=f"job {run.job_id}")
        self._running[task] = run
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        self._wanted.set()

    # --- What runs ------------------------------------------------------------------------------

    async def _beat(self) -> None:
        """Say again and again that we live, while anything runs; stop what was cancelled."""
        while True:
            await asyncio.sleep(self._lease.total_seconds() / BEATS_IN_A_LEASE)
            if self._running:
                try:
                    await finished(self._keep())
                except Unavailable:
                    log.warning("worker.database_away")
                except Exception:
                    log.exception("worker.no_heartbeat")

    async def _keep(self) -> None:
        ids = [run.job_id for run in self._running.values()]
        async with self._runtime.database.write() as tx:
            to_stop = await jobs.keep(tx, self.name, ids, datetime.now(UTC) + self._lease)
        for task, run in self._running.items():
            if run.job_id in to_stop:
                task.cancel()

    async def _heed_the_end(self) -> None:
        await self._runtime.stopping.wait()
        self._wanted.set()

    async def _drain(self) -> None:
        if self._running:
            await asyncio.wait(self._running, timeout=DRAIN_SECONDS)
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running, timeout=GIVE_BACK_SECONDS)


def recurring(kind: str) -> str:
    """Return the key of a kind of job that comes by itself."""
    return f"every:{kind}"
