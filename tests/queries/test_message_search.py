"""One finds one's own private messages, on every database, and nobody else's."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from microblog.actions import messages
from microblog.actions.messages import Letter
from microblog.core import search_query
from microblog.core.errors import Invalid
from microblog.database import Database
from microblog.models import User
from microblog.queries import message_search
from microblog.queries.search import Asked
from tests.conftest import all_databases
from tests.people import MakeUser


async def found(database: Database, viewer: User, q: str, limit: int = 20) -> list[str]:
    """Return the texts that somebody finds, page after page, newest first."""
    texts: list[str] = []
    place = None
    while True:
        async with database.read() as read:
            asked = Asked(viewer.id, limit, place)
            page = await message_search.find(read, viewer.id, search_query.parse(q), asked)
        texts += [hit.message.body for hit in page.items]
        place = page.next
        if place is None:
            return texts


async def write(database: Database, *letters: tuple[User, User, str]) -> list[int]:
    ids = []
    for sender, other, body in letters:
        async with database.write() as tx:
            now = datetime.now(UTC)
            ids.append((await messages.send(tx, sender, other, Letter(body), now)).id)
    return ids


@all_databases
async def test_own_messages_are_found_and_nobody_elses(
    database: Database, make_user: MakeUser
) -> None:
    mina, jun, eve = [await make_user(name) for name in ("mina", "jun", "eve")]
    rain, later, _, link = await write(
        database,
        (mina, jun, "Heavy rain over #seoul"),
        (jun, mina, "서울은 비가 와요, rain again"),
        (eve, jun, "rain between Eve and Jun"),
        (mina, eve, "see https://example.org @jun"),
    )
    cases: Sequence[tuple[User, str, list[str]]] = [
        (mina, "rain", ["서울은 비가 와요, rain again", "Heavy rain over #seoul"]),
        (mina, '"heavy rain"', ["Heavy rain over #seoul"]),
        (mina, "서울", ["서울은 비가 와요, rain again"]),
        (mina, "비", ["서울은 비가 와요, rain again"]),
        (mina, "#seoul", ["Heavy rain over #seoul"]),
        (mina, "rain -again", ["Heavy rain over #seoul"]),
        (mina, "from:me rain", ["Heavy rain over #seoul"]),
        (mina, "from:jun", ["서울은 비가 와요, rain again"]),
        (mina, "has:link", ["see https://example.org @jun"]),
        (mina, "@jun", ["see https://example.org @jun"]),
        (mina, "rain before:2000", []),
        (eve, "rain", ["rain between Eve and Jun"]),
        (eve, "heavy", []),
        (eve, "-nothing", ["see https://example.org @jun", "rain between Eve and Jun"]),
    ]
    for who, q, expected in cases:
        assert await found(database, who, q) == expected, (who.username, q)
    with pytest.raises(Invalid):
        await found(database, mina, "from:nobody_here")
    async with database.write() as tx:
        await messages.delete_message(tx, mina, rain, jun.id)
    assert await found(database, mina, "heavy") == []
    assert await found(database, jun, "heavy") == ["Heavy rain over #seoul"]
    async with database.write() as tx:
        await messages.clear(tx, jun, mina.id, datetime.now(UTC))
    assert await found(database, jun, "rain") == ["rain between Eve and Jun"]
    assert await found(database, mina, "again") == ["서울은 비가 와요, rain again"]
    assert later < link


async def test_pages_of_hits_have_no_holes(database: Database, make_user: MakeUser) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    await write(database, *((mina, jun, f"tick {n}") for n in range(5)))
    assert await found(database, mina, "tick", limit=2) == [f"tick {n}" for n in (4, 3, 2, 1, 0)]
