"""`microblog jobs`: a worker in a process of its own, and what the owner sees and changes."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete

from microblog.actions import jobs
from microblog.core.tasks import Prune
from microblog.database import Database
from microblog.models import Job
from microblog.settings import Settings
from tests.cli.conftest import Run, variables
from tests.cli.databases import on
from tests.conftest import both_databases
from tests.jobs.conftest import jobs_of
from tests.services import clean_environment

HOUR = timedelta(hours=1)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(autouse=True)
def nothing_waits(settings: Settings) -> None:
    """Begin without what comes by itself."""

    async def empty(database: Database) -> None:
        async with database.write() as tx:
            await tx.execute(delete(Job))

    on(settings, empty)


def arranged(settings: Settings, *, dead: bool = False, running: bool = False) -> int:
    """Leave one job, and return its id."""

    async def arrange(database: Database) -> int:
        async with database.write() as tx:
            tx.enqueue(Prune(), key="one", at=None if dead or running else now() + HOUR)
        async with database.write() as tx:
            for run in await jobs.claim(tx, "somebody", [Prune.kind], 1, now(), HOUR):
                if dead:
                    await jobs.fail(tx, run, "It broke.", now(), None, counts=True)
        (row,) = await jobs_of(database, Prune.kind)
        return int(row.id)

    return on(settings, arrange)


def test_list_says_when_there_is_nothing(run: Run) -> None:
    assert run.works("jobs", "list") == "There are none.\n"


@both_databases
def test_dead_letter_is_listed_with_its_error_and_tried_again(run: Run, settings: Settings) -> None:
    number = arranged(settings, dead=True)
    listed = run.works("jobs", "list", "--dead")
    assert listed.split()[:5] == [str(number), "prune", "dead", "attempt", "1"]
    assert listed.endswith("It broke.\n")
    assert run.works("jobs", "retry", str(number)) == f"{number} is tried again.\n"
    assert run.works("jobs", "list", "--dead") == "There are none.\n"
    assert run.works("jobs", "list").split()[:3] == [str(number), "prune", "waiting"]


def test_dead_letter_whose_key_another_has_is_not_tried_again(run: Run, settings: Settings) -> None:
    number = arranged(settings, dead=True)

    async def leave(database: Database) -> None:
        async with database.write() as tx:
            tx.enqueue(Prune(), key="one")

    on(settings, leave)
    assert run.fails("jobs", "retry", str(number)) == "The same is about to be done already."


def test_job_is_cancelled_once(run: Run, settings: Settings) -> None:
    number = arranged(settings)
    assert run.works("jobs", "cancel", str(number)) == f"{number} is cancelled.\n"
    assert run.fails("jobs", "cancel", str(number)) == "This is finished already."
    assert run.works("jobs", "list") == "There are none.\n"
    assert run.works("jobs", "list", "--all").split()[:3] == [str(number), "prune", "cancelled"]


def test_running_job_is_shown_with_its_worker_and_cannot_be_tried_again(
    run: Run, settings: Settings
) -> None:
    number = arranged(settings, running=True)
    assert run.works("jobs", "list").endswith("0%  by somebody\n")
    told = run.fails("jobs", "retry", str(number))
    assert told == "This runs, or is done: there is nothing to try again."


@pytest.mark.parametrize("verb", ["retry", "cancel"])
def test_job_that_is_not_there_is_named(run: Run, verb: str) -> None:
    assert run.fails("jobs", verb, "7") == "There is no job 7."


@pytest.fixture
def worker(settings: Settings, empty_folder: Path) -> Iterator[subprocess.Popen[str]]:
    """`microblog jobs --concurrency 2`, in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "microblog", "jobs", "--concurrency", "2"],
        cwd=empty_folder,
        env={**clean_environment(), **variables(settings), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.wait()


async def test_worker_does_what_waits_and_ends_when_it_is_told_to(
    worker: "subprocess.Popen[str]", database: Database
) -> None:
    async def pruned() -> bool:
        rows = await jobs_of(database, Prune.kind)
        return [row.state == "waiting" and row.due_at > now() for row in rows] == [True]

    async with asyncio.timeout(60):
        while not await pruned():
            await asyncio.sleep(0.05)
    os.kill(worker.pid, signal.SIGTERM)
    printed, complained = await asyncio.to_thread(worker.communicate, timeout=30)
    assert (worker.returncode, complained) == (0, "")
    assert printed == "Doing what waits. Stop with Ctrl+C.\n"
