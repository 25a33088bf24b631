"""`/live` over real sockets: what arrives, from where it resumes, and how it ends."""

import asyncio
import contextlib
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from microblog.actions import follows, notifications, posts, retention, sessions
from microblog.database import Database
from microblog.live import socket as live_socket
from microblog.models import User
from microblog.render.frames import HTML_FORM, JSON_FORM
from microblog.settings import Settings
from tests.conftest import both_databases
from tests.live.clients import LiveClient, listening
from tests.people import MakePost, MakeUser, access_token, session_cookie
from tests.serving import Serving, serving


def now() -> datetime:
    return datetime.now(UTC)


@both_databases
@pytest.mark.smoke
async def test_stranger_sees_a_new_post_at_once(
    server: Serving, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user("mina")
    async with listening(server.live_url, topics="explore") as client:
        post = await make_post(mina, "Hello **world** 한글")
        data = await client.item("post.published", 2)
    assert data["id"] == str(post.id)
    assert data["body"] == "Hello **world** 한글"
    assert data["author"]["username"] == "mina"
    assert "email" not in data["author"]


@both_databases
async def test_home_brings_posts_of_followed_people_and_own_ones_only(
    server: Serving, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, jun, stranger = [await make_user(name) for name in ("mina", "jun", "stranger")]
    async with database.write() as tx:
        await follows.follow(tx, mina, jun, now())
    cookie = await session_cookie(database, server.app, mina)
    async with listening(server.live_url, topics="home", cookie=cookie) as client:
        await make_post(stranger, "not for mina")
        theirs = await make_post(jun, "for mina")
        own = await make_post(mina, "by mina")
        assert (await client.item("post.published"))["id"] == str(theirs.id)
        assert (await client.item("post.published"))["id"] == str(own.id)


@both_databases
async def test_client_that_comes_back_gets_exactly_what_it_missed(
    server: Serving, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user()
    async with listening(server.live_url, topics="explore") as client:
        await make_post(mina, "seen")
        await client.item("post.published")
        cursor, epoch = client.cursor, client.epoch
    missed = [await make_post(mina, f"missed {n}") for n in range(70)]
    async with listening(server.live_url, topics="explore", since=cursor, epoch=epoch) as client:
        after = await make_post(mina, "after")
        expected = [str(post.id) for post in [*missed, after]]
        while len(client.items) < len(expected):
            await client.frame()
        assert [item["data"]["id"] for item in client.items] == expected


async def test_post_that_was_deleted_meanwhile_is_not_shown_again(
    server: Serving, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user()
    post = await make_post(mina, "a secret")
    async with database.write() as tx:
        await posts.delete_post(tx, mina, post.id, now())
    async with listening(server.live_url, topics="explore", since="0") as client:
        assert await client.item("post.deleted") == {"id": str(post.id)}
    assert [item["kind"] for item in client.items] == ["post.deleted"]
    assert "a secret" not in json.dumps(client.items)


@both_databases
async def test_deletion_reaches_every_page_that_may_show_the_post(
    server: Serving, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user()
    for topic in ("explore", "tag:python", f"user:{mina.id}", "post:"):
        post = await make_post(mina, "about #python")
        name = topic.replace("post:", f"post:{post.id}")
        async with listening(server.live_url, topics=name, since=str(post.id)) as client:
            async with database.write() as tx:
                await posts.delete_post(tx, mina, post.id, now())
            assert (await client.item("post.deleted"))["id"] == str(post.id), topic


@both_databases
async def test_follow_notifies_and_changes_counts_and_home(
    server: Serving, database: Database, make_user: MakeUser
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    mina_cookie = await session_cookie(database, server.app, mina)
    jun_cookie = await session_cookie(database, server.app, jun)
    async with (
        listening(server.live_url, topics="home", cookie=mina_cookie) as follower,
        listening(server.live_url, topics=f"user:{jun.id}", cookie=jun_cookie) as followed,
    ):
        async with database.write() as tx:
            await follows.follow(tx, mina, jun, now())
        assert (await follower.frame_of("resync"))["reason"] == "relations"
        assert (await followed.item("user.changed"))["follower_count"] == 1
        told = await followed.item("notification")
        assert (told["kind"], told["unread_count"]) == ("follow", 1)
        async with database.write() as tx:
            await notifications.mark_read(tx, jun.id, None, now())
        assert (await followed.item("notifications.read"))["unread_count"] == 0


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"since": "1", "epoch": "another"}, "epoch"),
        ({"since": "99999999"}, "future"),
        ({"since": "nonsense"}, "malformed"),
        ({"since": "-1"}, "malformed"),
        ({"since": "9" * 30}, "malformed"),
    ],
)
async def test_impossible_cursor_is_told_to_resync(
    server: Serving, make_user: MakeUser, make_post: MakePost, query: dict[str, str], reason: str
) -> None:
    await make_post(await make_user())
    async with listening(server.live_url, topics="explore", query=query) as client:
        assert (await client.frame())["reason"] == reason


@both_databases
async def test_pruned_cursor_is_told_to_resync_and_goes_on_live(
    server: Serving, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user()
    first = await make_post(mina, "first")
    for n in range(5):
        await make_post(mina, f"{n}")
    async with database.write() as tx:
        limit = await retention.prune(tx, now(), keep_days=7, keep_events=3)
    assert limit > first.id
    async with listening(server.live_url, topics="explore", since=str(first.id)) as client:
        assert (await client.frame())["reason"] == "expired"
        post = await make_post(mina, "live again")
        assert (await client.item("post.published"))["id"] == str(post.id)
    async with listening(server.live_url, topics="explore", since=str(limit)) as client:
        assert (await client.frame_of("events"))["items"]


async def test_client_that_is_too_far_behind_is_told_to_resync(
    server: Serving,
    make_user: MakeUser,
    make_post: MakePost,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("microblog.realtime.replay.FURTHEST_BEHIND", 5)
    mina = await make_user()
    for n in range(4):
        await make_post(mina, f"{n}")
    async with listening(server.live_url, topics="explore", since="0") as client:
        assert (await client.frame())["reason"] == "behind"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("garbage", 4002),
        ("[]", 4002),
        ('{"type":"dance"}', 4002),
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
        for _ in range(121):
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


async def test_heartbeat_moves_the_cursor_of_a_quiet_client(
    settings: Settings, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user()
    async with (
        serving(replace(settings, heartbeat_seconds=1)) as server,
        listening(server.live_url, topics="tag:nothing") as client,
    ):
        post = await make_post(mina)
        while int((await client.frame_of("heartbeat"))["cursor"]) < post.id:
            await client.say({"type": "heartbeat"})


async def test_silent_client_is_closed_with_4009(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_socket, "SILENCE_SECONDS", 1.5)
    async with (
        serving(replace(settings, heartbeat_seconds=1)) as server,
        listening(server.live_url) as silent,
        listening(server.live_url) as alive,
    ):
        for _ in range(3):
            await alive.frame_of("heartbeat")
            await alive.say({"type": "heartbeat"})
        assert await silent.close_code() == 4009
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


async def test_subscribed_topic_brings_events_and_unsubscribed_brings_none(
    server: Serving, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user()
    async with listening(server.live_url) as client:
        await make_post(mina, "before")
        await client.say({"type": "subscribe", "topic": "tag:Python"})
        assert (await client.frame_of("subscribed"))["topic"] == "tag:python"
        await make_post(mina, "not this")
        post = await make_post(mina, "this #python")
        assert (await client.item("post.published"))["id"] == str(post.id)
        await client.say({"type": "unsubscribe", "topic": "tag:python"})
        await client.say({"type": "subscribe", "topic": "explore"})
        await client.frame_of("subscribed")
        other = await make_post(mina, "that")
        assert (await client.item("post.published"))["id"] == str(other.id)


async def test_markup_comes_in_the_language_of_the_page(
    server: Serving, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user()
    async with (
        listening(server.live_url, topics="explore", form=HTML_FORM, query={"lang": "ko"}) as ko,
        listening(server.live_url, topics="explore", form=HTML_FORM, query={"lang": "en"}) as en,
    ):
        post = await make_post(mina, "<b>bold</b> & more")
        korean = (await ko.item("post.published"))["html"]
        english = (await en.item("post.published"))["html"]
    assert f'id="post-{post.id}"' in english
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; more" in english
    assert "년" in korean
    assert "년" not in english


async def test_one_post_is_rendered_once_for_all_listeners_of_a_language(
    server: Serving,
    make_user: MakeUser,
    make_post: MakePost,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rendered = []
    original = live_socket.frames.as_json.post
    monkeypatch.setattr(
        live_socket.frames.as_json, "post", lambda row: rendered.append(row.id) or original(row)
    )
    mina = await make_user()
    async with (
        listening(server.live_url, topics="explore") as one,
        listening(server.live_url, topics="explore") as two,
        listening(server.live_url, topics=f"user:{mina.id}") as three,
    ):
        post = await make_post(mina)
        for client in (one, two, three):
            await client.item("post.published")
    assert rendered == [post.id]


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
            with pytest.raises(InvalidStatus) as refusal:
                async with listening(server.live_url, cookie=cookie):
                    pass
        assert refusal.value.response.status_code == 503
        async with listening(server.live_url, cookie=cookie):
            pass


async def test_handshake_without_our_subprotocol_is_refused(server: Serving) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        async with listening(server.live_url, form="chat"):
            pass
    assert refusal.value.response.status_code == 400


async def test_server_that_stops_says_so(settings: Settings) -> None:
    async with serving(settings) as server:
        opened = await connect(server.live_url, subprotocols=[JSON_FORM])
    assert await LiveClient(opened).close_code() == 1012
