"""Writers of an SQLite file who wait for one another share a COMMIT, and nothing else."""

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from microblog import file_store
from microblog.core import events
from microblog.core.errors import Unavailable
from microblog.database import Database, open_database
from microblog.queries import events as event_queries
from microblog.settings import Settings
from tests.stores import in_use, let_grow


@pytest.fixture
def commits(database: Database) -> Iterator[list[int]]:
    """One entry for each COMMIT."""
    seen: list[int] = []

    def count(connection: object) -> None:
        seen.append(len(seen))

    disk = database.engines[1]
    event.listen(disk, "commit", count)
    yield seen
    event.remove(disk, "commit", count)


async def note(database: Database, actor_id: int, *, fails: bool = False) -> None:
    async with database.write() as tx:
        tx.announce(events.user_changed(actor_id))
        await tx.flush()
        await asyncio.sleep(0)
        if fails:
            await tx.announce_first(events.user_changed(actor_id))
            raise ValueError


async def actors(database: Database) -> list[int]:
    async with database.read() as read:
        return [one.actor_id for one in await event_queries.after(read, 0, 10_000)]


async def test_writers_who_wait_for_one_another_share_a_commit_and_keep_their_order(
    database: Database, commits: list[int]
) -> None:
    numbers = range(1, file_store.MOST_TOGETHER * 2)
    await asyncio.gather(*(note(database, number) for number in numbers))
    assert await actors(database) == list(numbers)
    assert len(commits) == 2
    await note(database, 0)
    assert len(commits) == 3, "who waits for nobody has one of their own"
    assert in_use(database) == 0


async def test_writer_who_fails_takes_nobody_along(database: Database, commits: list[int]) -> None:
    numbers = range(1, 21)
    ended = await asyncio.gather(
        *(note(database, number, fails=number % 3 == 1) for number in numbers),
        return_exceptions=True,
    )
    assert [type(one) for one in ended[:3]] == [ValueError, type(None), type(None)]
    assert await actors(database) == [number for number in numbers if number % 3 != 1]
    assert len(commits) < 5
    assert in_use(database) == 0


async def test_what_is_kept_is_committed_though_all_who_waited_behind_it_gave_up(
    database: Database,
) -> None:
    first = asyncio.create_task(note(database, 1))
    others = [asyncio.create_task(note(database, number)) for number in range(2, 6)]
    while not (group := database._store._group) or not group.members:  # type: ignore[attr-defined]
        await asyncio.sleep(0)
    for other in others:
        other.cancel()
    async with asyncio.timeout(5):
        await first
        await asyncio.gather(*others, return_exceptions=True)
    assert 1 in await actors(database)
    assert in_use(database) == 0


async def test_nobody_is_told_yes_where_the_commit_they_share_fails(
    database: Database, commits: list[int]
) -> None:
    def refuse(connection: object) -> None:
        raise OSError(28, "No space left on device")

    disk = database.engines[1]
    event.listen(disk, "commit", refuse)
    ended = await asyncio.gather(
        *(note(database, number) for number in range(5)), return_exceptions=True
    )
    event.remove(disk, "commit", refuse)
    assert [type(one) for one in ended] == [Unavailable] * 5
    assert in_use(database) == 0
    assert await actors(database) == []
    await note(database, 7)
    assert await actors(database) == [7]


async def test_nobody_is_told_yes_where_sqlite_gives_up_what_they_share(
    database: Database,
) -> None:
    """It rolls back the whole transaction by itself for some errors of a broken or full disk."""
    gives_up = text("INSERT OR ROLLBACK INTO history (id, epoch, pruned_to) VALUES (1, 'x', 0)")

    async def write(number: int) -> None:
        async with database.write() as tx:
            tx.announce(events.user_changed(number))
            if number == 3:
                await tx.execute(gives_up)

    ended = await asyncio.gather(*(write(number) for number in range(8)), return_exceptions=True)
    told_yes = [number for number, end in enumerate(ended) if end is None]
    assert [type(end) for end in ended[:4]] == [Unavailable] * 3 + [IntegrityError]
    assert told_yes == [4, 5, 6, 7]
    assert await actors(database) == told_yes
    assert in_use(database) == 0


async def test_writer_for_whom_there_is_no_room_takes_nobody_along(
    database: Database,
) -> None:
    await note(database, 0)
    let_grow(database, None)

    async def write(number: int) -> None:
        async with database.write() as tx:
            tx.announce(events.user_changed(number))
            if number == 3:
                await tx.execute(text("CREATE TABLE much AS SELECT zeroblob(9999999)"))

    numbers = range(1, 9)
    ended = await asyncio.gather(*(write(number) for number in numbers), return_exceptions=True)
    let_grow(database, 2**30)
    assert [type(end) for end in ended if end is not None] == [Unavailable]
    assert await actors(database) == [0, 1, 2, 4, 5, 6, 7, 8]
    assert in_use(database) == 0


async def test_store_that_closes_commits_what_it_has_taken(settings: Settings) -> None:
    opened = open_database(settings)
    writing = [asyncio.create_task(note(opened, number)) for number in range(1, 6)]
    while not opened._store._group:  # type: ignore[attr-defined]
        await asyncio.sleep(0)
    await asyncio.gather(*writing)
    await opened.close()
    again = open_database(settings)
    assert await actors(again) == [1, 2, 3, 4, 5]
    await again.close()
