"""What is below ASGI where the server is hypercorn: its connections, and the sign that it stops.

Everything of hypercorn's insides that we touch while serving is reached here, each object checked
by its type: `drain` and `live.transport` ask. Under another server the answer is None, and they do
what ASGI alone allows.
"""

import asyncio
from collections.abc import Callable, Generator
from functools import cache
from typing import Any

from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.protocol.events import StreamClosed
from hypercorn.protocol.h2 import H2Protocol
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.protocol.http_stream import HTTPStream
from hypercorn.protocol.ws_stream import FrameTooLargeError, WebsocketBuffer, WSStream
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import CloseConnection, Event, Message

MOST_PIECES = 100  # of one message, whose parts a slow line may bring one by one


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


def guard(send: Any, most: int, too_large: Callable[[], None]) -> None:
    """Let a WebSocket take no extension and no message longer than `most`, characters or bytes.

    `too_large` is called at the first message that is. Must come before the handshake is accepted;
    does nothing where the server is not known.
    """
    stream = getattr(send, "__self__", None)
    if not isinstance(stream, WSStream):
        return
    handshake, connection = stream.handshake, FrankConnection(ConnectionType.SERVER)
    handshake.extensions = None
    usual = handshake.accept

    def accept(subprotocol: str | None, headers: Any) -> tuple[int, Any, Connection]:
        status, answered, _ = usual(subprotocol, headers)
        return status, answered, connection

    def overflow() -> None:
        connection.hears = False
        too_large()

    handshake.accept = accept  # type: ignore[method-assign,assignment]
    stream.buffer = BoundedBuffer(most, overflow)


class BoundedBuffer(WebsocketBuffer):
    """What has come of a message; of one that is too long, or in too many pieces, nothing is kept.

    Pieces may be empty, and a megabyte of those keeps a processor busy for a second.
    """

    def __init__(self, most: int, overflow: Callable[[], None]) -> None:
        super().__init__(most)
        self._overflow = overflow
        self._is_over = False
        self._pieces = 0

    def clear(self) -> None:
        super().clear()
        self._pieces = 0

    def extend(self, event: Message[Any]) -> None:
        self._pieces += 1
        too_many = self._pieces > MOST_PIECES
        if self._is_over or too_many or self.length + len(event.data) > self.max_length:
            self.clear()
            if not self._is_over:
                self._is_over = True
                self._overflow()
            raise FrameTooLargeError  # the server closes with 1009
        super().extend(event)


class FrankConnection(Connection):
    """Tells a client what was wrong with its frames, where the server would just hang up.

    What comes while it does not hear is dropped: the server would keep it.
    """

    hears = True

    def receive_data(self, data: bytes | None) -> None:
        if self.hears or data is None:
            super().receive_data(data)

    def events(self) -> Generator[Event, None, None]:
        for event in super().events():
            if isinstance(event, CloseConnection) and self._state is ConnectionState.OPEN:
                self._state = ConnectionState.REMOTE_CLOSING  # in which a close is answered
            yield event


async def stopped(connection: TCPServer) -> None:
    """Wait until the server of a connection stops accepting."""
    await connection.context.terminated.wait()


async def stop(connection: TCPServer) -> None:
    """Ask the server of a connection to stop, as it does itself after its `max_requests`."""
    context = connection.context
    if isinstance(context, WorkerContext):
        await context.terminate.set()


@cache
def mend() -> None:
    """Cure once a process what no setting of hypercorn 0.18 can; `factory` calls it.

    Without TLS it lets a client change to HTTP/2: silent ones were then kept for ever, and behind a
    proxy that passes `Upgrade` on, nobody would look at what such a client says any more. And it
    never closed the connection of a handshake that it had refused.
    """
    H11Protocol._check_protocol = _stay  # type: ignore[method-assign, assignment]
    WSStream._send_error_response = _refuse_and_close  # type: ignore[method-assign, assignment]


async def _stay(_protocol: H11Protocol, _event: Any) -> None:
    """Go on in HTTP/1.1, whatever the client would like to speak."""


_refuse = WSStream._send_error_response


async def _refuse_and_close(stream: WSStream, status_code: int) -> None:
    await _refuse(stream, status_code)
    await stream.send(StreamClosed(stream_id=stream.stream_id))


_ASKED = "microblog_asked"


def note_asked(connection: TCPServer) -> None:
    """Remember that a connection has brought a request or handshake to us."""
    setattr(connection.reader, _ASKED, True)


def is_hypercorns(protocol: asyncio.BaseProtocol) -> bool:
    """Tell whether a connection's protocol is one of hypercorn's servers."""
    begin = getattr(protocol, "_client_connected_cb", None)
    return getattr(begin, "__module__", None) == "hypercorn.asyncio.run"


def has_asked(protocol: asyncio.BaseProtocol) -> bool:
    """Tell whether that was noted of the connection of one of them."""
    return hasattr(getattr(protocol, "_stream_reader", None), _ASKED)
