"""More requests than a process can work on: 503 at once for the rest, and nothing is left over."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from microblog.database import Database
from microblog.settings import Settings
from tests.people import MakeUser, access_token, session_cookie
from tests.serving import Serving, serving

PLACES = 3
WAIT_SECONDS = 10.0


class Gate:
    """A page that waits until it is let go on."""

    def __init__(self) -> None:
        self.waiting = 0
        self.opened = asyncio.Event()

    async def page(self, **_: Any) -> str:
        self.waiting += 1
        try:
            await self.opened.wait()
        finally:
            self.waiting -= 1
        return "through"

    async def holds(self, count: int) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            while self.waiting != count:
                await asyncio.sleep(0.01)


@pytest.fixture
async def small(settings: Settings) -> AsyncIterator[Serving]:
    """A server that works on three requests at once."""
    async with serving(replace(settings, requests_per_process=PLACES)) as server:
        yield server


@asynccontextmanager
async def full(server: Serving) -> AsyncIterator[Gate]:
    """Let requests take all places until the block ends; each must then be answered."""
    gate = Gate()
    server.app.view_functions["timelines.explore"] = gate.page
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
        held = [asyncio.ensure_future(http.get("/explore")) for _ in range(PLACES)]
        await gate.holds(PLACES)
        try:
            yield gate
        finally:
            gate.opened.set()
            answers = await asyncio.gather(*held)
            assert [answer.text for answer in answers] == ["through"] * PLACES


async def empty(server: Serving) -> bool:
    """Wait until no place is taken."""
    async with asyncio.timeout(WAIT_SECONDS):
        while server.runtime.requests:
            await asyncio.sleep(0.01)
    return True


async def test_more_requests_than_places_are_told_to_come_again(
    small: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    touched = []
    reading = Database.read
    async with full(small), httpx.AsyncClient(base_url=small.url) as http:
        monkeypatch.setattr(Database, "read", lambda self: touched.append(self) or reading(self))
        page = await http.get("/", headers={"Accept-Language": "ko"})
        program = await http.get("/api/posts/1", headers={"Accept-Language": "en"})
        changing = await http.post("/posts", data={"post": "Typed with care"})
        monkeypatch.undo()
    for answer in (page, program, changing):
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert 'lang="ko"' in page.text
    assert json.loads(program.text)["title"] == "Not available just now"
    assert "Typed with care" in changing.text, "what was written comes back"
    assert touched == [], "the database was not asked"
    assert await empty(small)


async def test_health_and_static_files_are_served_though_all_places_are_taken(
    small: Serving,
) -> None:
    async with full(small), httpx.AsyncClient(base_url=small.url) as http:
        for path in ("/healthz", "/readyz", "/static/x/css/microblog.css"):
            assert (await http.get(path)).status_code == 200


async def test_place_is_given_back_however_a_request_ends(
    small: Serving, database: Database, make_user: MakeUser, settings: Settings
) -> None:
    async def broken(**_: Any) -> str:
        raise RuntimeError("by intent")

    small.app.view_functions["timelines.tag"] = broken
    cookie = await session_cookie(database, small.app, await make_user())
    async with httpx.AsyncClient(base_url=small.url, cookies={"session": cookie}) as http:
        for _ in range(PLACES + 1):
            assert (await http.get("/")).status_code == 200
            assert (await http.get("/nowhere")).status_code == 404
            assert (await http.get("/tag/x")).status_code == 500
            assert (await http.post("/posts", content=b"x" * 300_000)).status_code == 403
            assert (await http.delete("/posts")).status_code == 405
    assert await empty(small)


async def test_client_that_leaves_gives_its_place_back(small: Serving) -> None:
    async with full(small) as gate:
        pass
    gate.opened.clear()
    async with httpx.AsyncClient(base_url=small.url) as http:
        for _ in range(PLACES * 2):
            with contextlib.suppress(httpx.TimeoutException):
                await http.get("/explore", timeout=0.05)
    gate.opened.set()
    assert await empty(small)


async def test_senders_that_do_not_get_on_hold_no_place(
    small: Serving, database: Database, make_user: MakeUser, settings: Settings
) -> None:
    """Otherwise a few of them would keep everybody else out."""
    token = await access_token(database, settings, await make_user())
    head = b"POST /api/posts HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{"
    writers = []
    for _ in range(PLACES * 3):
        _, writer = await asyncio.open_connection("127.0.0.1", small.port)
        writer.write(head)
        await writer.drain()
        writers.append(writer)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=small.url, headers=headers) as http:
        answer = await http.post("/api/posts", json={"body": "through"})
    assert answer.status_code == 201
    for writer in writers:
        writer.close()
    assert await empty(small)
