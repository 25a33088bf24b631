"""The programs in `examples/`, run as their readers run them."""

import asyncio
import functools
import http.server
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.async_api import expect

from tests.crowd import ROOM, token_of
from tests.journeys.browsing import chromium, person
from tests.people import PASSWORD
from tests.services import AppServer

EXAMPLES = Path(__file__).parents[2] / "examples"


async def write(server: AppServer, token: str, body: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, trust_env=False) as client:
        assert (await client.post("/api/posts", json={"body": body})).status_code == 201


async def test_client_prints_each_post_once_though_the_server_is_killed() -> None:
    with AppServer(ROOM) as server:
        token = await token_of(server, "mina")
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, "-u", str(EXAMPLES / "follow.py"), server.url, "mina", PASSWORD),
            stdout=asyncio.subprocess.PIPE,
        )
        assert program.stdout is not None
        try:
            number = 0
            async with asyncio.timeout(30):  # until it is connected it prints nothing
                while True:
                    number += 1
                    await write(server, token, f"before {number}")
                    try:
                        async with asyncio.timeout(1):
                            first = (await program.stdout.readline()).decode()
                        break
                    except TimeoutError:
                        continue
            assert first.startswith("mina: before")
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
            await write(server, token, "while it was away")
            await write(server, token, "at last")
            printed: list[str] = []
            async with asyncio.timeout(60):
                while not printed or "at last" not in printed[-1]:
                    printed.append((await program.stdout.readline()).decode().strip())
            assert printed == ["mina: while it was away", "mina: at last"]
        finally:
            program.terminate()
            await program.wait()


@contextmanager
def another_site(folder: Path) -> Iterator[str]:
    """Serve a folder on a port, and so an origin, of its own."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return None


async def test_page_on_another_site_shows_the_feed_live() -> None:
    with AppServer(ROOM) as server, another_site(EXAMPLES / "page") as site:
        token = await token_of(server, "mina")
        await write(server, token, "written before")
        async with chromium() as browser, person(browser, site) as reader:
            await reader.go("/")
            await reader.page.fill("[name=site]", server.url)
            await reader.page.fill("[name=name]", "mina")
            await reader.page.fill("[name=password]", PASSWORD)
            await reader.page.click("button")
            status, posts = reader.page.get_by_role("status"), reader.page.locator("li")
            await expect(status).to_have_text("Live")
            await expect(posts).to_have_text(["mina: written before"])
            await write(server, token, "written meanwhile")
            await expect(posts).to_have_text(["mina: written meanwhile", "mina: written before"])
            await asyncio.to_thread(server.kill)
            await expect(status).to_have_text("Reconnecting")
            await asyncio.to_thread(server.start)
            await write(server, token, "and after")
            await expect(posts).to_have_count(3, timeout=30_000)
            await write(server, await token_of(server, "june"), "of somebody else")
            headers = {"Authorization": f"Bearer {token}"}
            async with httpx.AsyncClient(base_url=server.url, headers=headers) as client:
                await client.put("/api/me/following/june")
            # Whom one follows has changed, so all is loaded anew.
            await expect(posts.first).to_have_text("june: of somebody else", timeout=30_000)
            await expect(posts).to_have_count(4)
