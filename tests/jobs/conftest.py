"""A worker and what it works on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from microblog.actions import jobs
from microblog.database import Database
from microblog.jobs import HANDLERS
from microblog.jobs.work import Handler
from microblog.jobs.worker import Worker
from microblog.models import Job, table
from microblog.runtime import Runtime
from microblog.settings import Settings
from tests.jobs import tallies

PATIENCE_SECONDS = 60
LEASE = timedelta(seconds=20)


@pytest.fixture
async def tally(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every worker of this process know the tests' own task."""
    await tallies.make_table(database)
    monkeypatch.setitem(HANDLERS, tallies.Tally.kind, tallies.HANDLER)


async def until(question: Callable[[], Awaitable[Any]]) -> Any:
    """Ask until the answer is yes, and return it."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (answer := await question()):
            await asyncio.sleep(0.01)
    return answer


async def jobs_of(database: Database, kind: str = tallies.Tally.kind) -> list[Any]:
    """Return the rows of a kind of job, oldest first."""
    async with database.read() as read:
        statement = select(table(Job)).where(Job.kind == kind).order_by(Job.id)
        return list(await read.execute(statement))


async def leave(database: Database, *names: str, **how: Any) -> None:
    """Enqueue a tally for each name, in one transaction."""
    async with database.write() as tx:
        for name in names:
            tx.enqueue(tallies.Tally(name), **how)


async def claimed(database: Database, worker: str = "one", limit: int = 10) -> list[jobs.Claim]:
    """Take tallies that are due, as a worker of this name does."""
    async with database.write() as tx:
        kinds = [tallies.Tally.kind]
        return await jobs.claim(tx, worker, kinds, limit, datetime.now(UTC), LEASE)


@asynccontextmanager
async def working(
    settings: Settings,
    handlers: dict[str, Handler] | None = None,
    lease_seconds: float = LEASE.total_seconds(),
) -> AsyncIterator[Worker]:
    """Have a worker, as a process beside the servers does."""
    opened = Runtime.assemble(settings, ("test" * 16,))
    await opened.open()
    given = {tallies.Tally.kind: tallies.HANDLER} if handlers is None else handlers
    worker = Worker(opened, 4, handlers=given, lease_seconds=lease_seconds)
    worker.begin()
    try:
        yield worker
    finally:
        await worker.end()
        await opened.close()
