"""A client of `/live` that behaves as ours do: it keeps its cursor and shows each item once."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect

from microblog.render.frames import JSON_FORM


class LiveClient:
    """One connection; remembers the cursor, the epoch and every item."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.cursor = ""
        self.epoch = ""
        self.items: list[dict[str, Any]] = []
        self._read = 0

    @property
    def port(self) -> int:
        """The port that it is connected from."""
        return int(self.socket.local_address[1])

    async def frame(self, seconds: float = 5) -> dict[str, Any]:
        """Return the next frame."""
        async with asyncio.timeout(seconds):
            frame: dict[str, Any] = json.loads(await self.socket.recv())
        self.cursor = frame.get("cursor", self.cursor)
        self.epoch = frame.get("epoch", self.epoch)
        self.items += frame.get("items", [])
        return frame

    async def frame_of(self, kind: str, seconds: float = 5) -> dict[str, Any]:
        """Return the next frame of a type, whatever comes before."""
        async with asyncio.timeout(seconds):
            while (frame := await self.frame(seconds))["type"] != kind:
                pass
        return frame

    async def item(self, kind: str, seconds: float = 5) -> dict[str, Any]:
        """Return the data of the next unread item of a kind, whatever comes before."""
        async with asyncio.timeout(seconds):
            while True:
                while self._read < len(self.items):
                    item = self.items[self._read]
                    self._read += 1
                    if item["kind"] == kind:
                        data: dict[str, Any] = item["data"]
                        return data
                await self.frame(seconds)

    async def say(self, frame: Any) -> None:
        await self.socket.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    async def close_code(self, seconds: float = 5) -> int | None:
        """Wait for the server to close, and return its code."""
        async with asyncio.timeout(seconds):
            await self.socket.wait_closed()
        return self.socket.close_code


@asynccontextmanager
async def listening(
    url: str,
    *,
    topics: str = "",
    since: str | None = None,
    epoch: str | None = None,
    cookie: str | None = None,
    token: str | None = None,
    form: str = JSON_FORM,
    **how: Any,
) -> AsyncIterator[LiveClient]:
    """Connect and read the first frame."""
    query = {"topics": topics, "since": since, "epoch": epoch} | how.pop("query", {})
    address = f"{url}?{urlencode({k: v for k, v in query.items() if v is not None})}"
    headers = {"Cookie": f"session={cookie}"} if cookie else {}
    protocols = [form] if token is None else [f"bearer.{token}", form]
    async with connect(
        address, subprotocols=protocols, additional_headers=headers, compression=None, **how
    ) as socket:
        client = LiveClient(socket)
        assert (await client.frame())["type"] == "hello"
        yield client


async def turned_away(
    url: str, *, cookie: str | None = None, token: str | None = None
) -> int | None:
    """Connect where there is no room, and return the code that says so."""
    headers = {"Cookie": f"session={cookie}"} if cookie else {}
    protocols = [JSON_FORM] if token is None else [f"bearer.{token}", JSON_FORM]
    async with connect(
        url, subprotocols=protocols, additional_headers=headers, compression=None
    ) as socket:
        async with asyncio.timeout(5):
            await socket.wait_closed()
        return socket.close_code
