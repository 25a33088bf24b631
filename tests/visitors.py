"""All kinds of connections that may be open when a server is told to stop, and how they end."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from tests.live.clients import LiveClient, listening
from tests.people import PASSWORD
from tests.services import AppServer

LIMIT_SECONDS = 10.0
ACCOUNT = {"username": "visitor", "email": "visitor@example.org", "password": PASSWORD}
BODY = json.dumps(ACCOUNT).encode()
HEADER = b"POST /api/users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
REQUEST = HEADER + f"Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY


@dataclass
class Plain:
    """A connection that says exactly what it is told to."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def answer(self) -> int:
        """Return the status of the next answer, and 0 where the connection ended instead."""
        async with asyncio.timeout(LIMIT_SECONDS):
            try:
                head = await self.reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                return 0
            length = re.search(rb"content-length: (\d+)", head.lower())
            await self.reader.readexactly(int(length[1]) if length else 0)
            return int(head.split()[1])


@asynccontextmanager
async def plain(server: AppServer, said: bytes) -> AsyncIterator[Plain]:
    """Open a connection and say something."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        writer.write(said)
        await writer.drain()
        yield Plain(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@dataclass
class Visitors:
    """Who is connected: listening, idle, in the middle of a header, of a body, of a request."""

    sockets: list[LiveClient]
    idle: Plain
    silent: Plain
    broken_head: Plain
    broken_body: Plain
    asking: Plain

    async def finish_asking(self) -> int:
        """Send the rest of the one request that goes on, and return the answer's status."""
        self.asking.writer.write(REQUEST[-20:])
        return await self.asking.answer()

    async def close_codes(self) -> set[int | None]:
        """Wait until the server has closed all sockets, and return its codes."""
        return set(await asyncio.gather(*(one.close_code(LIMIT_SECONDS) for one in self.sockets)))


@asynccontextmanager
async def visiting(server: AppServer, sockets: int = 20) -> AsyncIterator[Visitors]:
    """Connect in every way that there is."""
    async with AsyncExitStack() as open_now:

        async def say(words: bytes) -> Plain:
            return await open_now.enter_async_context(plain(server, words))

        url = f"{server.ws_url}/live"
        listeners = [
            await open_now.enter_async_context(listening(url, topics="explore"))
            for _ in range(sockets)
        ]
        idle = await say(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert await idle.answer() == 200
        head = await say(HEADER)
        body, asking = await say(REQUEST[:-30]), await say(REQUEST[:-20])
        yield Visitors(listeners, idle, await say(b""), head, body, asking)
