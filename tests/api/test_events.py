"""The log as a page and as server-sent events, with the cursor that `/live` has."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest

from microblog.actions import follows, posts
from microblog.database import Database
from microblog.realtime.following import PAGE_EVENTS
from microblog.settings import Settings
from tests.api.conftest import OpenProgram
from tests.api.programs import Program
from tests.api.streams import reading
from tests.conftest import both_databases
from tests.live.clients import listening
from tests.people import MakePost, MakeUser, access_token
from tests.serving import Serving, serving


def now() -> datetime:
    return datetime.now(UTC)


async def nobody_listens(server: Serving) -> None:
    async with asyncio.timeout(5):
        while server.runtime.hub.listeners or server.runtime.sockets:
            await asyncio.sleep(0.01)


@both_databases
async def test_page_without_a_cursor_says_where_the_log_is_now(
    make_user: MakeUser, make_post: MakePost, program: OpenProgram
) -> None:
    mina = await make_user()
    await make_post(mina)
    page = await (await program(mina)).json("GET", "/api/events")
    assert page["items"] == []
    assert page["resync"] is None
    assert page["_links"]["next"] is None
    assert int(page["cursor"]) > 0


@both_databases
async def test_pages_lead_to_the_end_and_tell_each_event_once(
    make_user: MakeUser, make_post: MakePost, program: OpenProgram
) -> None:
    mina = await make_user()
    caller = await program(mina)
    begin = await caller.json("GET", "/api/events")
    made = [str((await make_post(mina, f"post {n}")).id) for n in range(PAGE_EVENTS + 3)]
    address = f"/api/events?topics=home&since={begin['cursor']}&epoch={begin['epoch']}"
    told: list[str] = []
    pages = 0
    while address:
        page = await caller.json("GET", address)
        told += [one["data"]["id"] for one in page["items"] if one["kind"] == "post.published"]
        address, pages = page["_links"]["next"], pages + 1
    assert told == made
    assert pages >= 2


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"since": "999999999"}, "future"),
        ({"since": "x"}, "malformed"),
        ({"since": "1", "epoch": "another"}, "epoch"),
    ],
)
async def test_position_from_which_nobody_can_go_on_is_told(
    server: Serving,
    settings: Settings,
    database: Database,
    make_user: MakeUser,
    program: OpenProgram,
    asked: dict[str, str],
    reason: str,
) -> None:
    mina = await make_user()
    page = await (await program(mina)).json("GET", "/api/events", query_string=asked)
    assert page["resync"] == reason
    token = await access_token(database, settings, mina)
    async with reading(server.url, token, **asked) as stream:
        event, told = await stream.message()
    assert (event, told["reason"]) == ("resync", reason)


async def test_stranger_and_wrong_topic_are_refused(
    make_user: MakeUser, program: OpenProgram, stranger: Program
) -> None:
    await stranger.problem("GET", "/api/events", 401)
    caller = await program(await make_user())
    refused = await caller.problem("GET", "/api/events?topics=nonsense", 422)
    assert list(refused["errors"]) == ["topics"]


@both_databases
async def test_one_cursor_serves_socket_page_and_stream(
    server: Serving,
    settings: Settings,
    database: Database,
    make_user: MakeUser,
    make_post: MakePost,
    program: OpenProgram,
) -> None:
    mina = await make_user()
    token = await access_token(database, settings, mina)
    async with listening(server.live_url, topics="explore", token=token) as socket:
        first = await make_post(mina, "by socket")
        assert (await socket.item("post.published"))["id"] == str(first.id)
    known = {"since": socket.cursor, "epoch": socket.epoch, "topics": "explore"}
    second = await make_post(mina, "by page")
    page = await (await program(mina)).json("GET", "/api/events", query_string=known)
    published = [one for one in page["items"] if one["kind"] == "post.published"]
    assert [one["data"]["id"] for one in published] == [str(second.id)]
    third = await make_post(mina, "by stream")
    known["since"] = page["cursor"]
    async with reading(server.url, token, **known) as stream:
        assert (await stream.item("post.published"))["id"] == str(third.id)
        fourth = await make_post(mina, "live")
        assert (await stream.item("post.published"))["id"] == str(fourth.id)
    fifth = await make_post(mina, "by socket again")
    known["since"] = stream.last_id
    async with listening(server.live_url, token=token, **known) as socket:
        assert (await socket.item("post.published"))["id"] == str(fifth.id)


async def test_stream_says_what_the_socket_says(
    server: Serving,
    settings: Settings,
    database: Database,
    make_user: MakeUser,
    make_post: MakePost,
) -> None:
    mina, june = await make_user("mina"), await make_user("june")
    token = await access_token(database, settings, mina)
    async with (
        listening(server.live_url, topics="explore", token=token) as socket,
        reading(server.url, token, topics="explore") as stream,
    ):
        post = await make_post(june, "hello @mina")
        for kind in ("post.published", "notification"):
            assert await stream.item(kind) == await socket.item(kind)
        async with database.write() as tx:
            await posts.delete_post(tx, june, post.id, now())
        assert await stream.item("post.deleted") == await socket.item("post.deleted")


async def test_last_event_id_wins_over_the_address(
    server: Serving,
    settings: Settings,
    database: Database,
    make_user: MakeUser,
    make_post: MakePost,
) -> None:
    """A browser that reconnects asks for the same address again."""
    mina = await make_user()
    token = await access_token(database, settings, mina)
    async with reading(server.url, token, topics="explore") as stream:
        begin = stream.last_id
        await make_post(mina, "seen")
        await stream.item("post.published")
    missed = await make_post(mina, "missed")
    async with reading(
        server.url, token, topics="explore", since=begin, last_id=stream.last_id
    ) as again:
        assert (await again.item("post.published"))["id"] == str(missed.id)


async def test_changed_relations_are_told_to_the_home_stream(
    server: Serving, settings: Settings, database: Database, make_user: MakeUser
) -> None:
    mina, june = await make_user("mina"), await make_user("june")
    token = await access_token(database, settings, mina)
    async with reading(server.url, token, topics="home") as stream:
        async with database.write() as tx:
            await follows.follow(tx, mina, june, now())
        async with asyncio.timeout(5):
            while (await stream.message())[0] != "resync":
                pass


@both_databases
async def test_revoked_token_ends_its_stream(
    server: Serving, database: Database, settings: Settings, make_user: MakeUser
) -> None:
    mina = await make_user()
    token = await access_token(database, settings, mina)
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        reading(server.url, token) as stream,
        httpx.AsyncClient(base_url=server.url, headers=headers, trust_env=False) as http,
    ):
        assert (await http.delete("/api/tokens")).status_code == 204
        with pytest.raises(EOFError):
            await stream.item("never")
        assert (await http.get("/api/events")).status_code == 401
    await nobody_listens(server)


async def test_client_that_leaves_leaves_nothing_behind(
    server: Serving, settings: Settings, database: Database, make_user: MakeUser
) -> None:
    token = await access_token(database, settings, await make_user())
    for _ in range(3):
        async with reading(server.url, token):
            assert server.runtime.sockets == 1
        await nobody_listens(server)
    assert server.runtime.requests == 0


async def test_too_many_streams_are_refused(
    settings: Settings, database: Database, make_user: MakeUser
) -> None:
    mina, june = await make_user("mina"), await make_user("june")
    few = replace(settings, sockets_per_person=1, sockets_per_process=2)
    async with serving(few) as server:
        hers = await access_token(database, settings, mina)
        async with reading(server.url, hers):
            assert await status_of(server, hers) == 429
            async with listening(server.live_url):
                assert await status_of(server, await access_token(database, settings, june)) == 503


async def status_of(server: Serving, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, trust_env=False) as http:
        answer = await http.get("/api/events")
    assert int(answer.headers["Retry-After"]) > 0
    return answer.status_code


async def test_quiet_stream_moves_its_position_on(
    settings: Settings, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, june = await make_user("mina"), await make_user("june")
    quick = replace(settings, heartbeat_seconds=1)
    async with serving(quick) as server:
        token = await access_token(database, settings, mina)
        async with reading(server.url, token) as stream:
            post = await make_post(june, "no business of hers")
            async with asyncio.timeout(10):
                async for line in stream._lines:
                    if line.startswith("id: ") and int(line.removeprefix("id: ")) >= post.id:
                        return
    pytest.fail("the position stayed where it was")
