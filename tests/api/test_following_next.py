"""Following `next` from the first page visits each item exactly once, while others are written.

Whatever was there at the beginning comes once; what is written meanwhile comes once or not at all.
"""

import asyncio
import itertools
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as some

from microblog.actions import follows, messages
from microblog.actions.messages import Letter
from microblog.database import Database
from microblog.models import User
from tests.api.conftest import OpenProgram
from tests.api.programs import Program
from tests.people import MakePost, MakeUser
from tests.search import index


@dataclass
class Village:
    """Mina reads; Bora, whom she follows, writes, and so do newcomers."""

    database: Database
    make_user: MakeUser
    make_post: MakePost
    mina: User
    bora: User
    program: Program
    root: int
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    async def write(self) -> None:
        """Let one more of everything be written."""
        number = next(self.numbers)
        newcomer, now = await self.make_user(f"new{number}"), datetime.now(UTC)
        await self.make_post(self.bora, "rain in #seoul")
        await self.make_post(self.bora, "Today?", title=f"Will it rain {number}?")
        await self.make_post(self.bora, "It will", reply_to=self.root)
        await self.make_post(self.bora, f"rain {number}, @mina")
        async with self.database.write() as tx:
            await follows.follow(tx, newcomer, self.bora, now)
            await follows.follow(tx, self.bora, newcomer, now)
            for sender in (self.bora, newcomer):
                await messages.send(tx, sender, self.mina, Letter("rain"), now)
        await index(self.database)

    async def page(self, address: str) -> tuple[list[str], str | None]:
        """Return the ids on a page, and where the next one is."""
        page = await self.program.json("GET", address)
        ids = [item["with"]["id"] if "with" in item else item["id"] for item in page["items"]]
        return ids, page["_links"]["next"]

    async def all(self) -> dict[str, list[str]]:
        """Return the ids of every list, from large pages."""
        found: dict[str, list[str]] = {}
        for name in self.lists:
            address: str | None = f"{name}100"
            while address is not None:
                ids, address = await self.page(address)
                found[name] = found.get(name, []) + ids
        return found

    @property
    def lists(self) -> list[str]:
        return [name.replace("{root}", str(self.root)) for name in LISTS]


CONVERSATIONS = "/api/messages?limit="
LISTS = (
    "/api/posts?limit=",
    "/api/timelines/home?limit=",
    "/api/timelines/public?limit=",
    "/api/timelines/tags/seoul?limit=",
    "/api/users/bora/posts?limit=",
    "/api/questions?state=open&limit=",
    "/api/posts/{root}/replies?limit=",
    "/api/messages/bora?limit=",
    CONVERSATIONS,
    "/api/notifications?kinds=mention&limit=",
    "/api/users/bora/followers?limit=",
    "/api/users/bora/following?limit=",
    "/api/users?per_page=",
    "/api/search?q=rain&limit=",
    "/api/search?q=rain&sort=time&limit=",
    "/api/search?q=rain&type=messages&limit=",
    "/api/search?q=new&type=users&limit=",
)


@pytest.fixture
async def village(
    database: Database, program: OpenProgram, make_user: MakeUser, make_post: MakePost
) -> Village:
    mina, bora = await make_user("mina"), await make_user("bora")
    root = await make_post(mina, "What will it be?")
    async with database.write() as tx:
        await follows.follow(tx, mina, bora, datetime.now(UTC))
    return Village(database, make_user, make_post, mina, bora, await program(mina), root.id)


async def test_each_item_comes_exactly_once_while_others_are_written(village: Village) -> None:
    loop = asyncio.get_running_loop()

    async def live(more: int, pages: int, steps: list[bool]) -> None:
        for _ in range(more):
            await village.write()
        there, seen = await village.all(), defaultdict[str, list[str]](list)
        places = {name: f"{name}{max(1, len(there[name]) // pages)}" for name in there}
        writes = iter(steps)
        while places:
            for name, address in list(places.items()):
                ids, following = await village.page(address)
                seen[name] += ids
                places |= {name: following or ""}
            places = {name: address for name, address in places.items() if address}
            if places and next(writes, False):
                await village.write()
        after = await village.all()
        for name, ids in seen.items():
            assert len(ids) == len(set(ids)), f"{name}: twice"
            # Bora's conversation goes to the front with each message: it is not promised.
            moved = {str(village.bora.id)} if name == CONVERSATIONS else set()
            assert set(there[name]) - moved <= set(ids), f"{name}: left out"
            assert set(ids) <= set(after[name]), f"{name}: made up"
        assert all(there.values())

    @how(max_examples=3, suppress_health_check=list(HealthCheck), database=None)
    @given(
        some.integers(2, 3),
        some.integers(2, 5),
        some.lists(some.booleans(), min_size=1, max_size=4),
    )
    def tries(more: int, pages: int, steps: list[bool]) -> None:
        asyncio.run_coroutine_threadsafe(live(more, pages, steps), loop).result(60)

    await asyncio.to_thread(tries)


async def test_a_list_by_numbers_that_shift_would_be_caught(village: Village) -> None:
    """The control: pages by number, newest first, show what they have shown once more."""
    for _ in range(4):
        await village.make_post(village.bora)
    first = (await village.program.json("GET", "/api/posts?limit=2"))["items"]
    await village.make_post(village.bora)
    shifted = (await village.program.json("GET", "/api/posts?limit=4"))["items"][2:]
    assert {each["id"] for each in first} & {each["id"] for each in shifted}
