"""What the server below us does by itself, and that with our cures it does not, on every set-up.

A misspelt key in `hypercorn.toml` is refused in `tests/cli/test_serve.py`; connections whose line
is dead are found in `test_silent_clients.py`.
"""

import asyncio
import contextlib
import json
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.typing import Origin

from microblog.render.frames import JSON_FORM
from tests import forms
from tests.crowd import ROOM, token_of
from tests.faults.conftest import on_many
from tests.faults.posting import post, shown, unique
from tests.faults.sites import WORKERS, Site, spread
from tests.live.clients import listening
from tests.services import AppServer

FLOOD_SECONDS = forms.of(2.0, 10.0)
FLOODING = 5
MOST_BYTES = 20 * 1024 * 1024
SHUTDOWN_SECONDS = 5.0
HANDSHAKE = (
    "GET /live?topics=explore HTTP/1.1",
    "Host: localhost",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    f"Sec-WebSocket-Protocol: {JSON_FORM}",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


# --- Workers -----------------------------------------------------------------------------------


@on_many
async def test_killed_worker_takes_nobody_with_it_and_is_replaced(own_site: Site) -> None:
    token = await token_of(own_site.server, "mina")
    async with AsyncExitStack() as stack:
        clients = await spread(stack, own_site, 8, topics="explore")
        killed = min(clients.values())
        await own_site.kill(killed)
        others = [client for client, pid in clients.items() if pid != killed]
        seen = await post(own_site.server, token, "the others go on")
        for client in others:
            await shown(client, seen)
        took = await own_site.complete()
        assert len(own_site.workers) == WORKERS
        assert killed not in own_site.workers
        assert all(own_site.serves(client.port) for client in others)
    print(f"{own_site.setup}: replaced after {took:.2f} s")


# --- The end -----------------------------------------------------------------------------------


class SecureServer(AppServer):
    """A server over TLS, with a certificate that it signs itself."""

    def _spawn(self) -> None:
        if not (self.folder / "key.pem").exists():
            words = "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2"
            subject = ("-subj", "/CN=localhost")
            subprocess.run(
                ["openssl", *words.split(), *subject],
                cwd=self.folder,
                check=True,
                capture_output=True,
            )
            file = self.folder / "hypercorn.toml"
            file.write_text('certfile = "cert.pem"\nkeyfile = "key.pem"\n')
        super()._spawn()

    def is_ready(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"https://127.0.0.1:{self.port}/readyz", verify=False).is_success
        return False


@pytest.fixture(params=[(), ("--workers", str(WORKERS))], ids=["one process", "three processes"])
def secure(request: pytest.FixtureRequest) -> Iterator[AppServer]:
    with SecureServer(ROOM, *request.param) as server:
        yield server


async def test_idle_client_over_tls_does_not_hold_up_the_end(secure: AppServer) -> None:
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    reader, writer = await asyncio.open_connection("127.0.0.1", secure.port, ssl=trusting)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert b" 200" in await reader.readline()
    began = time.monotonic()
    assert await asyncio.to_thread(secure.terminate) == 0
    assert time.monotonic() - began <= SHUTDOWN_SECONDS
    writer.transport.abort()


# --- Floods ------------------------------------------------------------------------------------


async def flood(site: Site, words: tuple[bytes, ...], until: float) -> int:
    """Connect, say the first words, then the last ones until the server hangs up or it is time.

    Returns the number of bytes that were said.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", site.server.port)
    said = 0
    try:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            writer.write("\r\n".join((*HANDSHAKE, "", "")).encode())
            assert b" 101" in await reader.readuntil(b"\r\n\r\n")
            reading = asyncio.ensure_future(read_to_the_end(reader))
            for chunk in words[:-1]:
                writer.write(chunk)
            while not reading.done() and time.monotonic() < until:
                writer.write(words[-1])
                said += len(words[-1])
                await asyncio.wait_for(writer.drain(), max(0.01, until - time.monotonic()))
                await asyncio.sleep(0)
    except TimeoutError:
        pass  # the server takes no more just now: that is a bound as well
    finally:
        writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    return said


async def read_to_the_end(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(ConnectionError):
        while await reader.read(65_536):
            pass


async def growth_of(site: Site, words: tuple[bytes, ...]) -> tuple[int, int, int]:
    """Let some clients flood for a while, coming back each time that they are cut off.

    Returns by how many bytes the memory of a worker grew at most, how many were said, and on how
    many connections.
    """
    before, grown = site.resident_bytes(), [0]
    until = time.monotonic() + FLOOD_SECONDS

    async def again_and_again() -> tuple[int, int]:
        said = times = 0
        while time.monotonic() < until:
            said += await flood(site, words, until)
            times += 1
        return said, times

    async def watch() -> None:
        while True:
            now = site.resident_bytes()
            grown.append(max(now[pid] - size for pid, size in before.items()))
            await asyncio.sleep(0.05)

    watching = asyncio.ensure_future(watch())
    done = await asyncio.gather(*(again_and_again() for _ in range(FLOODING)))
    watching.cancel()
    return max(grown), sum(one[0] for one in done), sum(one[1] for one in done)


def frame(opcode: Opcode, data: bytes, *, final: bool = True) -> bytes:
    return Frame(opcode, data, final).serialize(mask=True)


def claim(size: int) -> bytes:
    """Write the head of a text frame of that size, whose mask changes nothing."""
    return b"\x81\xff" + size.to_bytes(8) + bytes(4)


FLOODS = {
    "heartbeats": (frame(Opcode.TEXT, b'{"type": "heartbeat"}') * 1000,),
    "pings": (frame(Opcode.PING, b"x" * 125) * 400,),
    "a frame of a gigabyte": (claim(2**30), b"x" * 65_536),
    "a message without an end": (
        frame(Opcode.TEXT, b"x", final=False),
        frame(Opcode.CONT, b"x" * 4000, final=False) * 16,
    ),
    "empty fragments": (
        frame(Opcode.TEXT, b"", final=False),
        frame(Opcode.CONT, b"", final=False) * 5000,
    ),
}


@pytest.mark.parametrize("words", FLOODS.values(), ids=list(FLOODS))
async def test_flood_fills_no_memory(site: Site, words: tuple[bytes, ...]) -> None:
    token = await token_of(site.server, unique("calm"))
    async with listening(site.live_url, topics="explore") as calm:
        grown, said, times = await growth_of(site, words)
        await shown(calm, await post(site.server, token, "as if nothing was"))
    print(f"{site.setup}: {said / 2**20:.0f} MiB on {times}: + {grown / 2**20:.1f} MiB")
    assert grown <= MOST_BYTES


@pytest.mark.parametrize("pieces", [1, 100], ids=["one frame", "in pieces"])
async def test_oversize_message_closes_with_1009_before_it_is_whole(
    site: Site, pieces: int
) -> None:
    async with listening(site.live_url, topics="explore") as client:
        sent = ["x" * (100_000 // pieces)] * pieces
        never = asyncio.Event()

        async def message() -> AsyncIterator[str]:
            for piece in sent:
                yield piece
            await never.wait()

        saying = asyncio.ensure_future(client.socket.send(message()))
        assert await client.close_code(10) == 1009
        saying.cancel()
        await asyncio.gather(saying, return_exceptions=True)


# --- Handshakes --------------------------------------------------------------------------------


async def test_compression_is_refused(site: Site) -> None:
    async with connect(site.live_url, subprotocols=[JSON_FORM], compression="deflate") as socket:
        assert socket.response is not None
        assert "Sec-WebSocket-Extensions" not in socket.response.headers
        assert '"hello"' in str(await socket.recv())


async def test_page_of_another_site_is_refused_with_the_cookie_of_ours(site: Site) -> None:
    browser = await site.browser(unique("m"))
    cookie = browser.cookies["session"]
    await browser.aclose()
    for origin, status in (
        ("https://evil.example", 403),
        ("null", 403),
        (f"http://127.0.0.1:{site.server.port}", 101),
    ):
        try:
            async with listening(site.live_url, cookie=cookie, origin=Origin(origin)):
                answered = 101
        except InvalidStatus as refused:
            answered = refused.response.status_code
        assert answered == status, origin


# --- The access log ----------------------------------------------------------------------------


async def test_line_of_the_access_log_cannot_be_forged(site: Site) -> None:
    name = unique("forged")
    for path in (
        f'/explore%0A{{"event":"{name}"}}',
        f"/explore%0D%0A{name}",
        f"/explore%E2%80%A8{name}",
        f"/%1B[2J{name}",
    ):
        assert site.server.status(path) == 404
    async with asyncio.timeout(10):
        while site.server.output().count(name) < 4:
            await asyncio.sleep(0.02)
    lines = [line for line in site.server.output().split("\n") if name in line]
    assert len(lines) == 4
    for line in lines:
        assert line.isprintable()
        told = json.loads(line)
        assert told["event"] == "request"
        assert name in told["path"]
