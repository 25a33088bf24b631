"""A task of the tests' own, whose effect can be counted: one row of table `tally` each time.

Its table is made by the tests alone; the product knows neither.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from sqlalchemy import text

from microblog.database import Database, Tx
from microblog.jobs.work import Failed, Handler, Job


@dataclass(frozen=True, slots=True)
class Tally:
    """Write one row, after failing so often, and after working for so long."""

    kind: ClassVar[str] = "tally"
    name: str
    fails: int = 0
    seconds: float = 0


@dataclass(frozen=True, slots=True)
class Strike:
    """Write one row each hour."""

    kind: ClassVar[str] = "strike"


async def tally(job: Job, task: Tally) -> None:
    """Write the row together with the job's end."""
    if job.attempt <= task.fails:
        raise Failed(f"attempt {job.attempt} is to fail")
    await asyncio.sleep(task.seconds)
    async with job.write() as tx:
        await count(tx, task.name)


async def tally_carelessly(job: Job, task: Tally) -> None:
    """Write the row first, and let the job's end come when it comes: the control."""
    async with job.runtime.database.write() as tx:
        await count(tx, task.name)
    await asyncio.sleep(task.seconds)


async def strike(job: Job, _task: Strike) -> None:
    """Write the row of this hour."""
    async with job.write() as tx:
        await count(tx, "strike")


MANY = 1000  # more attempts than a test has kills
HANDLER = Handler(Tally, tally, attempts=MANY)
CARELESS = Handler(Tally, tally_carelessly, attempts=MANY)
CLOCK = Handler(Strike, strike, every=timedelta(hours=1))


async def make_table(database: Database) -> None:
    """Make the table that is written."""
    async with database.write() as tx:
        await tx.execute(text("CREATE TABLE tally (name VARCHAR(100) NOT NULL)"))


async def count(tx: Tx, name: str) -> None:
    """Write one row."""
    await tx.execute(text("INSERT INTO tally VALUES (:name)"), {"name": name})


async def counted(database: Database) -> list[str]:
    """Return the names written, in order."""
    async with database.read() as read:
        return list(await read.scalars(text("SELECT name FROM tally ORDER BY name")))
