"""The way below ASGI: a connection's transport, where the server is hypercorn over HTTP/1.1.

ASGI has no means to cut off a client that takes nothing: its close frame would wait behind what
is not taken. Under other servers, or HTTP/2, `transport_of` is None and the public way is used.
"""

import asyncio
from typing import Any, cast

from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.protocol.ws_stream import WSStream

SCOPE_KEY = "microblog.transport"
LINGER_SECONDS = 2.0


def transport_of(send: Any) -> asyncio.WriteTransport | None:
    """Return the transport behind an ASGI `send`, or None where it is not one we know."""
    stream = getattr(send, "__self__", None)
    if not isinstance(stream, WSStream):
        return None
    protocol = getattr(stream.send, "__self__", None)
    if not isinstance(protocol, H11Protocol):
        return None
    server = getattr(protocol.send, "__self__", None)
    return server.writer.transport if isinstance(server, TCPServer) else None


def refuse_compression(send: Any) -> None:
    """Let the handshake accept no extension.

    A compressed frame may unfold into a gigabyte, and compressing costs 100 kB a connection.
    """
    stream = getattr(send, "__self__", None)
    if isinstance(stream, WSStream):
        stream.handshake.extensions = None


def abort(transport: object) -> None:
    """Cut a connection off, now; does nothing where its transport is not known."""
    if transport is not None:
        cast(asyncio.WriteTransport, transport).abort()


def abort_later(transport: object) -> None:
    """Cut a connection off that does not close by itself after it was asked to."""
    if transport is not None:
        asyncio.get_running_loop().call_later(LINGER_SECONDS, abort, transport)
