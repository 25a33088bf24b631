"""Clients that go away in the middle of a request leave the server as it was."""

import asyncio
import random

import httpx

from microblog.database import Database
from microblog.settings import Settings
from tests.conftest import both_databases
from tests.people import MakeUser, access_token
from tests.serving import Serving

REQUESTS = 150


async def ask_and_leave(server: Serving, request: bytes, after_seconds: float) -> None:
    """Send a request and close the connection before the answer can be read."""
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request)
    await writer.drain()
    await asyncio.sleep(after_seconds)
    writer.transport.abort()


def post_request(token: str, body: str) -> bytes:
    content = f'{{"body": "{body}"}}'.encode()
    return (
        b"POST /api/posts HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        + f"Authorization: Bearer {token}\r\nContent-Length: {len(content)}\r\n\r\n".encode()
        + content
    )


@both_databases
async def test_writing_goes_on_after_many_left_in_the_middle(
    server: Serving, database: Database, settings: Settings, make_user: MakeUser
) -> None:
    tokens = [await access_token(database, settings, await make_user(f"u{n}xx")) for n in range(10)]
    get = b"GET /explore HTTP/1.1\r\nHost: localhost\r\n\r\n"
    requests = [
        post_request(random.choice(tokens), f"post {n}") if n % 3 else get for n in range(REQUESTS)
    ]
    await asyncio.gather(
        *(ask_and_leave(server, request, random.random() * 0.5) for request in requests)
    )
    async with httpx.AsyncClient(base_url=server.url, timeout=10) as http:
        for number, token in enumerate(tokens):
            answer = await http.post(
                "/api/posts",
                json={"body": f"still here {number}"},
                headers={"Authorization": f"Bearer {token}"},
            )
            assert answer.status_code == 201, answer.text
        assert (await http.get("/explore")).status_code == 200
    pools = [engine.pool for engine in server.runtime.database.engines]
    async with asyncio.timeout(5):  # the tail may be reading just now
        while any(pool.checkedout() for pool in pools):  # type: ignore[attr-defined]
            await asyncio.sleep(0.01)
