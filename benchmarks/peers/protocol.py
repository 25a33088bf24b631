"""A peer, and the ceiling: an asyncio protocol that does nothing but write a ready frame to all.

No library, no checks, no back-pressure: less than this cannot be done in Python on this loop.
"""

import asyncio
import base64
import hashlib
import re
import sys
from typing import cast

from benchmarks import wire
from benchmarks.loops import run

_KEY = re.compile(rb"sec-websocket-key: *(\S+)", re.IGNORECASE)
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3

listeners: set[asyncio.Transport] = set()


class Client(asyncio.Protocol):
    """One connection: of a listener, or of the one who publishes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self._data = b""
        self._open = False

    def connection_lost(self, error: Exception | None) -> None:
        listeners.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._data += data
        if not self._open:
            head, found, rest = self._data.partition(wire.END_OF_HEADERS)
            if not found:
                return
            self._accept(head)
            self._data = rest
        done = 0
        for opcode, payload, end in wire.split(self._data):
            done = end
            if opcode == wire.TEXT:
                ready = wire.frame(wire.TEXT, payload)
                for transport in listeners:
                    transport.write(ready)
        self._data = self._data[done:]

    def _accept(self, head: bytes) -> None:
        key = _KEY.search(head)
        assert key is not None
        digest = base64.b64encode(hashlib.sha1(key[1] + _GUID).digest())
        self._transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + digest + wire.END_OF_HEADERS
        )
        self._open = True
        if not head.startswith(b"GET /publish "):
            listeners.add(self._transport)


async def main(port: int) -> None:
    """Serve until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Client, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    run(main(int(sys.argv[1])))
