"""R9: servers are stopped while people post and read; all are told, and nothing is missed.

The long form stops each server twenty times: `LONG=1 uv run pytest -m R9`.
"""

import asyncio
import contextlib
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from tests import forms
from tests.crowd import ROOM, WRITERS, Reader, Writer, is_stored, token_of
from tests.services import AppServer

STOPS = forms.of(2, 20)
READERS = 30
SECONDS_BETWEEN_STOPS = 1.0
PROMISED_SECONDS = 5.0
LIMIT_SECONDS = 60 + 20 * STOPS

SERVERS = {
    "microblog serve": ((), False),
    "microblog serve, two workers": (("--workers", "2"), False),
    "plain hypercorn": ((), True),
}


@dataclass
class Told(Reader):
    """A reader that remembers with which code it was sent away."""

    codes: Counter[int | None] = field(default_factory=Counter)

    async def _read_from(self, server: AppServer) -> None:
        try:
            await super()._read_from(server)
        except ConnectionClosed as closed:
            self.codes[closed.rcvd.code if closed.rcvd else None] += 1
            raise


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, migrated_sqlite: Path) -> Iterator[AppServer]:
    arguments, hypercorn = SERVERS[request.param]
    made = AppServer(ROOM | {"SECRET_KEY": "r9" * 20}, *arguments, hypercorn=hypercorn)
    (made.folder / "var").mkdir()
    shutil.copy(migrated_sqlite, made.folder / "var" / "microblog.db")
    try:
        yield made.start()
    finally:
        made.close()


async def stop_again_and_again(server: AppServer) -> list[float]:
    """Stop the server and start it again; return the seconds that each stop took."""
    took = []
    for _ in range(STOPS):
        await asyncio.sleep(SECONDS_BETWEEN_STOPS)
        began = time.monotonic()
        assert await asyncio.to_thread(server.terminate) == 0
        took.append(time.monotonic() - began)
        await asyncio.to_thread(server.start)
    return took


@pytest.mark.R9
@pytest.mark.limit(min(LIMIT_SECONDS, 299))
async def test_stopped_server_tells_everybody_and_loses_nothing(server: AppServer) -> None:
    writers = [
        Writer([server], await token_of(server, f"writer{number}")) for number in range(WRITERS)
    ]
    readers = [Told([server]) for _ in range(READERS)]
    reading = [asyncio.ensure_future(reader.read_for_ever()) for reader in readers]
    async with asyncio.timeout(20):
        while not all(reader.connections for reader in readers):
            await asyncio.sleep(0.05)
    stop = asyncio.Event()
    writing = [asyncio.ensure_future(writer.write_until(stop)) for writer in writers]
    took = await stop_again_and_again(server)
    stop.set()
    await asyncio.gather(*writing)
    acknowledged = {post_id for writer in writers for post_id in writer.acknowledged}
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(30):
            while any(reader.shown.keys() < acknowledged for reader in readers):
                await asyncio.sleep(0.1)
    for task in reading:
        task.cancel()
    ends = await asyncio.gather(*reading, return_exceptions=True)
    assert [end for end in ends if not isinstance(end, asyncio.CancelledError)] == []
    print(f"stops took {', '.join(f'{seconds:.2f}' for seconds in took)} s")
    assert max(took) <= PROMISED_SECONDS
    codes = sum((reader.codes for reader in readers), Counter())
    assert set(codes) == {1012}, codes
    assert codes[1012] >= READERS * STOPS
    assert len(acknowledged) > 5
    assert sum(len(acknowledged - reader.shown.keys()) for reader in readers) == 0
    assert [reader for reader in readers if max(reader.shown.values()) > 1] == []
    assert await is_stored(server, sorted(acknowledged))
