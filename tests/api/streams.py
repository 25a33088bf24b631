"""A client of server-sent events: it reads messages, and remembers the last id."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass
class EventReader:
    """One open stream. `last_id` is what a browser would send when it comes back."""

    answer: httpx.Response
    last_id: str = ""
    epoch: str = ""
    seen: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lines = self.answer.aiter_lines()

    async def message(self, seconds: float = 5) -> tuple[str, Any]:
        """Return the next message with data: its event and what it says."""
        async with asyncio.timeout(seconds):
            event, data = "", ""
            async for line in self._lines:
                name, _, value = line.partition(": ")
                if name == "event":
                    event = value
                elif name == "id":
                    self.last_id = value
                elif name == "data":
                    data = value
                elif not line and data:
                    return event, json.loads(data)
        raise EOFError

    async def item(self, kind: str, seconds: float = 5) -> dict[str, Any]:
        """Return what the next item of a kind says, whatever comes before."""
        async with asyncio.timeout(seconds):
            while True:
                event, item = await self.message(seconds)
                if event == kind:
                    self.seen.append(item)
                    data: dict[str, Any] = item["data"]
                    return data


@asynccontextmanager
async def reading(
    url: str, token: str, *, last_id: str | None = None, **query: str
) -> AsyncIterator[EventReader]:
    """Open a stream until the block ends."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    if last_id is not None:
        headers["Last-Event-ID"] = last_id
    async with (
        httpx.AsyncClient(base_url=url, headers=headers, timeout=30, trust_env=False) as http,
        http.stream("GET", "/api/events", params=query) as answer,
    ):
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        reader = EventReader(answer)
        event, hello = await reader.message()
        assert event == "hello"
        assert hello["cursor"] == reader.last_id
        reader.epoch = hello["epoch"]
        yield reader
