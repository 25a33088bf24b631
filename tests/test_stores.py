"""An SQLite file under scopes that fail, are cancelled, wait for a lock, or find no room."""

import asyncio
import random
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing
from dataclasses import replace

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from microblog import file_store
from microblog.core import events
from microblog.core.errors import Unavailable
from microblog.database import Database, open_database
from microblog.queries import events as event_queries
from microblog.settings import Settings
from tests.people import MakePost, MakeUser
from tests.stores import in_use, let_grow

PLACES = 3
SCOPES = 400


@pytest.fixture
async def narrow(settings: Settings) -> AsyncIterator[Database]:
    """A database with three places for readers, for which nobody waits long."""
    opened = open_database(
        replace(settings, pool_size=PLACES, pool_overflow=0, pool_timeout_seconds=1)
    )
    yield opened
    await opened.close()


async def count_of_events(database: Database) -> int:
    async with database.read() as read:
        return len(await event_queries.after(read, 0, 10_000))


async def people(database: Database) -> list[str]:
    async with database.read() as read:
        found = await read.execute(text("SELECT username FROM user ORDER BY id"))
        return list(found.scalars())


# --- Places --------------------------------------------------------------------------------------


async def read_somehow(database: Database, number: int) -> None:
    """Read; some fail, some ask for nonsense, some go aside into a thread."""
    async with database.read() as read:
        await event_queries.head(read)
        await asyncio.sleep(0)
        if number % 3 == 0:
            raise ValueError
        if number % 5 == 0:
            await read.execute(text("SELECT nonsense"))
        await read.execute_aside(text("SELECT 1"))


async def write_somehow(database: Database, number: int) -> None:
    """Write; some fail."""
    async with database.write() as tx:
        tx.announce(events.user_changed(1))
        await asyncio.sleep(0)
        if number % 3 == 0:
            raise ValueError


async def test_scopes_that_fail_or_are_cancelled_lose_no_place(narrow: Database) -> None:
    chance = random.Random(1)
    tasks = [
        asyncio.ensure_future((read_somehow if n % 4 else write_somehow)(narrow, n))
        for n in range(SCOPES)
    ]
    for _ in range(SCOPES):
        await asyncio.sleep(0)
        chance.choice(tasks).cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(one) for one in ended} >= {asyncio.CancelledError, ValueError, type(None)}
    assert in_use(narrow) == 0
    async with AsyncExitStack() as stack:
        for _ in range(PLACES):
            await event_queries.head(await stack.enter_async_context(narrow.read()))
        tx = await stack.enter_async_context(narrow.write())
        await tx.flush()
        with pytest.raises(Unavailable):  # and none was won
            await stack.enter_async_context(narrow.read())
    assert in_use(narrow) == 0


async def test_commit_that_is_cancelled_twice_is_ended_before_the_next_begins(
    database: Database,
) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def stand_still(connection: object) -> None:
        entered.set()
        assert go_on.wait(10)

    async def write() -> None:
        async with database.write() as tx:
            tx.announce(events.user_changed(1))

    disk = database.engines[1]
    event.listen(disk, "commit", stand_still)
    writing = asyncio.create_task(write())
    assert await asyncio.to_thread(entered.wait, 5)
    for _ in range(2):
        writing.cancel()
        await asyncio.wait([writing], timeout=0.05)  # as long as it takes to be heard
    gave_up = writing.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await writing
    event.remove(disk, "commit", stand_still)
    await write()
    assert not gave_up
    assert await count_of_events(database) == 2
    assert in_use(database) == 0


# --- Locks, and no room --------------------------------------------------------------------------


async def test_file_that_another_locks_can_be_read_and_is_well_again_afterwards(
    database: Database, settings: Settings, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_store, "LOCKED_SECONDS", 0.3)
    await make_user("mina")
    path = str(settings.database.database)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable):
            await make_user("jun")
        assert await people(database) == ["mina"]
        assert in_use(database) == 0
        other.execute("ROLLBACK")
        await make_user("jun")
        assert await people(database) == ["mina", "jun"]


async def test_writer_waits_for_another_who_is_quick(
    database: Database, settings: Settings, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = asyncio.Event()
    pause = file_store._pause

    async def seen_to_pause() -> None:
        waited.set()
        await pause()

    monkeypatch.setattr(file_store, "_pause", seen_to_pause)
    path = str(settings.database.database)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        making = asyncio.create_task(make_user("mina"))
        async with asyncio.timeout(5):
            await waited.wait()
        other.execute("ROLLBACK")
        assert (await making).username == "mina"


async def test_full_file_refuses_whole_posts_and_takes_them_once_there_is_room(
    database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user()
    let_grow(database, None)
    taken: list[int] = []
    with pytest.raises(Unavailable) as refusal:  # noqa: PT012 - some still fit in
        for number in range(100):
            taken += [(await make_post(mina, "x" * 450 + str(number))).id]
    assert isinstance(refusal.value.__cause__, DBAPIError)
    assert in_use(database) == 0
    let_grow(database, 2**30)
    taken.append((await make_post(mina, "there is room")).id)
    async with database.read() as read:
        stored = (await read.execute(text("SELECT id FROM post ORDER BY id"))).scalars().all()
        logged = await event_queries.after(read, 0, 1000)
    assert stored == taken
    assert [one.id for one in logged if one.kind == "post.published"] == taken
