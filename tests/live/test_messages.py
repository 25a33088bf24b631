"""Private messages on live connections: for their two people, and for nobody else."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from microblog.actions import follows, messages
from microblog.actions.messages import Choices, Letter
from microblog.core.events import user_changed
from microblog.database import Database
from microblog.live import whispers
from microblog.models import User
from microblog.queries import events
from microblog.queries.messages import MessageRow
from microblog.render.frames import HTML_FORM
from tests.backends.hearing import listening as hearing
from tests.conftest import all_databases, both_databases
from tests.live.clients import LiveClient, listening
from tests.people import MakeUser, session_cookie
from tests.serving import Serving

SECRET = "nobody else reads this"


def now() -> datetime:
    return datetime.now(UTC)


async def send(database: Database, sender: User, other: User, body: str = SECRET) -> MessageRow:
    async with database.write() as tx:
        return await messages.send(tx, sender, other, Letter(body), now())


@all_databases
async def test_both_people_are_told_and_nobody_else(
    server: Serving, database: Database, make_user: MakeUser
) -> None:
    mina, jun, eve = [await make_user(name) for name in ("mina", "jun", "eve")]
    cookies = [await session_cookie(database, server.app, user) for user in (mina, jun, eve)]
    async with (
        listening(server.live_url, cookie=cookies[0]) as at_mina,
        listening(server.live_url, cookie=cookies[1]) as at_jun,
        listening(server.live_url, cookie=cookies[2], topics="home,explore") as at_eve,
        listening(server.live_url, topics="explore,user:1,user:2") as stranger,
    ):
        row = await send(database, mina, jun)
        told, mine = await at_jun.item("message"), await at_mina.item("message")
        assert told["message"]["body"] == SECRET
        assert (told["message"]["mine"], mine["message"]["mine"]) == (False, True)
        assert (told["unread_count"], mine["unread_count"]) == (1, 0)
        assert told["conversation"]["with"]["username"] == "mina"
        async with database.write() as tx:
            await messages.mark_read(tx, jun, mina, row.id, now())
        assert (await at_jun.item("conversation"))["unread_count"] == 0
        seen = await at_mina.item("conversation")
        assert seen["conversation"]["seen_to"] == str(row.id)
        async with database.write() as tx:
            await messages.delete_message(tx, mina, row.id, jun.id)
        assert (await at_mina.item("message.deleted"))["id"] == str(row.id)
        assert (await at_mina.item("conversation"))["conversation"]["last"] is None
        # What comes after it is here, and nothing of it came before.
        await send(database, eve, eve_friend := await make_user("friend"), "for another")
        await at_eve.item("message")
        async with database.write() as tx:
            await follows.follow(tx, eve_friend, jun, now())
        await stranger.item("user.changed")
        for client in (at_eve, stranger):
            assert SECRET not in json.dumps(client.items)
        assert [item["kind"] for item in at_jun.items].count("message") == 1


@both_databases
async def test_who_was_away_gets_what_is_so_now(
    server: Serving, database: Database, make_user: MakeUser
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    cookie = await session_cookie(database, server.app, jun)
    async with listening(server.live_url, cookie=cookie) as client:
        await send(database, mina, jun, "seen")
        await client.item("message")
        cursor, epoch = client.cursor, client.epoch
    deleted = await send(database, mina, jun, "deleted meanwhile")
    kept = await send(database, mina, jun, "missed <b>")
    async with database.write() as tx:
        await messages.delete_message(tx, jun, deleted.id, mina.id)
    how: dict[str, Any] = {"cookie": cookie, "since": cursor, "epoch": epoch, "form": HTML_FORM}
    async with listening(server.live_url, **how) as client:
        missed = await client.item("message")
        assert missed["id"] == str(kept.id)
        assert missed["unread_count"] == 2
        assert "missed &lt;b&gt;" in missed["html"]
        assert 'class="badge-count"><b>2</b>' in missed["line"]
        assert (await client.item("message.deleted"))["id"] == str(deleted.id)
        last = await client.item("conversation")
        assert last["unread_count"] == 2
        assert "missed" in last["line"]
    assert "deleted meanwhile" not in json.dumps(client.items)


@both_databases
async def test_typing_reaches_the_other_and_other_processes(
    server: Serving, database: Database, make_user: MakeUser
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    cookies = [await session_cookie(database, server.app, user) for user in (mina, jun)]
    told = {"type": "typing", "from": str(mina.id)}
    async with (
        hearing(server.runtime.settings) as elsewhere,
        listening(server.live_url, cookie=cookies[0]) as at_mina,
        listening(server.live_url, cookie=cookies[1]) as at_jun,
    ):
        heard: asyncio.Queue[str] = asyncio.Queue()
        elsewhere.whispers.heard = heard.put_nowait
        await settled(database, at_jun, mina)
        before = await head(database)
        await at_mina.say({"type": "typing", "to": str(jun.id)})
        assert await at_jun.frame_of("typing") == told
        async with asyncio.timeout(5):
            assert await heard.get() == f"typing {mina.id} {jun.id}"
        await elsewhere.whisper("no such words")
        await elsewhere.whisper(f"typing {mina.id} {jun.id}")
        assert await at_jun.frame_of("typing") == told
        assert await head(database) == before, "a whisper is not of the log"


async def settled(database: Database, client: LiveClient, user: User) -> None:
    """Wait until a connection hears what is published."""
    await client.say({"type": "subscribe", "topic": f"user:{user.id}"})
    await client.frame_of("subscribed")
    async with database.write() as tx:
        tx.announce(user_changed(user.id))
    await client.item("user.changed")


async def head(database: Database) -> int:
    async with database.read() as read:
        return (await events.head(read)).cursor


@pytest.mark.parametrize("why", ["turned off here", "turned off there", "unwelcome", "stranger"])
async def test_who_may_not_see_it_is_not_told_of_typing(
    server: Serving, database: Database, make_user: MakeUser, why: str
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    silent = Choices("all", read_marks=True, typing_shown=False)
    closed = Choices("nobody", read_marks=True, typing_shown=True)
    choices = {
        "turned off here": (mina, silent),
        "turned off there": (jun, silent),
        "unwelcome": (jun, closed),
    }
    if why in choices:
        async with database.write() as tx:
            await messages.choose(tx, *choices[why])
    cookies = [await session_cookie(database, server.app, user) for user in (mina, jun)]
    whispered: list[str] = []
    server.runtime.bell.whispers.heard = whispered.append
    async with listening(
        server.live_url, cookie=None if why == "stranger" else cookies[0]
    ) as client:
        await client.say({"type": "typing", "to": str(jun.id)})
        # What is answered to the next frame is answered after it.
        await client.say({"type": "subscribe", "topic": "explore"})
        await client.frame_of("subscribed")
    assert whispered == []


async def test_typing_is_told_at_most_so_often(
    server: Serving, database: Database, make_user: MakeUser
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    whispered: list[str] = []
    server.runtime.bell.whispers.heard = whispered.append
    cookie = await session_cookie(database, server.app, mina)
    async with listening(server.live_url, cookie=cookie) as client:
        for _ in range(whispers.MOST + 10):
            await client.say({"type": "typing", "to": str(jun.id)})
        await client.say({"type": "subscribe", "topic": "explore"})
        await client.frame_of("subscribed")
    assert whispers.MOST <= len(whispered) <= whispers.MOST + 2


@pytest.mark.parametrize("to", ["", "mina", "-1", "9" * 19, 7, None])
async def test_typing_to_nobody_closes_the_connection(server: Serving, to: object) -> None:
    async with listening(server.live_url) as client:
        await client.say({"type": "typing", "to": to})
        assert await client.close_code() == 4002
