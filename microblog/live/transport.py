"""The way below ASGI: a connection's transport, where the server is hypercorn over HTTP/1.1.

A frame that is ready is written there for a fraction of what the way through the server costs.
And ASGI has no means to cut off a client that takes nothing: its close frame would wait behind
what is not taken. Under other servers, or HTTP/2, `transport_of` is None and the public way is
used.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from microblog.edge import below_asgi

SCOPE_KEY = "microblog.transport"
LINGER_SECONDS = 2.0
IDLE_BYTES = 16 * 1024  # with less than this waiting to be sent, nothing holds a client up


def transport_of(send: Any) -> asyncio.WriteTransport | None:
    """Return the transport behind an ASGI `send`, or None where it is not one we know."""
    return below_asgi.websocket_transport(send)


def found_in(scope: Any) -> asyncio.WriteTransport | None:
    """Return the transport that was put into a connection's scope, if one was."""
    kept: asyncio.WriteTransport | None = scope.get(SCOPE_KEY)
    return kept


def guard(send: Any, most: int, too_large: Callable[[], None]) -> None:
    """Let the handshake accept no extension, and keep no message longer than `most`.

    A compressed frame may unfold into a gigabyte, and compressing costs 100 kB a connection.
    """
    below_asgi.guard(send, most, too_large)


def text_frame(text: str) -> bytes:
    """Return a whole text message of a server, ready for the wire (RFC 6455, section 5.2)."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2) + payload
    return b"\x81\x7f" + size.to_bytes(8) + payload


def is_free(transport: asyncio.WriteTransport | None) -> bool:
    """Tell whether a frame may be written to a connection at once."""
    return (
        transport is not None
        and not transport.is_closing()
        and transport.get_write_buffer_size() < IDLE_BYTES
    )


def abort(transport: asyncio.WriteTransport | None) -> None:
    """Cut a connection off, now; does nothing where its transport is not known."""
    if transport is not None:
        transport.abort()


def abort_later(transport: asyncio.WriteTransport | None) -> None:
    """Cut a connection off that does not close by itself after it was asked to."""
    if transport is not None:
        asyncio.get_running_loop().call_later(LINGER_SECONDS, transport.abort)
