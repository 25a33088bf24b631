"""Clients that say nothing for long: idle ones, and those whose line is dead.

The fast form shortens the server's patience from 60 s to a few; the long form waits for it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests import forms
from tests.faults.conftest import on_all
from tests.faults.sites import Site
from tests.live.clients import listening

pytestmark = on_all

SILENCE_SECONDS = forms.of(4.0, 60.0)
HEARTBEAT_SECONDS = forms.of(1, 25)
LINGER_SECONDS = 3.0
IMPATIENT = f"""
from microblog.live import stream
stream.SILENCE_SECONDS = {SILENCE_SECONDS}
"""


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "sitecustomize.py").write_text(IMPATIENT)
    return {"PYTHONPATH": str(tmp_path), "MICROBLOG_HEARTBEAT_SECONDS": str(HEARTBEAT_SECONDS)}


class Line:
    """A line between a client and a server that can go dead: neither end hears of it."""

    def __init__(self, server_port: int) -> None:
        self.port = 0
        self.upstream_port = 0
        self.dead = asyncio.Event()
        self.ended = asyncio.Event()
        self._server_port = server_port

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._server_port)
        self.upstream_port = back.get_extra_info("sockname")[1]
        await asyncio.gather(self._pass_on(reader, back), self._pass_on(there, writer))
        self.ended.set()
        back.close()
        writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while words := await reader.read(4096):
                if not self.dead.is_set():
                    writer.write(words)


@asynccontextmanager
async def line_to(site: Site) -> AsyncIterator[Line]:
    """Open a line to a site, at a port of its own."""
    line = Line(site.server.port)
    listener = await asyncio.start_server(line.carry, "127.0.0.1", 0)
    line.port = listener.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        listener.close()


@pytest.mark.limit(240)
async def test_silent_and_half_open_connections_end_and_live_ones_stay(own_site: Site) -> None:
    quiet = {"ping_interval": None, "close_timeout": 1}
    async with (
        line_to(own_site) as line,
        listening(own_site.live_url) as alive,
        listening(own_site.live_url, **quiet) as silent,
        listening(f"ws://127.0.0.1:{line.port}/live", **quiet) as cut,
    ):
        line.dead.set()
        port, began = line.upstream_port, asyncio.get_running_loop().time()
        assert own_site.serves(port)
        codes = asyncio.ensure_future(silent.close_code(2 * SILENCE_SECONDS + 5))
        while not codes.done() or own_site.serves(port):
            await alive.frame_of("heartbeat", 2 * HEARTBEAT_SECONDS + 5)
            await alive.say({"type": "heartbeat"})
            assert asyncio.get_running_loop().time() - began < 2 * SILENCE_SECONDS + 10
        lasted = asyncio.get_running_loop().time() - began
        assert codes.result() == 4009
        assert cut.socket.close_code is None, "its client never heard of it"
        assert own_site.serves(alive.port)
    print(f"{own_site.setup}: both gone after {lasted:.1f} s")
    assert lasted >= SILENCE_SECONDS - 1
