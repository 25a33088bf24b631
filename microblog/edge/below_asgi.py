"""What is below ASGI where the server is hypercorn: its connections, and the sign that it stops.

Everything of hypercorn's insides that we touch while serving is reached here, each object checked
by its type: `drain` and `live.transport` ask. Under another server the answer is None, and they do
what ASGI alone allows.
"""

import asyncio
from typing import Any

from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.protocol.h2 import H2Protocol
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.protocol.http_stream import HTTPStream
from hypercorn.protocol.ws_stream import WSStream


def connection_of(send: Any) -> TCPServer | None:
    """Return the connection behind an ASGI `send`, or None where it is not one we know."""
    stream = getattr(send, "__self__", None)
    if not isinstance(stream, HTTPStream | WSStream):
        return None
    protocol = getattr(stream.send, "__self__", None)
    if not isinstance(protocol, H11Protocol | H2Protocol):
        return None
    connection = getattr(protocol.send, "__self__", None)
    return connection if isinstance(connection, TCPServer) else None


def transport_of(connection: TCPServer) -> asyncio.WriteTransport:
    """Return the transport of a connection, which other streams may share (HTTP/2)."""
    return connection.writer.transport


def websocket_transport(send: Any) -> asyncio.WriteTransport | None:
    """Return the transport that a WebSocket has for itself (HTTP/1.1), or None."""
    stream = getattr(send, "__self__", None)
    if not isinstance(stream, WSStream):
        return None
    if not isinstance(getattr(stream.send, "__self__", None), H11Protocol):
        return None
    connection = connection_of(send)
    return None if connection is None else transport_of(connection)


def refuse_extensions(send: Any) -> None:
    """Let a WebSocket's handshake accept no extension, where its server is known."""
    stream = getattr(send, "__self__", None)
    if isinstance(stream, WSStream):
        stream.handshake.extensions = None


async def stopped(connection: TCPServer) -> None:
    """Wait until the server of a connection stops accepting."""
    await connection.context.terminated.wait()


async def stop(connection: TCPServer) -> None:
    """Ask the server of a connection to stop, as it does itself after its `max_requests`."""
    context = connection.context
    if isinstance(context, WorkerContext):
        await context.terminate.set()
