"""What comes by itself is done by one process of many, and then waits for its next time."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, func, select

from microblog import models
from microblog.core.tasks import Prune
from microblog.database import Database
from microblog.jobs import HANDLERS, runs
from microblog.jobs.work import Handler, Job
from microblog.settings import Settings
from tests.conftest import all_databases
from tests.jobs.conftest import jobs_of, until, working
from tests.jobs.tallies import CLOCK, Strike, counted

HOUR = timedelta(hours=1)


async def waits_for_the_hour(database: Database, kind: str) -> bool:
    """Tell whether the one job of a kind was done and waits for its next time."""
    rows = await jobs_of(database, kind)
    soon = datetime.now(UTC) + timedelta(minutes=1)
    return [(row.state, row.due_at > soon) for row in rows] == [("waiting", True)]


@all_databases
@pytest.mark.usefixtures("tally")
async def test_hourly_job_is_done_once_by_many_processes(
    settings: Settings, database: Database
) -> None:
    for _ in range(2):  # the second time they come back within the hour
        async with AsyncExitStack() as stack:
            for _ in range(3):
                await stack.enter_async_context(working(settings, {Strike.kind: CLOCK}))
            await until(lambda: waits_for_the_hour(database, Strike.kind))
        assert await counted(database) == ["strike"]
    (row,) = await jobs_of(database, Strike.kind)
    assert timedelta() < row.due_at - datetime.now(UTC) <= HOUR


@pytest.mark.usefixtures("tally")
async def test_hourly_job_that_fails_is_tried_for_ever(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "SHORTEST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(runs, "LONGEST_PAUSE_SECONDS", 0.01)
    calls = 0

    async def fail_often(job: Job, _task: Strike) -> None:
        nonlocal calls
        calls += 1
        if calls < 5:
            raise ValueError

    handler = Handler(Strike, fail_often, attempts=2, every=HOUR)
    async with working(settings, {Strike.kind: handler}):
        await until(lambda: waits_for_the_hour(database, Strike.kind))
    assert calls == 5


@all_databases
async def test_old_things_are_pruned(settings: Settings, database: Database) -> None:
    old = datetime.now(UTC) - timedelta(days=1)
    async with database.write() as tx:
        await tx.execute(delete(models.Job))  # all of it comes tomorrow in the tests' databases
        tx.add(models.Try(key=b"k" * 32, created_at=old))
    async with working(settings, {Prune.kind: HANDLERS[Prune.kind]}):
        await until(lambda: waits_for_the_hour(database, Prune.kind))
    async with database.read() as read:
        assert await read.scalar(select(func.count()).select_from(models.Try)) == 0
