"""What can happen to a server, its clients and its database, each on every set-up.

Redis that dies and databases that are locked or killed have modules of their own beside this one;
stops under load are in `tests/journeys/test_stopped_servers.py`.
"""

import asyncio
import contextlib
import json
import secrets
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from websockets.exceptions import ConnectionClosed

from tests import forms
from tests.crowd import token_of
from tests.faults.conftest import on_all, on_many
from tests.faults.posting import fill, post, request_of, shown, unique
from tests.faults.sites import Site, spread
from tests.live.clients import listening
from tests.visitors import plain, visiting

POLL_SECONDS = 1.2
SHUTDOWN_SECONDS = 5.0


# --- A worker is killed ------------------------------------------------------------------------


@on_all
async def test_post_of_a_worker_that_died_before_the_commit_is_repeated_with_its_key(
    own_site: Site,
) -> None:
    token, key, body = await token_of(own_site.server, "mina"), secrets.token_hex(16), "only once"
    async with own_site.locked(), plain(own_site.server, request_of(token, body, key)) as asking:
        killed = await own_site.server_of(asking.writer.get_extra_info("sockname")[1])
        await own_site.kill(killed)
        assert await asking.answer() == 0, "it is not known whether it was written"
    await own_site.complete()
    assert await own_site.rows(f"SELECT id FROM post WHERE body = '{body}'") == []
    first = await post(own_site.server, token, body, key)
    assert await post(own_site.server, token, body, key) == first
    assert len(await own_site.rows(f"SELECT id FROM post WHERE body = '{body}'")) == 1


@on_many
@pytest.mark.parametrize("env", [{"MICROBLOG_BELL": "memory"}], ids=["no bell between processes"])
async def test_event_of_a_worker_that_died_before_it_rang_is_found_by_the_others(
    own_site: Site,
) -> None:
    token = await token_of(own_site.server, "mina")
    async with AsyncExitStack() as stack:
        clients = await spread(stack, own_site, 6, topics="explore")
        words = request_of(token, "its worker died", secrets.token_hex(16))
        asking = await stack.enter_async_context(plain(own_site.server, words))
        author = await own_site.server_of(asking.writer.get_extra_info("sockname")[1])
        assert await asking.answer() == 201
        acknowledged = time.monotonic()
        await own_site.kill(author)
        others = [client for client, pid in clients.items() if pid != author]
        assert others
        for client in others:
            assert (await client.item("post.published"))["body"] == "its worker died"
        late = time.monotonic() - acknowledged
    print(f"{own_site.setup}: shown {late:.2f} s after the acknowledgement")
    assert late <= forms.at_most(POLL_SECONDS)


@on_all
async def test_socket_of_a_killed_worker_resumes_without_a_gap(own_site: Site) -> None:
    token = await token_of(own_site.server, "mina")
    async with AsyncExitStack() as stack:
        clients = await spread(stack, own_site, 4, topics="explore")
        seen = await post(own_site.server, token, "before")
        for client in clients:
            await shown(client, seen)
        victim = next(iter(clients))
        await own_site.kill(clients[victim])
        with contextlib.suppress(ConnectionClosed):
            await victim.frame()
        await own_site.complete()
        missed = [await post(own_site.server, token, f"missed {number}") for number in range(3)]
        position = {"since": victim.cursor, "epoch": victim.epoch}
        back = await stack.enter_async_context(
            listening(own_site.live_url, topics="explore", **position)
        )
        await shown(back, missed[-1])
        assert [item["data"]["id"] for item in back.items] == missed
        for client, pid in clients.items():
            if pid != clients[victim]:
                await shown(client, missed[-1])
                assert [item["data"]["id"] for item in client.items] == [seen, *missed]


# --- Clients that are slow, silent, or far behind ----------------------------------------------


@asynccontextmanager
async def deaf(site: Site, since: str) -> AsyncIterator[socket.socket]:
    """Open a connection that asks for much and reads nothing."""
    words = [
        f"GET /live?topics=explore&since={since} HTTP/1.1",
        "Host: localhost",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: microblog.html.v1",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    with socket.socket() as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        opened.connect(("127.0.0.1", site.server.port))
        opened.sendall("\r\n".join((*words, "", "")).encode())
        yield opened


async def test_slow_client_is_cut_off_and_delays_nobody(site: Site) -> None:
    token = await token_of(site.server, unique("slow"))
    first = await post(site.server, token, "한" * 500)
    await fill(site, first, 4000)
    async with (
        listening(site.live_url, topics="explore") as client,
        deaf(site, first) as stuck,
    ):
        port = stuck.getsockname()[1]
        await site.server_of(port)
        began, waits = time.monotonic(), []
        while site.serves(port):
            asked = time.monotonic()
            await shown(client, await post(site.server, token, "still quick"))
            waits.append(time.monotonic() - asked)
            assert time.monotonic() - began < 30
            await asyncio.sleep(0.02)
        lasted = time.monotonic() - began
    print(f"{site.setup}: cut off after {lasted:.1f} s; others waited {max(waits):.3f} s at most")
    assert lasted > 1, "it was cut off for being slow, not at once"
    assert max(waits) < forms.at_most(2)


async def test_client_far_behind_is_told_to_load_anew_and_a_nearer_one_is_not(site: Site) -> None:
    token = await token_of(site.server, unique("far"))
    seen = await post(site.server, token, "seen")
    await site.rows(
        "INSERT INTO event (kind, actor_id, user_id, ref_id, created_at) "
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
        "SELECT 'post.deleted', 0, NULL, 0, (SELECT max(created_at) FROM event) FROM n"
    )
    near = await post(site.server, token, "near")
    async with listening(site.live_url, topics="explore", since=seen) as client:
        assert (await client.frame())["reason"] == "behind"
        await shown(client, await post(site.server, token, "and it goes on"), 30)
    async with listening(site.live_url, topics="explore", since=str(int(near) - 1)) as client:
        assert (await client.frame_of("events"))["items"][0]["data"]["id"] == near


# --- The end of a server -----------------------------------------------------------------------


@on_all
async def test_stop_tells_every_socket_answers_requests_and_takes_five_seconds_at_most(
    own_site: Site,
) -> None:
    server = own_site.server
    assert server.process is not None
    async with visiting(server, 30) as visitors:
        began = time.monotonic()
        server.process.terminate()
        assert await visitors.close_codes() == {1012}
        told = time.monotonic() - began
        assert await visitors.finish_asking() == 201
        assert await asyncio.to_thread(server.process.wait, 30) == 0
    took = time.monotonic() - began
    print(f"{own_site.setup}: sockets closed after {told:.2f} s, ended after {took:.2f} s")
    assert took <= SHUTDOWN_SECONDS
    assert "Traceback" not in server.output()


# --- Bad input ---------------------------------------------------------------------------------


async def close_code(site: Site, *frames: bytes | str) -> int | None:
    """Say something on a new connection, and return the code with which it is closed."""
    async with listening(site.live_url, topics="explore", ping_interval=None) as client:
        with contextlib.suppress(ConnectionClosed):
            for frame in frames:
                await client.say(frame)
            while True:
                await client.frame(10)
        return client.socket.close_code


MANY_TOPICS = [json.dumps({"type": "subscribe", "topic": f"tag:t{n}"}) for n in range(51)]
CHATTER = ['{"type": "heartbeat"}'] * 121


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (["garbage"], 4002),
        ([b"\x00\x01"], 4002),
        (['{"type": "subscribe", "topic": "user:x"}'], 4002),
        (MANY_TOPICS, 1008),
        (['"' + "x" * 4095 + '"'], 1009),
        ([b"x" * 100_000], 1009),
    ],
    ids=["no JSON", "binary", "no topic", "too many topics", "4097 bytes", "binary, 100,000 bytes"],
)
async def test_bad_input_closes_with_its_code(
    site: Site, frames: list[bytes | str], code: int
) -> None:
    assert await close_code(site, *frames) == code


async def test_text_that_is_not_utf8_closes_with_1007(site: Site) -> None:
    async with listening(site.live_url, topics="explore") as client:
        await client.socket.send(b"\xff\xfe", text=True)
        assert await client.close_code() == 1007


async def test_more_than_120_frames_in_a_minute_close_with_4008(site: Site) -> None:
    async with listening(site.live_url, topics="explore") as client:
        with contextlib.suppress(ConnectionClosed):
            for frame in CHATTER:
                await client.say(frame)
                await asyncio.sleep(0.001)
        assert await client.close_code() == 4008


async def test_bad_input_of_one_disturbs_nobody_else(site: Site) -> None:
    token = await token_of(site.server, unique("calm"))
    async with listening(site.live_url, topics="explore") as calm:
        port = calm.port
        before = await site.server_of(port)
        await asyncio.gather(*(close_code(site, "garbage") for _ in range(20)))
        await shown(calm, await post(site.server, token, "as if nothing was"))
        assert await site.server_of(port) == before
