"""One cursor for three ways along the log, mixed at will: `/live`, pages and server-sent events."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from hypothesis import HealthCheck, example, given
from hypothesis import settings as how
from hypothesis import strategies as some
from sqlalchemy import update

from microblog.database import Database
from microblog.models import History, User
from microblog.settings import Settings
from tests.api.streams import reading
from tests.live.clients import listening
from tests.people import MakePost, MakeUser, access_token
from tests.serving import Serving, serving

Step = tuple[str, int]
WAYS = ("socket", "page", "stream")
STEPS = some.lists(
    some.tuples(some.sampled_from([*WAYS, "write"]), some.integers(1, 3)), min_size=2, max_size=6
)
SECONDS = 20


@dataclass
class Traveller:
    """A program that comes now this way, now that, and goes on from where it was."""

    token: str
    where: dict[str, str] = field(default_factory=dict)
    seen: list[tuple[int, str]] = field(default_factory=list)
    resyncs: list[str] = field(default_factory=list)

    async def come(self, way: str, server: Serving, until: int = 0) -> None:
        """Come one way and read until the position `until`, or a page to its end."""
        ways: dict[str, Callable[[Serving, int], Awaitable[None]]] = {
            "socket": self._by_socket,
            "page": self._by_page,
            "stream": self._by_stream,
        }
        async with asyncio.timeout(SECONDS):
            await ways[way](server, until)

    async def _by_page(self, server: Serving, _until: int) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        async with httpx.AsyncClient(base_url=server.url, headers=headers, trust_env=False) as http:
            asked = {"topics": "explore", **self.where}
            page = (await http.get("/api/events", params=asked)).raise_for_status().json()
        self._take(page["items"])
        self.resyncs += [page["resync"]] if page["resync"] else []
        self.where = {"since": page["cursor"], "epoch": page["epoch"]}

    async def _by_socket(self, server: Serving, until: int) -> None:
        asked: dict[str, Any] = self.where
        async with listening(
            server.live_url, token=self.token, topics="explore", **asked
        ) as socket:
            if self._is_lost(socket.epoch, socket.cursor):
                self.resyncs.append((await socket.frame_of("resync"))["reason"])
            while int(socket.cursor) < until:
                await socket.frame(SECONDS)
        self._take(socket.items)
        self.where = {"since": socket.cursor, "epoch": socket.epoch}

    async def _by_stream(self, server: Serving, until: int) -> None:
        asked = {"topics": "explore", **self.where}
        last = asked.pop("since", None)  # as a browser tells it that comes back
        async with reading(server.url, self.token, last_id=last, **asked) as stream:
            if self._is_lost(stream.epoch, stream.last_id):
                event, told = await stream.message(SECONDS)
                assert event == "resync"
                self.resyncs.append(told["reason"])
            while int(stream.last_id) < until:
                self._take([(await stream.message(SECONDS))[1]])
        self.where = {"since": stream.last_id, "epoch": stream.epoch}

    def _is_lost(self, epoch: str, cursor: str) -> bool:
        """Tell whether the server begins elsewhere than it was asked to."""
        return {**self.where, "since": cursor, "epoch": epoch} != self.where and bool(self.where)

    def _take(self, items: list[dict[str, Any]]) -> None:
        self.seen += [(int(item["id"]), item["kind"]) for item in items]


@dataclass
class Journey:
    """A traveller who begins at the end of the log, and the posts that are written from then on."""

    traveller: Traveller
    begin: dict[str, str]
    author: User
    make_post: MakePost
    written: list[int] = field(default_factory=list)

    async def step(self, server: Serving, step: str, count: int) -> None:
        """Write so many posts, or go on by so many."""
        if step == "write":
            for _ in range(count):
                self.written.append((await self.make_post(self.author, "Hello @mina")).id)
            return
        since = int(self.traveller.where["since"])
        ahead = [post_id for post_id in self.written if post_id > since][:count]
        await self.traveller.come(step, server, ahead[-1] if ahead else 0)

    async def ends_well(self, server: Serving) -> None:
        """Go to the end: all that a fresh reader is told was told once, and in that order."""
        fresh = Traveller(self.traveller.token, self.begin)
        for each in (self.traveller, fresh):
            before = None
            while before != each.where:
                before = each.where
                await each.come("page", server)
        assert self.traveller.seen == fresh.seen
        published = [where for where, kind in fresh.seen if kind == "post.published"]
        assert published == self.written
        assert self.traveller.resyncs == []


async def begun(server: Serving, token: str, author: User, make_post: MakePost) -> Journey:
    """Let somebody set out."""
    traveller = Traveller(token)
    await traveller.come("page", server)
    return Journey(traveller, traveller.where, author, make_post)


async def test_ways_mixed_at_will_tell_each_event_once_and_in_order(
    server: Serving,
    settings: Settings,
    database: Database,
    make_user: MakeUser,
    make_post: MakePost,
) -> None:
    token = await access_token(database, settings, await make_user("mina"))
    june = await make_user("june")
    loop = asyncio.get_running_loop()

    async def travel(steps: list[Step]) -> None:
        journey = await begun(server, token, june, make_post)
        for step in steps:
            await journey.step(server, *step)
        await journey.ends_well(server)

    @how(max_examples=5, suppress_health_check=list(HealthCheck), database=None)
    @given(STEPS)
    @example([("write", 3), ("socket", 1), ("stream", 1), ("write", 1), ("socket", 2)])
    @example([("write", 3), ("stream", 1), ("page", 1), ("write", 2), ("stream", 1)])
    def tries(steps: list[Step]) -> None:
        asyncio.run_coroutine_threadsafe(travel(steps), loop).result(60)

    await asyncio.to_thread(tries)


async def test_cursor_of_each_way_outlives_a_restart_of_the_server(
    settings: Settings, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    token = await access_token(database, settings, await make_user("mina"))
    june = await make_user("june")
    journey = None
    for way in WAYS:
        async with serving(settings) as server:
            database.ring = server.runtime.bell.ring
            journey = journey or await begun(server, token, june, make_post)
            await journey.step(server, "write", 2)
            await journey.step(server, way, 2)
        await journey.step(server, "write", 1)  # while nobody serves
    async with serving(settings) as server:
        assert journey is not None
        await journey.ends_well(server)


async def test_lost_position_is_told_by_each_way_and_the_next_one_goes_on(
    server: Serving,
    settings: Settings,
    database: Database,
    make_user: MakeUser,
    make_post: MakePost,
) -> None:
    token = await access_token(database, settings, await make_user("mina"))
    june = await make_user("june")
    journey = await begun(server, token, june, make_post)
    old = journey.begin
    await journey.step(server, "write", 2)
    async with database.write() as tx:
        await tx.execute(update(History).values(pruned_to=journey.written[-1]))
    lost = {
        "expired": old,
        "future": {**old, "since": "999999999"},
        "malformed": {**old, "since": "next"},
        "epoch": {**old, "epoch": "of another history"},
    }
    for number, way in enumerate(WAYS):
        for reason, where in lost.items():
            traveller = Traveller(token, where)
            await traveller.come(way, server)
            assert traveller.resyncs == [reason]
            post = await make_post(june)
            await traveller.come(WAYS[number - 1], server, post.id)
            assert (post.id, "post.published") in traveller.seen
            assert traveller.resyncs == [reason]
