"""A server that may open few files, and more connections than that: nobody inside notices."""

import asyncio
import re
import socket
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import httpx
import pytest

from tests.crowd import token_of
from tests.hostile.conftest import running
from tests.hostile.raw import cpu_seconds, open_files
from tests.live.clients import listening, turned_away
from tests.services import AppServer

FILES = 120
STRANGERS = 400
SECONDS = 3.0
MOST_CPU_SECONDS = 0.5  # a loop that spins takes all three
PAGES = ("/auth/login?lang=ko", "/user/mina", "/nowhere", "/explore?before=x")  # none read before


class Narrow(AppServer):
    """A server whose process may open few files, and cannot raise that."""

    def command(self) -> Sequence[str]:
        limit = (
            f"import os, resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, ({FILES},) * 2)"
        )
        return [
            self.python,
            "-c",
            f"{limit}; os.execv(sys.argv[1], sys.argv[1:])",
            *super().command(),
        ]


@pytest.fixture
def narrow(migrated_sqlite: Path) -> Iterator[AppServer]:
    with running(migrated_sqlite, kind=Narrow, MICROBLOG_LOG_LEVEL="warning") as server:
        yield server


async def published(http: httpx.AsyncClient, body: str) -> int:
    """Post, and return the status."""
    return (await http.post("/api/posts", json={"body": body})).status_code


async def crowd(stack: ExitStack, server: AppServer) -> None:
    """Connect more strangers than the server may open files, and wait until it is full."""
    for _ in range(STRANGERS):
        one = stack.enter_context(socket.socket())
        one.setblocking(False)
        one.connect_ex(("127.0.0.1", server.port))
    async with asyncio.timeout(10):
        while open_files(pid_of(server)) < FILES - 20:
            await asyncio.sleep(0.02)


def pid_of(server: AppServer) -> int:
    assert server.process is not None
    return server.process.pid


async def test_connections_beyond_the_files_of_a_process_harm_nobody_inside(
    narrow: AppServer,
) -> None:
    assert "sockets.limited" in narrow.output()
    headers = {"Authorization": f"Bearer {await token_of(narrow, 'mina')}"}
    async with (
        httpx.AsyncClient(base_url=narrow.url, headers=headers, timeout=10) as http,
        listening(f"{narrow.ws_url}/live", topics="explore") as inside,
    ):
        assert await published(http, "before the crowd") == 201
        answers: Counter[int] = Counter()
        pages: Counter[int] = Counter()
        with ExitStack() as strangers:
            await crowd(strangers, narrow)
            used = cpu_seconds(pid_of(narrow))
            await asyncio.sleep(SECONDS)  # nobody asks for anything, but the crowd is at the door
            used = cpu_seconds(pid_of(narrow)) - used
            began = time.monotonic()
            while time.monotonic() - began < SECONDS:
                answers[await published(http, f"within, {time.monotonic()}")] += 1
                for path in PAGES:
                    pages[(await http.get(path)).status_code] += 1
                await asyncio.sleep(0.3)
        print(f"{used:.2f} s of processor in {SECONDS} s; answers {dict(answers)}, {dict(pages)}")
        assert set(answers) <= {201, 503}
        assert set(pages) <= {200, 400, 404, 503}, narrow.output()[-6000:]
        assert used < MOST_CPU_SECONDS
        for _ in range(1 + answers[201]):
            await inside.item("post.published")
        async with asyncio.timeout(15):
            while (narrow.status("/") or 0) != 200:
                await asyncio.sleep(0.1)
        # By a new connection: the one of before may have been idle for too long by now.
        async with httpx.AsyncClient(base_url=narrow.url, headers=headers, timeout=10) as anew:
            assert await published(anew, "after the crowd") == 201
        assert (await inside.item("post.published"))["body"] == "after the crowd"
    assert narrow.running
    assert "request.failed" not in narrow.output()


async def test_live_connections_stop_before_files_run_out(narrow: AppServer) -> None:
    """Whoever comes later is told 1013, and pages still have files left."""
    told = re.search(r'"sockets": (\d+)', narrow.output())
    assert told
    room, url = int(told[1]), f"{narrow.ws_url}/live"
    async with AsyncExitStack() as stack:
        for _ in range(room):
            await stack.enter_async_context(listening(url))
        assert await turned_away(url) == 1013
        for path in ("/", "/explore", "/auth/login", "/nowhere"):
            assert narrow.status(path) in {200, 404}
    async with listening(url):
        pass
