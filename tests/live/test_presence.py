"""People who go while others look: what they wrote leaves every open page, also after a drop."""

import random
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from microblog.actions import departures, follows
from microblog.core.leaving import Left
from microblog.database import Database
from microblog.models import User
from microblog.queries import users
from microblog.render.frames import HTML_FORM
from microblog.settings import Settings
from tests import forms
from tests.conftest import all_databases, both_databases
from tests.live.clients import LiveClient, listening
from tests.people import MakePost, MakeUser, access_token, session_cookie
from tests.serving import Serving

STEPS = forms.of(60, 600)


async def go(database: Database, user: User, why: Left) -> None:
    async with database.write() as tx:
        fresh = await users.of_name(tx, user.username)
        assert fresh is not None
        if why is Left.SELF:
            await departures.deactivate(tx, fresh, datetime.now(UTC))
        elif why is Left.DELETED:
            await departures.delete(tx, fresh, datetime.now(UTC))
        else:
            await departures.suspend(tx, None, fresh, "Spam", datetime.now(UTC))


async def come_back(database: Database, user: User) -> None:
    async with database.write() as tx:
        fresh = await users.of_name(tx, user.username)
        assert fresh is not None
        if fresh.left_because == Left.SUSPENDED:
            await departures.restore(tx, None, fresh, "A mistake", datetime.now(UTC))
        else:
            await departures.come_back(tx, fresh, datetime.now(UTC))


@all_databases
async def test_everyone_is_told_who_goes_and_who_comes_back(
    server: Serving,
    database: Database,
    settings: Settings,
    make_user: MakeUser,
    make_post: MakePost,
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    async with database.write() as tx:
        await follows.follow(tx, jun, mina, datetime.now(UTC))
    post = await make_post(mina, "Hello @jun")
    token = await access_token(database, settings, jun)
    cookie = await session_cookie(database, server.app, mina)
    url = server.live_url
    async with (
        listening(url, cookie=cookie) as own,
        listening(url, topics="explore", form=HTML_FORM) as stranger,
        listening(url, topics="home", token=token) as follower,
        listening(url, token=token) as without_topics,
    ):
        all_of_them = (stranger, follower, without_topics)
        await go(database, mina, Left.SELF)
        assert await own.close_code() == 4001
        for client in all_of_them:
            told = await client.item("user.presence")
            assert (told["id"], told["present"]) == (str(mina.id), False)
        assert (await follower.item("notifications.read"))["unread_count"] == 0
        await come_back(database, mina)
        assert (await stranger.item("user.presence"))["newest"] == str(post.id)
        assert await without_topics.item("user.presence") == {"id": str(mina.id), "present": True}
        assert (await follower.item("notifications.read"))["unread_count"] == 1


@both_databases
@pytest.mark.parametrize("topics", ["explore", "home"])
async def test_who_comes_back_late_never_sees_what_the_absent_wrote(
    topics: str,
    server: Serving,
    database: Database,
    settings: Settings,
    make_user: MakeUser,
    make_post: MakePost,
) -> None:
    """From the log, and from the ring that was filled while the person was there."""
    mina, jun = await make_user("mina"), await make_user("jun")
    async with database.write() as tx:
        await follows.follow(tx, jun, mina, datetime.now(UTC))
    token = await access_token(database, settings, jun)
    async with listening(server.live_url, topics=topics, token=token) as first:
        await first.say({"type": "subscribe", "topic": "tag:x"})
        start = (await first.frame_of("subscribed"))["cursor"]
        await make_post(mina, "A secret @jun")
        assert await first.item("post.published")
        await go(database, mina, Left.SUSPENDED)
        assert not (await first.item("user.presence"))["present"]
        for since in (start, "0"):
            async with listening(
                server.live_url, topics=topics, token=token, since=since, epoch=first.epoch
            ) as late:
                assert not (await late.item("user.presence"))["present"]
            told = [item for item in late.items if "gone" not in item["data"]]
            assert not {item["kind"] for item in told} & {"post.published", "notification"}
            assert "A secret" not in str(late.items)


class Reader:
    """A program that shows Explore, by its first page and the events after it."""

    def __init__(self, server: Serving) -> None:
        self._server = server
        self.shown: dict[str, str] = {}  # the author of each post

    async def load(self) -> None:
        async with httpx.AsyncClient(base_url=self._server.url) as http:
            page = (await http.get("/api/timelines/public?limit=100")).json()
        self.shown = {item["id"]: item["author"]["id"] for item in page["items"]}

    async def take(self, client: LiveClient, last_id: int) -> None:
        """Take all that comes, up to the post with this id."""
        while (await client.item("post.published"))["id"] != str(last_id):
            pass
        for item in client.items:
            await self._take(item["kind"], item["data"])

    async def _take(self, kind: str, data: dict[str, Any]) -> None:
        if kind == "post.published":
            self.shown[data["id"]] = data["author"]["id"]
        elif kind == "post.deleted":
            self.shown.pop(data["id"], None)
        elif kind == "user.presence" and not data["present"]:
            self.shown = {post: who for post, who in self.shown.items() if who != data["id"]}
        elif kind == "user.presence":
            await self.load()


@both_databases
async def test_page_and_events_are_a_fresh_page_whoever_goes_and_comes(
    server: Serving, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    """With drops: the reader is away now and then, and comes back with its cursor."""
    chance = random.Random(6)
    people = [await make_user(f"person_{n}") for n in range(6)]
    witness, gone = await make_user("witness"), set[int]()
    reader, fresh = Reader(server), Reader(server)
    await reader.load()
    where: dict[str, Any] = {}
    left = STEPS
    while left:
        async with listening(server.live_url, topics="explore", **where) as client:
            for _ in range(min(left, chance.randint(1, 6))):
                await step(chance, database, people, gone, make_post)
                left -= 1
            await reader.take(client, (await make_post(witness, "So far")).id)
            await fresh.load()
            assert reader.shown == fresh.shown
        for _ in range(chance.randint(0, 3)):
            await step(chance, database, people, gone, make_post)
        where = {"since": client.cursor, "epoch": client.epoch}
    assert fresh.shown


async def step(
    chance: random.Random,
    database: Database,
    people: list[User],
    gone: set[int],
    make_post: MakePost,
) -> None:
    """Let somebody who is there write or go, or somebody who is gone come back."""
    person = chance.choice(people)
    if person.id in gone:
        await come_back(database, person)
        gone.remove(person.id)
    elif chance.random() < 0.3:
        await go(database, person, chance.choice([Left.SELF, Left.SUSPENDED]))
        gone.add(person.id)
    else:
        await make_post(person, "Hello")
