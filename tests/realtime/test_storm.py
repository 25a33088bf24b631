"""Clients that come, go and subscribe while people post: each gets what concerns it, once.

Ring, pages and frames are as small as may be, so that every way in which events reach a client is
taken again and again: pushed, caught up from the ring, read from the log.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from microblog.actions import follows
from microblog.database import Database
from microblog.live import channel
from microblog.models import User
from microblog.queries import events
from microblog.realtime import following, hub, replay, ring, tail
from microblog.settings import Settings
from tests.conftest import both_databases
from tests.live.clients import LiveClient, listening
from tests.people import MakePost, MakeUser, access_token
from tests.serving import serving

PEOPLE = 6
CLIENTS = 30
POSTS = 150
END_SECONDS = 15.0
SMALL: list[tuple[Any, str, float]] = [
    (ring, "RING_EVENTS", 30),
    (hub, "WRITTEN_AT_ONCE", 2),
    (tail, "PAGE_EVENTS", 20),
    (tail, "CROWD", 3),
    (tail, "CROWD_PAUSE_SECONDS", 0.05),
    (replay, "PAGE_EVENTS", 5),
    (channel, "PAGE_EVENTS", 5),
    (following, "PAGE_EVENTS", 5),
]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make everything so small that it is full at once."""
    for module, name, value in SMALL:
        monkeypatch.setattr(module, name, value)


@dataclass
class Published:
    """A post, and whom it concerns."""

    id: int
    author: int
    topics: set[str]
    mentioned: set[int]


@dataclass
class Village:
    """Everybody, what was published, and what has come of it; people are numbers from 0."""

    chance: random.Random
    url: str
    users: list[User]
    tokens: list[str]
    read_by: list[set[int]]
    published: list[Published] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    arrivals: int = 0
    came: asyncio.Event = field(default_factory=asyncio.Event)
    end: int | None = None  # the position up to which everybody is to come

    def user_topic(self, number: int) -> str:
        return f"user:{self.users[number].id}"


class Wanderer:
    """A client that behaves as ours do, and is restless."""

    def __init__(self, village: Village, name: int) -> None:
        chance = village.chance
        self.village = village
        self.name = name
        self.who = chance.choice([None, *range(PEOPLE)])
        offered = ["explore", "tag:a", "tag:b"]
        offered += [village.user_topic(chance.randrange(PEOPLE)) for _ in range(2)]
        offered += [] if self.who is None else ["home"]
        self.topics = dict.fromkeys(chance.sample(offered, chance.randint(0, 2)), 0)
        self.later = [one for one in dict.fromkeys(offered) if one not in self.topics]
        self.position: dict[str, str] = {}
        self.cursor = self.start = 0
        self.got: dict[str, dict[str, Any]] = {}
        self.connections = 0

    @property
    def is_done(self) -> bool:
        return self.village.end is not None and self.cursor >= self.village.end

    async def wander(self) -> None:
        """Come and go until all is over and all has been heard."""
        chance, village = self.village.chance, self.village
        token = None if self.who is None else village.tokens[self.who]
        while not self.is_done:
            topics = ",".join(self.topics)
            async with listening(village.url, topics=topics, token=token, **self.position) as one:
                self._arrive(one)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._patience()):
                        await self._listen(one)
            count = len(village.published) + chance.randrange(30)
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    while village.end is None and len(village.published) < count:
                        await asyncio.sleep(0.01)

    def _patience(self) -> float:
        """Return how long it stays; at the end a heartbeat has to come to the quiet ones too."""
        return END_SECONDS if self.village.end else self.village.chance.random()

    def _arrive(self, client: LiveClient) -> None:
        if not self.connections:
            self.cursor = self.start = int(client.cursor)
            self.topics = dict.fromkeys(self.topics, self.start)
        self.connections += 1
        self.position = {"since": str(self.cursor), "epoch": client.epoch}
        self.village.arrivals += 1
        self.village.came.set()

    async def _listen(self, client: LiveClient) -> None:
        while not self.is_done:
            if self.later and self.village.chance.random() < 0.05:
                await client.say({"type": "subscribe", "topic": self.later.pop()})
            with suppress(TimeoutError):
                frame = await client.frame(0.2)
                self._take(frame)
                if frame["type"] == "heartbeat":
                    await client.say({"type": "heartbeat"})

    def _take(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "resync":
            self.village.wrong.append(f"{self.name} was told to resync: {frame}")
        if frame["type"] == "subscribed":
            self.topics[frame["topic"]] = int(frame["cursor"])
            return
        for item in frame.get("items", []):
            if int(item["id"]) <= self.cursor:
                continue
            if item["id"] in self.got:
                self.village.wrong.append(f"{self.name} was shown {item['id']} twice")
            self.got[item["id"]] = item
        self.cursor = max(self.cursor, int(frame.get("cursor", 0)))
        self.position["since"] = str(self.cursor)

    # --- The reckoning --------------------------------------------------------------------------

    def missed(self) -> list[str]:
        """Say what concerned it and did not come, and what came out of order."""
        told = [one["data"] for one in self.got.values() if one["kind"] == "notification"]
        noted = {data["post"]["id"] for data in told if data.get("post")}
        found = []
        for post in self.village.published:
            if self._has_at(post) and str(post.id) not in self.got:
                found.append(f"{self.name} ({self.who}, {self.topics}) missed {post}")
            if self._is_mentioned_in(post) and str(post.id) not in noted:
                found.append(f"{self.name} ({self.who}) was not told of {post}")
        if [*self.got] != sorted(self.got, key=int):
            found.append(f"{self.name} was told out of order: {[*self.got]}")
        return found

    def _has_at(self, post: Published) -> bool:
        reads = set() if self.who is None else self.village.read_by[self.who]
        topics = post.topics | ({"home"} if post.author in reads else set())
        return any(post.id > since for topic, since in self.topics.items() if topic in topics)

    def _is_mentioned_in(self, post: Published) -> bool:
        mentioned = self.who in post.mentioned and self.who != post.author
        return mentioned and post.id > self.start


async def people_of(
    chance: random.Random, url: str, settings: Settings, database: Database, make_user: MakeUser
) -> Village:
    """Make people, of whom some follow others."""
    users = [await make_user(f"user{number}") for number in range(PEOPLE)]
    tokens = [await access_token(database, settings, user) for user in users]
    village = Village(chance, url, users, tokens, [{number} for number in range(PEOPLE)])
    for reader in range(PEOPLE):
        for author in set(range(PEOPLE)) - {reader}:
            if chance.random() < 0.5:
                async with database.write() as tx:
                    await follows.follow(tx, users[reader], users[author], datetime.now(UTC))
                village.read_by[reader].add(author)
    return village


async def publish(village: Village, make_post: MakePost, count: int) -> None:
    """Write posts, at times as fast as may be, at times only when somebody has come."""
    chance = village.chance
    for number in range(count):
        author = chance.randrange(PEOPLE)
        tags = chance.sample("ab", chance.randint(0, 2))
        mentioned = chance.sample(range(PEOPLE), chance.choice([0, 0, 1, 2]))
        words = [str(number), *(f"#{tag}" for tag in tags), *(f"@user{one}" for one in mentioned)]
        post = await make_post(village.users[author], " ".join(words))
        topics = {"explore", village.user_topic(author), *(f"tag:{tag}" for tag in tags)}
        village.published.append(Published(post.id, author, topics, set(mentioned)))
        if chance.random() < 0.3:
            village.came.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(0.15):
                    await village.came.wait()


@dataclass
class Storm:
    """Lets it all happen: `village = await storm(seed)`."""

    settings: Settings
    database: Database
    make_user: MakeUser
    make_post: MakePost

    async def __call__(self, seed: int, count: int = POSTS) -> Village:
        settings = replace(self.settings, sockets_per_person=100, heartbeat_seconds=1)
        async with serving(settings) as server:
            self.database.ring = server.runtime.bell.ring
            village = await people_of(
                random.Random(seed), server.live_url, settings, self.database, self.make_user
            )
            wanderers = [Wanderer(village, name) for name in range(CLIENTS)]
            wandering = asyncio.gather(*(one.wander() for one in wanderers))
            async with asyncio.timeout(10):
                while village.arrivals < CLIENTS:
                    await asyncio.sleep(0.01)
            await publish(village, self.make_post, count)
            async with self.database.read() as read:
                village.end = (await events.head(read)).cursor
            async with asyncio.timeout(END_SECONDS):
                await wandering
        for one in wanderers:
            village.wrong += one.missed()
        return village


@pytest.fixture
def storm(
    settings: Settings, database: Database, make_user: MakeUser, make_post: MakePost
) -> Storm:
    return Storm(settings, database, make_user, make_post)


@both_databases
@pytest.mark.parametrize("seed", [1, 2])
async def test_nobody_misses_anything_in_a_storm_of_clients(storm: Storm, seed: int) -> None:
    village = await storm(seed)
    assert village.wrong == []
    assert village.arrivals > 3 * CLIENTS  # they did come and go


def nothing_of(original: Callable[..., Any]) -> Callable[..., Any]:
    """Ask as before and answer with nothing."""

    async def asked(*arguments: Any) -> list[Any]:
        await original(*arguments)
        return []

    return asked


async def test_storm_shows_what_is_missed_when_the_log_is_not_read_for_who_is_late(
    storm: Storm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: if nothing is missed here, the test above proves nothing."""
    monkeypatch.setattr(events, "concerning", nothing_of(events.concerning))
    village = await storm(1, POSTS // 2)
    assert any("missed" in one for one in village.wrong)
