"""R8: everybody comes back at once, each a little behind; the log is read for all of them together.

The long form has a thousand clients: `LONG=1 uv run pytest -m R8`.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any

import pytest

from microblog.database import Database
from microblog.queries import events
from microblog.realtime import replay
from microblog.settings import Settings
from tests import forms
from tests.conftest import both_databases
from tests.crowd import token_of
from tests.faults.conftest import on_all
from tests.faults.posting import fill, post
from tests.faults.sites import Site
from tests.live.clients import LiveClient, listening
from tests.people import MakePost, MakeUser
from tests.serving import serving

pytestmark = pytest.mark.R8

CLIENTS = forms.of(300, 1000)
BEHIND = 200
STORM_SECONDS = 10.0
MOST_READS = 10


async def come_back(
    stack: AsyncExitStack, url: str, position: dict[str, str], last: str, gate: asyncio.Semaphore
) -> LiveClient:
    """Connect with a position and read up to a post."""
    async with gate:  # how many handshakes this side makes at a time
        client = await stack.enter_async_context(
            listening(url, topics="explore", open_timeout=60, ping_interval=None, **position)
        )
    async with asyncio.timeout(60):
        while not client.items or client.items[-1]["data"]["id"] != last:
            frame = await client.frame(60)
            assert frame["type"] != "resync", frame
    return client


async def storm(url: str, position: dict[str, str], posts: list[str]) -> float:
    """Let all come back at once and check what each was shown; return how long it took."""
    gate = asyncio.Semaphore(200)
    async with AsyncExitStack() as stack:
        began = time.monotonic()
        back = await asyncio.gather(
            *(come_back(stack, url, position, posts[-1], gate) for _ in range(CLIENTS))
        )
        took = time.monotonic() - began
        for client in back:
            assert [item["data"]["id"] for item in client.items] == posts
    return took


def count(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> list[Any]:
    """Note every call of an asynchronous function in a list."""
    original, calls = getattr(module, name), []

    async def noted(*arguments: Any, **options: Any) -> Any:
        calls.append(arguments)
        return await original(*arguments, **options)

    monkeypatch.setattr(module, name, noted)
    return calls


@both_databases
async def test_all_come_back_at_once_and_the_log_is_read_a_few_times(
    settings: Settings,
    database: Database,
    make_user: MakeUser,
    make_post: MakePost,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The process has just started: it has none of the events that its clients lack."""
    mina = await make_user()
    async with database.read() as read:
        head = await events.head(read)
    posts = [str((await make_post(mina, f"missed {number}")).id) for number in range(BEHIND)]
    pages = count(monkeypatch, replay, "page")
    fills = count(monkeypatch, events, "before")
    async with serving(settings) as server:
        position = {"since": str(head.cursor), "epoch": head.epoch}
        took = await storm(server.live_url, position, posts)
    print(
        f"{CLIENTS} clients back after {took:.2f} s; {len(pages)} + {len(fills)} reads of the log"
    )
    assert len(pages) + len(fills) <= MOST_READS


@on_all
async def test_all_come_back_at_once_to_a_restarted_server(own_site: Site) -> None:
    token = await token_of(own_site.server, "mina")
    async with listening(own_site.live_url) as before:
        position = {"since": before.cursor, "epoch": before.epoch}
    first = await post(own_site.server, token, "missed")
    await fill(own_site, first, BEHIND - 1)
    posts = [str(row[0]) for row in await own_site.rows("SELECT id FROM post ORDER BY id")]
    await asyncio.to_thread(own_site.server.restart)
    took = await storm(own_site.live_url, position, posts)
    print(f"{own_site.setup}: {CLIENTS} clients back after {took:.2f} s")
    assert took <= forms.at_most(STORM_SECONDS)
