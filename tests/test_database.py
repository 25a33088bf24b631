"""The order of the log: whoever sees event n+1 has seen event n, whatever commits when."""

import asyncio
import random
from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from microblog import order
from microblog.core import events
from microblog.core.errors import Unavailable
from microblog.core.tokens import digest
from microblog.database import Database, Tx, open_database
from microblog.queries import events as event_queries
from microblog.settings import Settings
from tests.conftest import all_databases

WRITERS = 16
SECONDS = 3.0
ROLLBACKS = 0.05


class RolledBack(Exception):
    """What a twentieth of the transactions end with."""


@dataclass
class Outcome:
    """What was committed, and what each tail saw."""

    committed: set[int] = field(default_factory=set)
    seen: list[set[int]] = field(default_factory=list)

    @property
    def missed(self) -> int:
        return sum(len(self.committed - seen) for seen in self.seen)


async def write_for_a_while(database: Database, outcome: Outcome, stop: asyncio.Event) -> None:
    """Write one event a transaction; its id is known early, its commit comes later."""
    while not stop.is_set():
        try:
            async with database.write() as tx:
                event_id = await tx.announce_first(events.post_published(1))
                await asyncio.sleep(random.random() * 0.002)
                if random.random() < ROLLBACKS:
                    raise RolledBack
            outcome.committed.add(event_id)
        except RolledBack:
            pass


async def follow_the_log(database: Database, seen: set[int], stop: asyncio.Event) -> None:
    """Read as the tail does: what is greater than the greatest id seen so far."""
    head = 0
    while True:
        last_round = stop.is_set()
        async with database.read() as read:
            page = await event_queries.after(read, head, 1000)
        seen.update(event.id for event in page)
        head = page[-1].id if page else head
        if last_round and not page:
            return
        await asyncio.sleep(0.001)  # SQLite is read in the loop: the writers need it too


async def race(settings: Settings) -> Outcome:
    """Let sixteen writers and three tails run beside one another."""
    database = open_database(replace(settings, pool_size=20, pool_overflow=10))
    outcome, stop, rest = Outcome(), asyncio.Event(), asyncio.Event()
    outcome.seen = [set(), set(), set()]
    tails = [asyncio.ensure_future(follow_the_log(database, s, rest)) for s in outcome.seen]
    writers = [
        asyncio.ensure_future(write_for_a_while(database, outcome, stop)) for _ in range(WRITERS)
    ]
    await asyncio.sleep(SECONDS)
    stop.set()
    await asyncio.gather(*writers)
    rest.set()
    await asyncio.gather(*tails)
    await database.close()
    return outcome


@pytest.mark.R3
@all_databases
async def test_tails_miss_nothing_while_sixteen_write(settings: Settings) -> None:
    outcome = await race(settings)
    assert len(outcome.committed) > 100
    assert outcome.missed == 0


@pytest.mark.R3
@pytest.mark.parametrize("backend", ["postgres", "mariadb"], indirect=True)
async def test_tails_miss_events_once_the_lock_is_gone(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: if nothing is missed here, the test above proves nothing."""
    take = order.RowLocks.take

    async def no_lock(self: order.AdvisoryLocks, tx: Tx) -> None:
        return None

    async def take_and_let_go(self: order.RowLocks, tx: Tx, count: int) -> int:
        async with database.write() as another:
            return await take(self, another, count)

    monkeypatch.setattr(order.AdvisoryLocks, "lock_log", no_lock)
    monkeypatch.setattr(order.RowLocks, "take", take_and_let_go)
    outcome = await race(settings)
    assert len(outcome.committed) > 100
    assert outcome.missed > 0


@all_databases
async def test_numbers_of_a_transaction_rise_in_the_order_of_what_happened(
    database: Database,
) -> None:
    written = []
    for _ in range(2):
        async with database.write() as tx:
            tx.announce(events.user_changed(1))
            written.append(await tx.announce_first(events.post_published(1)))
            tx.announce(events.user_changed(2))
            tx.announce(events.user_changed(3))
    async with database.read() as read:
        log = await event_queries.after(read, 0, 10)
    assert [event.actor_id for event in log] == [1, 1, 2, 3] * 2
    assert [event.id for event in log if event.kind == "post.published"] == written
    assert [event.id for event in log] == sorted({event.id for event in log})


@all_databases
async def test_name_lets_one_transaction_at_a_time_pass(database: Database) -> None:
    passing: list[int] = []
    most = 0

    async def go_through(name: str) -> None:
        nonlocal most
        async with database.write() as tx:
            await tx.lock_name(digest(name))
            await tx.lock_name(digest(name))
            passing.append(1)
            most = max(most, len(passing))
            await asyncio.sleep(0.01)
            passing.pop()

    await asyncio.gather(*(go_through("mina") for _ in range(8)))
    assert most == 1


@all_databases
async def test_failed_block_leaves_nothing_and_rings_nobody(database: Database) -> None:
    rings = []

    async def ring() -> None:
        rings.append(1)

    database.ring = ring
    with pytest.raises(RolledBack):  # noqa: PT012 - the block is what is tested
        async with database.write() as tx:
            tx.announce(events.user_changed(1))
            raise RolledBack
    await asyncio.sleep(0)
    async with database.read() as read:
        assert await event_queries.after(read, 0, 10) == []
    assert rings == []


@all_databases
async def test_bell_rings_after_the_event_can_be_seen(database: Database) -> None:
    heard: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def ring() -> None:
        async with database.read() as read:
            heard.set_result(len(await event_queries.after(read, 0, 10)))

    database.ring = ring
    async with database.write() as tx:
        tx.announce(events.user_changed(1))
    assert await asyncio.wait_for(heard, 5) == 1


async def test_reader_cannot_write(database: Database) -> None:
    with pytest.raises(DBAPIError, match="readonly"):
        async with database.read() as read:
            await read.execute(text("DELETE FROM event"))


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
async def test_database_that_is_not_there_is_unavailable(free_port: int, scheme: str) -> None:
    settings = Settings(database_url=f"{scheme}://nobody@127.0.0.1:{free_port}/none")
    database = open_database(settings)
    with pytest.raises(Unavailable):
        async with database.read() as read:
            await event_queries.head(read)
    await database.close()


@all_databases
async def test_fifty_requests_at_once_share_a_pool_of_five(settings: Settings) -> None:
    database = open_database(replace(settings, pool_size=5, pool_overflow=0))

    async def ask() -> int:
        async with database.read() as read:
            await asyncio.sleep(0.01)
            return (await event_queries.head(read)).cursor

    assert await asyncio.gather(*(ask() for _ in range(50))) == [0] * 50
    await database.close()
