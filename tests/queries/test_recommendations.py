"""Whom to follow: friends of friends first, then the most followed, in two queries at most."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, update

from microblog.database import Database
from microblog.models import Follow, User, table
from microblog.queries import recommendations
from tests.conftest import all_databases
from tests.queries.test_home import person

ME, NOW = 1, datetime(2026, 1, 1, tzinfo=UTC)
# 2 and 3 are followed by 1; of whom they follow, 5 is in both lists.
FOLLOWS = [(1, 2), (1, 3), (2, 4), (2, 5), (3, 5), (3, 6), (3, 1), (3, 2), (9, 7), (10, 7), (9, 11)]


async def fill(database: Database, people: int, follows: list[tuple[int, int]]) -> None:
    """Make people by number, and who of them follows whom."""
    async with database.write() as tx:
        await tx.execute(insert(table(User)), [person(n) for n in range(1, people + 1)])
        made = [{"follower_id": a, "followed_id": b, "created_at": NOW} for a, b in follows]
        await tx.execute(insert(table(Follow)), made)
        for one in range(1, people + 1):
            count = sum(1 for _, b in follows if b == one)
            await tx.execute(update(User).where(User.id == one).values(follower_count=count))


async def suggested(database: Database, limit: int = 5) -> list[int]:
    async with database.read() as read:
        return [one.id for one in await recommendations.people(read, ME, limit)]


@all_databases
async def test_friends_of_friends_come_first_and_then_the_most_followed(database: Database) -> None:
    await fill(database, 11, FOLLOWS)
    assert await suggested(database, 8) == [5, 6, 4, 7, 11, 10, 9]
    assert await suggested(database, 2) == [5, 6]


@all_databases
async def test_nobody_who_left_or_whom_one_follows_is_suggested(database: Database) -> None:
    await fill(database, 11, FOLLOWS)
    async with database.write() as tx:
        await tx.execute(update(User).where(User.id.in_((5, 7))).values(deactivated_at=NOW))
        await tx.insert(Follow, {"follower_id": ME, "followed_id": 6, "created_at": NOW})
    assert await suggested(database, 8) == [4, 11, 10, 9]


async def test_who_follows_nobody_gets_the_most_followed(database: Database) -> None:
    await fill(database, 11, [pair for pair in FOLLOWS if pair[0] != ME])
    assert (await suggested(database, 3)) == [7, 5, 11]


@pytest.mark.parametrize("friends", [3, 200])
async def test_number_of_queries_does_not_grow(database: Database, friends: int) -> None:
    people = friends + 50
    mine = [(ME, n) for n in range(2, friends + 2)]
    theirs = [(n, m) for n in range(2, friends + 2) for m in range(2, people, 3) if n != m]
    await fill(database, people, mine + theirs)
    asked: list[str] = []

    def note(_: Any, cursor: Any, statement: str, *rest: Any) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        assert len(await suggested(database)) == 5
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert sum(one.startswith("SELECT") for one in asked) == 1


async def test_those_who_were_found_before_are_asked_for_as_they_are_now(
    database: Database,
) -> None:
    await fill(database, 11, FOLLOWS)
    async with database.write() as tx:
        await tx.execute(update(User).where(User.id == 5).values(deactivated_at=NOW))
        await tx.execute(update(User).where(User.id == 4).values(display_name="Anew"))
    async with database.read() as read:
        found = await recommendations.those(read, ME, [7, 5, 4, 2, 99])
    assert [(one.id, one.display_name) for one in found] == [(7, ""), (4, "Anew")]
