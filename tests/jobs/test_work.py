"""Jobs from the transaction that leaves them to their end."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from quart import Quart

from microblog.actions import jobs
from microblog.core import tasks
from microblog.database import Database
from microblog.jobs import HANDLERS, runs
from microblog.jobs.work import Handler, Job, NotNow
from microblog.settings import Settings
from tests.conftest import all_databases
from tests.jobs.conftest import LEASE, claimed, jobs_of, leave, until, working
from tests.jobs.tallies import HANDLER, Tally, counted


def now() -> datetime:
    return datetime.now(UTC)


@all_databases
@pytest.mark.usefixtures("tally")
async def test_job_is_done_once_and_leaves_no_trace(app: Quart, database: Database) -> None:
    await leave(database, "a", "b", "c")
    await until(lambda: gone(database))
    assert await counted(database) == ["a", "b", "c"]


async def gone(database: Database) -> bool:
    return await jobs_of(database) == []


@all_databases
@pytest.mark.usefixtures("tally")
async def test_job_of_a_transaction_that_fails_was_never_there(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the block is what is tested
        async with database.write() as tx:
            tx.enqueue(Tally("a"))
            tx.enqueue(Tally("b"), key="b")
            raise ZeroDivisionError
    assert await jobs_of(database) == []


@all_databases
@pytest.mark.usefixtures("tally")
async def test_second_of_a_key_does_nothing_while_one_waits(database: Database) -> None:
    await leave(database, "first", key="one")
    await leave(database, "second", key="one")
    await leave(database, "third", "fourth", key="one")
    await leave(database, "other", key="two")
    found = await jobs_of(database)
    assert [row.payload["name"] for row in found] == ["first", "other"]


@all_databases
@pytest.mark.usefixtures("tally")
async def test_key_that_is_wanted_again_while_it_runs_is_done_once_more(
    database: Database,
) -> None:
    await leave(database, "a", key="one")
    (run,) = await claimed(database)
    await leave(database, "a", key="one")
    assert await claimed(database) == []  # never two at once
    async with database.write() as tx:
        await jobs.complete(tx, run, now(), None)
    (again,) = await claimed(database)
    assert (again.job_id, again.attempt) == (run.job_id, 1)
    async with database.write() as tx:
        await jobs.complete(tx, again, now(), None)
    assert await jobs_of(database) == []


@all_databases
@pytest.mark.usefixtures("tally")
async def test_two_workers_never_have_the_same(database: Database) -> None:
    await leave(database, *(f"{n:03}" for n in range(100)))

    async def take(worker: str) -> list[int]:
        taken: list[int] = []
        while some := await claimed(database, worker, limit=7):
            taken += [run.job_id for run in some]
        return taken

    found = await asyncio.gather(*(take(name) for name in ("one", "two", "three")))
    ids = [job_id for taken in found for job_id in taken]
    assert len(ids) == 100
    assert len(set(ids)) == 100


@all_databases
@pytest.mark.usefixtures("tally")
async def test_job_is_not_taken_before_its_time(database: Database) -> None:
    await leave(database, "later", at=now() + timedelta(hours=1))
    await leave(database, "now")
    assert [run.payload["name"] for run in await claimed(database)] == ["now"]


@all_databases
@pytest.mark.usefixtures("tally")
async def test_failed_job_is_tried_again_until_it_works(
    app: Quart, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "SHORTEST_PAUSE_SECONDS", 0.01)
    async with database.write() as tx:
        tx.enqueue(Tally("a", fails=3))
    await until(lambda: gone(database))
    assert await counted(database) == ["a"]


@all_databases
@pytest.mark.usefixtures("tally")
async def test_job_that_fails_too_often_is_kept_as_a_dead_letter_with_its_error(
    app: Quart, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "SHORTEST_PAUSE_SECONDS", 0.01)
    monkeypatch.setitem(HANDLERS, Tally.kind, HANDLER._replace(attempts=3))
    async with database.write() as tx:
        tx.enqueue(Tally("a", fails=99), key="one")
    await until(lambda: is_dead(database))
    (row,) = await jobs_of(database)
    assert (row.attempt, row.error) == (3, "attempt 3 is to fail")
    assert (row.due_at, row.unfinished_key, row.key) == (None, None, "one")
    await leave(database, "b", key="one")  # the key is free for who comes next
    await until(lambda: all_counted(database, ["b"]))


async def all_counted(database: Database, names: list[str]) -> bool:
    return await counted(database) == names


@pytest.mark.usefixtures("tally")
async def test_what_is_away_does_not_wear_a_job_out(settings: Settings, database: Database) -> None:
    calls = 0

    async def wait_for_it(job: Job, task: Tally) -> None:
        nonlocal calls
        calls += 1
        if calls < 5:
            raise NotNow("The thing is away.", retry_seconds=0.01)
        assert job.attempt == 1

    await leave(database, "a")
    async with working(settings, {Tally.kind: Handler(Tally, wait_for_it, attempts=1)}):
        await until(lambda: gone(database))
    assert calls == 5


@pytest.mark.usefixtures("tally")
async def test_handler_that_awaits_what_was_cancelled_has_failed(
    settings: Settings, database: Database
) -> None:
    """It would be given back for ever, without an attempt being counted."""

    async def cancelled(_job: Job, _task: Tally) -> None:
        nothing = asyncio.get_running_loop().create_future()
        nothing.cancel()
        await nothing

    await leave(database, "a")
    async with working(settings, {Tally.kind: Handler(Tally, cancelled, attempts=1)}):
        await until(lambda: is_dead(database))


async def is_dead(database: Database) -> bool:
    return [row.state for row in await jobs_of(database)] == ["dead"]


@all_databases
@pytest.mark.usefixtures("tally")
async def test_run_that_was_taken_over_writes_nothing(database: Database) -> None:
    await leave(database, "a")
    (run,) = await claimed(database, "dead")
    later = now() + LEASE + timedelta(seconds=1)
    async with database.write() as tx:
        (second,) = await jobs.claim(tx, "alive", [Tally.kind], 10, later, LEASE)
    assert second.attempt == 2
    with pytest.raises(tasks.Lost):
        async with database.write() as tx:
            await jobs.complete(tx, run, now(), None)
    async with database.write() as tx:
        await jobs.fail(tx, run, "late", now(), now(), counts=True)
        await jobs.give_back(tx, run, now())
    (row,) = await jobs_of(database)
    assert (row.state, row.claimed_by, row.attempt) == ("running", "alive", 2)


def test_pauses_grow_to_an_hour_and_differ() -> None:
    for attempt, longest in [(1, 5), (2, 10), (3, 20), (10, 2560), (12, 3600), (60, 3600)]:
        found = {runs.pause(attempt).total_seconds() for _ in range(20)}
        assert all(longest / 2 <= seconds <= longest for seconds in found)
        assert len(found) > 1


def test_error_that_is_kept_says_no_more_than_it_may() -> None:
    with pytest.raises(TypeError) as raised:
        tasks.task(tasks.Prune, {"password": "hunter2"})
    assert runs.reason(raised.value).startswith("TypeError at core/tasks.py:")
    assert runs.reason(ConnectionRefusedError(111, "Connection refused")) == (
        "ConnectionRefusedError (Connection refused)"
    )
    assert runs.reason(NotNow("The mail server is away.", 5)) == "The mail server is away."
