"""Jobs that are cancelled: waiting, running, and with a worker that is dead by then."""

import asyncio
from datetime import UTC, datetime

import pytest

from microblog.actions import jobs
from microblog.core import tasks
from microblog.core.errors import Conflict, NotFound
from microblog.database import Database
from microblog.jobs import work
from microblog.jobs.work import Handler, Job
from microblog.settings import Settings
from tests.conftest import all_databases
from tests.jobs.conftest import LEASE, claimed, jobs_of, leave, until, working
from tests.jobs.tallies import Tally, counted, tally
from tests.people import MakeUser

pytestmark = pytest.mark.usefixtures("tally")


def now() -> datetime:
    return datetime.now(UTC)


async def cancel(database: Database, user_id: int | None = None) -> None:
    (row,) = await jobs_of(database)
    async with database.write() as tx:
        await jobs.cancel(tx, row.id, now(), user_id=user_id)


async def state(database: Database) -> str:
    (row,) = await jobs_of(database)
    return str(row.state)


@all_databases
async def test_cancelled_job_is_never_done(settings: Settings, database: Database) -> None:
    await leave(database, "a", key="one")
    await cancel(database)
    assert await claimed(database) == []
    with pytest.raises(Conflict):
        await cancel(database)
    await leave(database, "b", key="one")
    async with working(settings):
        await until(lambda: is_done(database, "b"))


async def is_done(database: Database, name: str) -> bool:
    return name in await counted(database)


async def test_nobody_cancels_what_is_anothers(database: Database, make_user: MakeUser) -> None:
    mina, june = await make_user("mina"), await make_user("june")
    await leave(database, "a", user_id=mina.id)
    with pytest.raises(NotFound):
        await cancel(database, june.id)
    await cancel(database, mina.id)
    assert await state(database) == "cancelled"


@all_databases
@pytest.mark.parametrize("way", ["progress", "write", "neither"])
async def test_running_job_that_is_cancelled_stops_and_leaves_nothing(
    settings: Settings, database: Database, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "PROGRESS_SECONDS", 0.0)
    begun, go_on, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(job: Job, task: Tally) -> None:
        begun.set()
        try:
            if way == "neither":
                await asyncio.sleep(3600)
            await go_on.wait()
            if way == "progress":
                await job.progress(50)
            await tally(job, task)
        finally:
            ended.set()

    await leave(database, "a")
    handlers = {Tally.kind: Handler(Tally, slow)}
    async with working(settings, handlers, lease_seconds=2.0):
        await begun.wait()
        await cancel(database)
        go_on.set()
        await ended.wait()
        await until(lambda: has_state(database, "cancelled"))
    assert await counted(database) == []


async def has_state(database: Database, wanted: str) -> bool:
    return await state(database) == wanted


@all_databases
async def test_job_of_a_dead_worker_that_was_cancelled_is_not_done(database: Database) -> None:
    await leave(database, "a")
    await claimed(database, "dead")
    await cancel(database)
    assert await state(database) == "cancelling"
    async with database.write() as tx:
        assert await jobs.claim(tx, "alive", [Tally.kind], 9, now() + 2 * LEASE, LEASE) == []
    assert await state(database) == "cancelled"


@all_databases
async def test_what_is_wanted_anew_while_it_stops_is_done_afterwards(database: Database) -> None:
    await leave(database, "a", key="one")
    (run,) = await claimed(database)
    await cancel(database)
    await leave(database, "a", key="one")
    with pytest.raises(tasks.Cancelled):
        async with database.write() as tx:
            await jobs.complete(tx, run, now(), None)
    async with database.write() as tx:
        await jobs.stop(tx, run, now())
    (again,) = await claimed(database)
    assert (again.job_id, again.attempt) == (run.job_id, 1)
