"""Workers that are killed: no job is lost, and none is done twice where its effect is a row."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from microblog.database import Database
from microblog.settings import Settings
from tests import forms
from tests.jobs.conftest import jobs_of, until
from tests.jobs.process import CAREFUL, CONTROL, WorkerProcess
from tests.jobs.tallies import Tally, counted

JOBS = forms.of(150, 1000)
KILLS = forms.of(3, 20)
WORKERS = 2
# Claiming is tested on all of them elsewhere; killing takes its time.
ON = forms.of(["sqlite", "postgres"], ["sqlite", "postgres", "mariadb"])
CONTROL_ON = forms.of(["sqlite"], ON)


@asynccontextmanager
async def at_work(
    settings: Settings, manner: str, number: int, **how: float
) -> AsyncIterator[list[WorkerProcess]]:
    async with AsyncExitStack() as stack:
        workers = [WorkerProcess(settings, manner, **how) for _ in range(number)]
        for worker in workers:
            stack.callback(worker.close)
        await asyncio.gather(*(asyncio.to_thread(worker.start) for worker in workers))
        yield workers


@pytest.mark.limit(forms.of(120, 280))
@pytest.mark.parametrize("backend", ON, indirect=True)
@pytest.mark.usefixtures("tally")
async def test_killed_workers_lose_no_job_and_do_none_twice(
    settings: Settings, database: Database
) -> None:
    names = [f"{number:04}" for number in range(JOBS)]
    share = JOBS // (KILLS + 1)
    async with at_work(settings, CAREFUL, WORKERS) as workers:
        async with database.write() as tx:
            for name in names:
                tx.enqueue(Tally(name, seconds=0.01))
        for kill in range(1, KILLS + 1):
            await until(lambda goal=kill * share: done(database, goal))
            victim = workers[kill % WORKERS]
            await asyncio.to_thread(victim.kill)
            await asyncio.to_thread(victim.start)
        await until(lambda: nothing_left(database))
    assert await counted(database) == names


@pytest.mark.parametrize("backend", CONTROL_ON, indirect=True)
@pytest.mark.usefixtures("tally")
async def test_effect_outside_of_the_job_is_done_twice(
    settings: Settings, database: Database
) -> None:
    """The control: if nothing is done twice here, the test above proves nothing."""
    names = [f"{number}" for number in range(4)]
    async with at_work(settings, CONTROL, 1) as (worker,):
        async with database.write() as tx:
            for name in names:
                tx.enqueue(Tally(name, seconds=0.3))
        await until(lambda: done(database, len(names)))
        await asyncio.to_thread(worker.kill)
        await asyncio.to_thread(worker.start)
        await until(lambda: nothing_left(database))
    found = Counter(await counted(database))
    assert set(found) == set(names)
    assert max(found.values()) > 1


@pytest.mark.usefixtures("tally")
async def test_worker_that_is_asked_to_stop_finishes_or_gives_back(
    settings: Settings, database: Database
) -> None:
    async with at_work(settings, CAREFUL, 1, lease_seconds=60) as (worker,):
        async with database.write() as tx:
            tx.enqueue(Tally("short", seconds=1))
            tx.enqueue(Tally("endless", seconds=3600))
        await until(lambda: all_run(database, 2))
        asked = time.monotonic()
        assert worker.process is not None
        worker.process.terminate()
        assert await asyncio.to_thread(worker.process.wait, 30) == 0
        assert time.monotonic() - asked < forms.at_most(5)
    assert await counted(database) == ["short"]
    (row,) = await jobs_of(database)
    assert (row.state, row.attempt, row.claimed_by) == ("waiting", 0, None)


async def done(database: Database, number: int) -> bool:
    return len(await counted(database)) >= number


async def nothing_left(database: Database) -> bool:
    return await jobs_of(database) == []


async def all_run(database: Database, number: int) -> bool:
    return [row.state for row in await jobs_of(database)] == ["running"] * number
