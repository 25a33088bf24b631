"""How a connection of `/live` ends: bad frames, silence, revoked sessions, limits, restarts."""

import asyncio
import contextlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from microblog.actions import sessions
from microblog.database import Database
from microblog.live import stream
from microblog.models import User
from microblog.render.frames import JSON_FORM
from microblog.settings import Settings
from tests.conftest import both_databases
from tests.live.clients import LiveClient, listening, turned_away
from tests.people import MakePost, MakeUser, access_token, session_cookie
from tests.serving import Serving, serving


def now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("garbage", 4002),
        ("[]", 4002),
        ('{"type":"dance"}', 4002),
        ('{"type":[]}', 4002),
        ('{"type":{}}', 4002),
        ('{"type":null}', 4002),
        ('{"type":"subscribe"}', 4002),
        ('{"type":"subscribe","topic":[]}', 4002),
        ('{"type":"unsubscribe","topic":{}}', 4002),
        ('{"type":"subscribe","topic":"user:x"}', 4002),
        ("[" * 2000, 4002),
        (b"\x00\x01", 4002),
        (b"", 4002),
        ('"' + "x" * 5000 + '"', 1009),
    ],
)
async def test_bad_frame_closes_with_its_code(
    server: Serving, said: str | bytes, code: int
) -> None:
    async with listening(server.live_url, topics="explore") as client:
        await client.say(said)
        assert await client.close_code() == code
    async with listening(server.live_url, topics="explore"):
        pass  # the server is well


async def test_chatterbox_is_closed_with_4008(server: Serving) -> None:
    async with listening(server.live_url) as client:
        with contextlib.suppress(ConnectionClosed):
            for _ in range(150):  # the minute goes on meanwhile, so a few more than 120
                await client.say({"type": "heartbeat"})
                await asyncio.sleep(0.001)
        assert await client.close_code() == 4008


async def test_flood_that_nobody_can_read_ends_the_connection(server: Serving) -> None:
    async with listening(server.live_url) as client:
        with contextlib.suppress(ConnectionClosed):
            for _ in range(20_000):
                await client.say({"type": "heartbeat"})
        assert await client.close_code() is not None
    async with listening(server.live_url):
        pass


async def test_silent_client_is_closed_with_4009(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "SILENCE_SECONDS", 3.5)
    async with (
        serving(replace(settings, heartbeat_seconds=1)) as server,
        listening(server.live_url) as silent,
        listening(server.live_url) as alive,
    ):
        for _ in range(3):
            await alive.frame_of("heartbeat")
            await alive.say({"type": "heartbeat"})
        assert await silent.close_code(8) == 4009
        await alive.frame_of("heartbeat")


@both_databases
async def test_log_out_closes_the_sockets_of_that_session_only(
    server: Serving, database: Database, make_user: MakeUser
) -> None:
    mina = await make_user()
    one = await session_cookie(database, server.app, mina)
    other = await session_cookie(database, server.app, mina)
    async with (
        listening(server.live_url, topics="home", cookie=one) as first,
        listening(server.live_url, topics="home", cookie=other) as second,
    ):
        async with database.write() as tx:
            await sessions.revoke(tx, mina.id, 1)
        assert await first.close_code(3) == 4001
        await second.say({"type": "subscribe", "topic": "explore"})
        await second.frame_of("subscribed")


@both_databases
async def test_password_change_closes_every_socket_of_the_person(
    server: Serving, database: Database, settings: Settings, make_user: MakeUser
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    cookie = await session_cookie(database, server.app, mina)
    token = await access_token(database, settings, mina)
    bystander = await session_cookie(database, server.app, jun)
    async with (
        listening(server.live_url, cookie=cookie) as browser,
        listening(server.live_url, token=token) as program,
        listening(server.live_url, cookie=bystander) as other,
    ):
        async with database.write() as tx:
            await sessions.revoke_all(tx, mina.id, now())
        assert await browser.close_code(3) == 4001
        assert await program.close_code(3) == 4001
        await other.say({"type": "subscribe", "topic": "explore"})
        await other.frame_of("subscribed")
    with pytest.raises(InvalidStatus) as refusal:
        async with listening(server.live_url, token=token):
            pass
    assert refusal.value.response.status_code == 401


async def test_connections_of_one_person_are_limited(
    settings: Settings, database: Database, make_user: MakeUser
) -> None:
    mina: User = await make_user()
    async with serving(replace(settings, sockets_per_person=2)) as server:
        cookie = await session_cookie(database, server.app, mina)
        async with (
            listening(server.live_url, cookie=cookie),
            listening(server.live_url, cookie=cookie),
        ):
            assert await turned_away(server.live_url, cookie=cookie) == 1013
        async with listening(server.live_url, cookie=cookie):
            pass


async def test_process_that_is_full_turns_away_and_keeps_whom_it_has(
    settings: Settings, make_user: MakeUser, make_post: MakePost, database: Database
) -> None:
    mina = await make_user()
    async with (
        serving(replace(settings, sockets_per_process=1)) as server,
        listening(server.live_url, topics="explore") as inside,
    ):
        assert await turned_away(server.live_url) == 1013
        database.ring = server.runtime.bell.ring
        post = await make_post(mina)
        assert (await inside.item("post.published"))["id"] == str(post.id)


async def test_handshake_without_our_subprotocol_is_refused(server: Serving) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        async with listening(server.live_url, form="chat"):
            pass
    assert refusal.value.response.status_code == 400


async def test_server_that_stops_says_so(settings: Settings) -> None:
    async with serving(settings) as server:
        opened = await connect(server.live_url, subprotocols=[JSON_FORM])
    assert await LiveClient(opened).close_code() == 1012
