"""WebSocket frames as bytes (RFC 6455, section 5), for the crowd and the smallest of the peers.

Only what the benchmarks need: frames that are not fragmented. Clients mask with zeros, which is
legal and costs neither side anything.
"""

import struct
from collections.abc import Iterator

TEXT = 0x1
PING = 0x9
PONG = 0xA
_FINAL = 0x80
_MASKED = 0x80
_NO_MASK = bytes(4)
END_OF_HEADERS = b"\r\n\r\n"


def request(port: int, path: str, extra: str = "") -> bytes:
    """Return the handshake of a client; `extra` holds further header lines, each with its end."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{extra}\r\n"
    ).encode()


def frame(opcode: int, payload: bytes, *, masked: bool = False) -> bytes:
    """Return one whole frame."""
    size, mask = len(payload), _MASKED if masked else 0
    if size < 126:
        head = struct.pack("!BB", _FINAL | opcode, mask | size)
    elif size < 65536:
        head = struct.pack("!BBH", _FINAL | opcode, mask | 126, size)
    else:
        head = struct.pack("!BBQ", _FINAL | opcode, mask | 127, size)
    return head + (_NO_MASK if masked else b"") + payload


def split(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Yield each whole frame: its opcode, its payload, and where it ends in `data`."""
    start = 0
    while len(data) - start >= 2:
        size, body = data[start + 1] & 0x7F, start + 2
        if size > 125:
            width = 2 if size == 126 else 8
            size = int.from_bytes(data[body : body + width])
            body += width
        if data[start + 1] & _MASKED:
            body += len(_NO_MASK)
        end = body + size
        if end > len(data):
            return
        yield data[start] & 0x0F, data[body:end], end
        start = end
