"""Never a gap, over real sockets: who was away, who has two tabs, and who is caught in between."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import cast

import pytest

from microblog.actions import histories, posts, retention
from microblog.core.events import Event, Kind
from microblog.database import Database
from microblog.live import stream
from microblog.realtime.following import PAGE_BYTES
from microblog.settings import Settings
from tests.conftest import all_databases
from tests.live.clients import LiveClient, listening
from tests.people import MakePost, MakeUser, access_token
from tests.serving import Serving

RESTARTING = 1012


def now() -> datetime:
    return datetime.now(UTC)


async def until(so: Callable[[], bool], seconds: float = 5) -> None:
    """Ask again and again: the hub tells nobody how far it is."""
    async with asyncio.timeout(seconds):
        while not so():
            await asyncio.sleep(0.01)


def position_of(client: LiveClient) -> dict[str, str]:
    """Return what a client remembers, as it says it when it comes back."""
    return {"since": client.cursor, "epoch": client.epoch}


def after_hello(monkeypatch: pytest.MonkeyPatch, do: Callable[[], Awaitable[None]]) -> None:
    """Let something happen between the first frame of a connection and its place in the hub."""
    send = stream.Stream._send

    async def send_and_do(self: stream.Stream, frame: str) -> None:
        await send(self, frame)
        if '"hello"' in frame:
            await do()

    monkeypatch.setattr(stream.Stream, "_send", send_and_do)


# --- Who was away --------------------------------------------------------------------------------


@all_databases
@pytest.mark.parametrize("topic", ["tag:python", "post:"])
async def test_who_was_away_gets_the_post_of_a_topic_from_the_log(
    server: Serving, make_user: MakeUser, make_post: MakePost, topic: str
) -> None:
    """Nobody listened meanwhile, so that the ring has nothing."""
    mina = await make_user()
    async with listening(server.live_url, topics="tag:python") as client:
        known = position_of(client)
    hub = server.runtime.hub
    await until(lambda: not hub.listeners)
    post = await make_post(mina, "about #python")
    await until(lambda: hub.head >= post.id)
    assert hub.ring.floor >= post.id
    name = topic.replace("post:", f"post:{post.id}")
    async with listening(server.live_url, topics=name, **known) as client:
        assert (await client.item("post.published"))["id"] == str(post.id)


@all_databases
@pytest.mark.parametrize("beyond_the_ring", [False, True])
async def test_listener_to_a_tag_gets_what_others_heard_meanwhile(
    server: Serving, make_user: MakeUser, make_post: MakePost, beyond_the_ring: bool
) -> None:
    mina = await make_user()
    hub = server.runtime.hub
    async with listening(server.live_url, topics="explore") as witness:
        async with listening(server.live_url, topics="tag:python") as client:
            known = position_of(client)
        missed = await make_post(mina, "about #python")
        await make_post(mina, "about something else")
        await witness.item("post.published")
        await witness.item("post.published")
        if beyond_the_ring:
            hub.ring.begin(hub.head)  # as if two thousand events had come since
        async with listening(server.live_url, topics="tag:python", **known) as client:
            later = await make_post(mina, "more about #python")
            for expected in (missed, later):
                assert (await client.item("post.published"))["id"] == str(expected.id)


@all_databases
async def test_second_tab_gets_the_notification_too(
    server: Serving,
    settings: Settings,
    database: Database,
    make_user: MakeUser,
    make_post: MakePost,
) -> None:
    """The recipient was away, so the ring holds the notification without what it says."""
    mina, jun = await make_user("mina"), await make_user("jun")
    token = await access_token(database, settings, jun)
    async with listening(server.live_url, token=token) as client:
        known = position_of(client)
    await until(lambda: not server.runtime.hub.listeners)
    async with listening(server.live_url, topics="explore") as witness:
        await make_post(mina, "hello @jun")
        await witness.item("post.published")
        async with (
            listening(server.live_url, token=token, **known) as one,
            listening(server.live_url, token=token, **known) as two,
        ):
            for tab in (one, two):
                assert (await tab.item("notification"))["unread_count"] == 1


async def test_deleted_post_comes_in_no_notification_to_who_is_late(
    server: Serving,
    settings: Settings,
    database: Database,
    make_user: MakeUser,
    make_post: MakePost,
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    token = await access_token(database, settings, jun)
    async with listening(server.live_url, token=token) as here:
        known = position_of(here)
        post = await make_post(mina, "a secret @jun")
        assert "a secret" in json.dumps(await here.item("notification"))
        async with database.write() as tx:
            await posts.delete_post(tx, mina, post.id, now())
        assert (await here.item("notification"))["gone"]
        async with listening(server.live_url, token=token, topics="explore", **known) as late:
            assert await late.item("post.deleted") == {"id": str(post.id)}
            assert "a secret" not in json.dumps(late.items)


async def test_home_brings_who_comes_back_the_same_as_who_stayed(
    server: Serving,
    settings: Settings,
    database: Database,
    make_user: MakeUser,
    make_post: MakePost,
) -> None:
    """A post changes its author's profile too, which is no business of the home feed."""
    mina = await make_user()
    token = await access_token(database, settings, mina)
    async with listening(server.live_url, topics="home", token=token) as stayed:
        known = position_of(stayed)
        first = await make_post(mina, "first")
        await stayed.item("post.published")
        async with listening(server.live_url, topics="home", token=token, **known) as back:
            await back.item("post.published")
            second = await make_post(mina, "second")
            for client in (stayed, back):
                await client.item("post.published")
                shown = [(item["kind"], item["id"]) for item in client.items]
                assert shown == [("post.published", str(post.id)) for post in (first, second)]


# --- Who is caught in between --------------------------------------------------------------------


async def test_client_whose_history_ends_before_it_is_in_the_hub_is_sent_away(
    server: Serving,
    database: Database,
    make_user: MakeUser,
    make_post: MakePost,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The door read the former history; when the client joins, the hub is in the new one."""
    await make_post(await make_user())
    hub = server.runtime.hub

    async def begin_anew() -> None:
        async with database.write() as tx:
            await histories.begin_anew(tx, "another")
        hub.wanted.set()
        await until(lambda: hub.epoch == "another")

    after_hello(monkeypatch, begin_anew)
    async with listening(server.live_url, topics="explore") as client:
        assert await client.close_code() == RESTARTING


async def test_client_that_comes_while_the_server_stops_is_sent_away(
    server: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stop() -> None:
        server.runtime.stopping.set()
        await asyncio.sleep(0)  # whoever closes the connections has had its turn

    after_hello(monkeypatch, stop)
    async with listening(server.live_url, topics="explore") as client:
        assert await client.close_code() == RESTARTING


async def test_tail_that_pruning_has_overtaken_sends_its_listeners_to_load_anew(
    server: Serving,
    database: Database,
    make_user: MakeUser,
    make_post: MakePost,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As after the machine was suspended for days: what the tail had to read is gone."""
    mina = await make_user()
    hub, tail = server.runtime.hub, server.runtime.tail

    async def stand_still() -> None:
        return None

    async with listening(server.live_url, topics="explore") as client:
        await until(lambda: not hub.newcomers)
        catch_up = tail.catch_up
        monkeypatch.setattr(tail, "catch_up", stand_still)
        known = position_of(client)
        for number in range(3):
            await make_post(mina, f"gone {number}")
        async with database.write() as tx:
            await retention.prune(tx, now(), keep_days=7, keep_events=1)
        monkeypatch.setattr(tail, "catch_up", catch_up)
        hub.wanted.set()
        assert await client.close_code() == RESTARTING
    async with listening(server.live_url, topics="explore", **known) as client:
        assert (await client.frame())["reason"] == "expired"
        post = await make_post(mina, "live again")
        assert (await client.item("post.published"))["id"] == str(post.id)


# --- What is read from the log -------------------------------------------------------------------


@all_databases
@pytest.mark.parametrize("for_one", [False, True])
async def test_event_of_an_unknown_kind_stops_neither_the_tail_nor_a_replay(
    server: Serving,
    settings: Settings,
    database: Database,
    make_user: MakeUser,
    make_post: MakePost,
    for_one: bool,
) -> None:
    """A newer program writes to the same database."""
    mina = await make_user()
    how = {"topics": f"user:{mina.id}", "token": await access_token(database, settings, mina)}
    strange = Event(cast("Kind", "post.edited"), mina.id, mina.id if for_one else None)
    async with listening(server.live_url, **how) as client:
        known = position_of(client)
        async with database.write() as tx:
            tx.announce(strange)
        post = await make_post(mina)
        assert (await client.item("post.published", 3))["id"] == str(post.id)
    server.runtime.hub.ring.begin(server.runtime.hub.head)
    async with listening(server.live_url, **how, **known) as client:
        assert (await client.item("post.published"))["id"] == str(post.id)


async def test_frame_read_from_the_log_is_cut_at_64_kib(
    server: Serving, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user()
    family = "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}"
    written = [(await make_post(mina, family * 240)).id for _ in range(60)]
    async with listening(server.live_url, topics="explore", since="0", max_size=None) as client:
        shown: list[str] = []
        while len(shown) < len(written):
            async with asyncio.timeout(5):
                frame = str(await client.socket.recv())
            items = json.loads(frame)["items"]
            assert len(frame.encode()) <= PAGE_BYTES + 1024
            shown += [item["data"]["id"] for item in items if item["kind"] == "post.published"]
    assert shown == [str(post_id) for post_id in written]
