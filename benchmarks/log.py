"""The order of the log: what it costs on each database, and that who follows it misses nothing.

    uv run python benchmarks/log.py [--seconds 10] [--writers 12]

On SQLite, PostgreSQL and MariaDB, one after the other and several times over: each writer publishes
events without a pause, a transaction each, of which a twentieth is rolled back, while three tails
follow. Nothing waits for the disk, so what is compared is the order alone. Takes two minutes.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import tables
from microblog.cli.db import upgrade_to_head
from microblog.core import events
from microblog.database import Database, open_database
from microblog.queries import events as event_queries
from microblog.settings import Settings
from tests.mariadb import MariaDb
from tests.services import Postgres

ROLLBACKS = 0.05
TAILS = 3
ROUNDS = 3


class RolledBack(Exception):
    """What a twentieth of the transactions end with."""


@dataclass
class Outcome:
    """What was committed, in how long, and what each tail saw."""

    seconds: float = 0.0
    committed: set[int] = field(default_factory=set)
    seen: list[set[int]] = field(default_factory=lambda: [set() for _ in range(TAILS)])

    @property
    def rate(self) -> float:
        return len(self.committed) / self.seconds

    @property
    def missed(self) -> int:
        return sum(len(self.committed - seen) for seen in self.seen)


async def write(database: Database, outcome: Outcome, until: float) -> None:
    while time.monotonic() < until:
        try:
            async with database.write() as tx:
                event_id = await tx.announce_first(events.post_published(1))
                if random.random() < ROLLBACKS:
                    raise RolledBack
            outcome.committed.add(event_id)
        except RolledBack:
            pass


async def follow(database: Database, seen: set[int], stop: asyncio.Event) -> None:
    head = 0
    while True:
        last_round = stop.is_set()
        async with database.read() as read:
            page = await event_queries.after(read, head, 1000)
        seen.update(event.id for event in page)
        head = page[-1].id if page else head
        if last_round and not page:
            return
        await asyncio.sleep(0.02)


async def race(settings: Settings, writers: int, seconds: float) -> Outcome:
    database = open_database(settings)
    outcome, stop = Outcome(), asyncio.Event()
    tails = [asyncio.ensure_future(follow(database, seen, stop)) for seen in outcome.seen]
    began = time.monotonic()
    await asyncio.gather(*(write(database, outcome, began + seconds) for _ in range(writers)))
    outcome.seconds = time.monotonic() - began
    stop.set()
    await asyncio.gather(*tails)
    await database.close()
    return outcome


@contextmanager
def databases(pool: int) -> Iterator[dict[str, Settings]]:
    """Make an empty database on each server."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir="/dev/shm"))
        postgres, mariadb = stack.enter_context(Postgres()), stack.enter_context(MariaDb())
        urls = {
            "SQLite": f"sqlite:///{Path(folder) / 'log.db'}",
            "PostgreSQL": postgres.create_database(),
            "MariaDB": mariadb.create_database(),
        }
        made = {name: Settings(database_url=url, pool_size=pool) for name, url in urls.items()}
        for settings in made.values():
            upgrade_to_head(settings)
        yield made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--writers", type=int, default=12)
    asked = parser.parse_args()
    with databases(asked.writers + TAILS) as made:
        runs: dict[str, list[Outcome]] = {name: [] for name in made}
        for _ in range(ROUNDS):
            for name, settings in made.items():
                runs[name].append(asyncio.run(race(settings, asked.writers, asked.seconds)))
    print(f"{asked.writers} writers, {TAILS} tails, {ROUNDS} times {asked.seconds:.0f} s each")
    head = ("", "transactions a second", "committed", "missed")
    print(tables.markdown(head, [row(name, outcomes) for name, outcomes in runs.items()]))


def row(name: str, outcomes: list[Outcome]) -> list[str]:
    committed = sum(len(outcome.committed) for outcome in outcomes)
    missed = sum(outcome.missed for outcome in outcomes)
    rates = tables.spread([outcome.rate for outcome in outcomes], 0)
    return [name, rates, f"{committed:,}", str(missed)]


if __name__ == "__main__":
    main()
