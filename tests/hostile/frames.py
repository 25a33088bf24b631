"""WebSocket frames made by hand, as they should never be; RFC 6455, section 5."""

import asyncio
import os
import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from tests.live.test_transport import HANDSHAKE

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
GOOD = b'{"type":"heartbeat"}'


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    final: bool = True,
    reserved: int = 0,
    masked: bool = True,
    claimed: int | None = None,
    wide: bool = False,
) -> bytes:
    """Make a frame; `claimed` is a length that it has not, `wide` says it in more bytes."""
    length = len(payload) if claimed is None else claimed
    first = (0x80 if final else 0) | (reserved << 4) | opcode
    bit = 0x80 if masked else 0
    if length < 126 and not wide:
        head = struct.pack("!BB", first, bit | length)
    elif length < 65_536:
        head = struct.pack("!BBH", first, bit | 126, length)
    else:
        head = struct.pack("!BBQ", first, bit | 127, length)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


# What is said, and the codes of which one is right.
TABLE: dict[str, tuple[bytes, set[int]]] = {
    "unmasked": (frame(TEXT, GOOD, masked=False), {1002}),
    "reserved bit 1": (frame(TEXT, GOOD, reserved=4), {1002}),
    "reserved bit 2": (frame(TEXT, GOOD, reserved=2), {1002}),
    "reserved bit 3": (frame(TEXT, GOOD, reserved=1), {1002}),
    "unknown opcode 3": (frame(0x3, GOOD), {1002}),
    "unknown opcode 15": (frame(0xF, GOOD), {1002}),
    "continuation of nothing": (frame(0x0, GOOD), {1002}),
    "text within a text": (frame(TEXT, b"{", final=False) + frame(TEXT, GOOD), {1002}),
    "ping in parts": (frame(PING, b"x", final=False), {1002}),
    "ping of 126 bytes": (frame(PING, b"x" * 126), {1002}),
    "close of 126 bytes": (frame(CLOSE, b"\x03\xe8" + b"x" * 124), {1002}),
    "close with one byte": (frame(CLOSE, b"\x03"), {1002}),
    "close with code 1005": (frame(CLOSE, b"\x03\xed"), {1002}),
    "close with code 999": (frame(CLOSE, b"\x03\xe7"), {1002}),
    "close in broken UTF-8": (frame(CLOSE, b"\x03\xe8\xff\xfe"), {1002, 1007}),
    "length in too many bytes": (frame(TEXT, GOOD, wide=True), {1002}),
    "broken UTF-8": (frame(TEXT, b'"\xff\xfe"'), {1007}),
    "UTF-8 broken between parts": (
        frame(TEXT, b'"\xed\x95', final=False) + frame(0x0, b'x"'),
        {1007},
    ),
    "surrogate": (frame(TEXT, b'"\xed\xa0\x80"'), {1007}),
    "too long": (frame(TEXT, b'"' + b"x" * 4096 + b'"'), {1009}),
    "too long in parts": (
        frame(TEXT, b"x" * 3000, final=False) + frame(0x0, b"x" * 3000, final=False),
        {1009},
    ),
    "too many bytes in few letters": (frame(TEXT, b'"' + "한".encode() * 2000 + b'"'), {1009}),
    "not JSON": (frame(TEXT, b"dance"), {4002}),
    "deep": (frame(TEXT, b"[" * 4000), {4002}),
    "binary": (frame(BINARY, GOOD), {4002}),
    "empty": (frame(TEXT), {4002}),
    "too many": (frame(TEXT, GOOD) * 140, {4008, 1008, 1006}),
    "close": (frame(CLOSE, b"\x03\xe8"), {1000}),
    "close without a code": (frame(CLOSE), {1000, 1005}),
    "close with a code of one's own": (frame(CLOSE, b"\x0f\xa0"), {4000, 1000}),
}


def fuzzed(chance: random.Random, count: int) -> bytes:
    """Make frames of which few are good: any opcode, length, bits, bytes and order."""
    made = []
    for _ in range(count):
        kind = chance.random()
        payload = chance.randbytes(chance.choice((0, 1, 2, 20, 125, 126, 300, 4096)))
        if kind < 0.3:
            payload = GOOD
        elif kind < 0.5:
            payload = b'{"type":"subscribe","topic":"tag:%d"}' % chance.randrange(10**6)
        made.append(
            frame(
                chance.choice((0, 1, 1, 1, 2, 8, 9, 9, 10, chance.randrange(16))),
                payload,
                final=chance.random() < 0.8,
                reserved=chance.randrange(8) if chance.random() < 0.05 else 0,
                masked=chance.random() < 0.97,
                claimed=chance.choice((0, 2**16, 2**31, 2**63)) if chance.random() < 0.02 else None,
                wide=chance.random() < 0.05,
            )
        )
    return b"".join(made)


@dataclass
class Ended:
    """How a connection ended: the code of the server's close frame, 1006 where there was none."""

    code: int
    received: int


async def say(port: int, *parts: bytes, seconds: float = 10.0) -> Ended:
    """Shake hands, say the frames, and read until the server closes; raises TimeoutError."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(seconds):
            writer.write(HANDSHAKE)
            answer = await reader.readuntil(b"\r\n\r\n")
            if b" 101 " not in answer:
                raise ConnectionRefusedError(answer)
            sending = asyncio.ensure_future(_send(writer, parts))
            try:
                received = await _read_all(reader)
            finally:
                sending.cancel()
    finally:
        writer.transport.abort()
    return Ended(close_code(received), len(received))


async def _send(writer: asyncio.StreamWriter, parts: Sequence[bytes]) -> None:
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
    except ConnectionError:
        return


async def _read_all(reader: asyncio.StreamReader) -> bytes:
    received = b""
    try:
        while part := await reader.read(65_536):
            received += part
    except ConnectionError:
        pass
    return received


def close_code(received: bytes) -> int:
    """Find the server's close frame among its frames; 1005 for one without a code."""
    at = 0
    while at + 2 <= len(received):
        opcode, length = received[at] & 0x0F, received[at + 1] & 0x7F
        at += 2
        if length == 126:
            length, at = int.from_bytes(received[at : at + 2]), at + 2
        elif length == 127:
            length, at = int.from_bytes(received[at : at + 8]), at + 8
        if opcode == CLOSE:
            return int.from_bytes(received[at : at + 2]) if length >= 2 else 1005
        at += length
    return 1006
