"""Quart's end of a WebSocket, with a bounded inbox: a client that floods us is cut off.

Quart's own queue is unbounded (https://github.com/pallets/quart, `ASGIWebsocketConnection`).
"""

import asyncio
from typing import Any

from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable, WebsocketScope
from quart import Quart
from quart.asgi import ASGIWebsocketConnection

from microblog.edge import drain
from microblog.edge.request import routable
from microblog.live import transport
from microblog.live.inbound import LARGEST_FRAME_BYTES

INBOX_FRAMES = 32
EMPTY_BINARY = b""
TOO_LARGE_FRAME = " " * (LARGEST_FRAME_BYTES + 1)  # stands for one of which nothing was kept


class Inbox:
    """What a client said and nobody has read yet: a tenth of the size of an `asyncio.Queue`."""

    __slots__ = ("_frames", "_reader")

    def __init__(self) -> None:
        self._frames: list[Any] = []
        self._reader: asyncio.Future[None] | None = None

    def put(self, frame: Any) -> bool:
        """Keep a frame; tell whether there was room for it."""
        if len(self._frames) >= INBOX_FRAMES:
            return False
        self._frames.append(frame)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
        return True

    async def get(self) -> Any:
        """Wait for the next frame; one reader at a time."""
        while not self._frames:
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        return self._frames.pop(0)


class BoundedConnection(ASGIWebsocketConnection):
    """Holds a few unread frames of a client, and no more."""

    def __init__(self, app: Quart, scope: WebsocketScope) -> None:
        super().__init__(app, scope)
        self.queue: Any = Inbox()

    async def __call__(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        self.scope["path"] = routable(self.scope["path"])
        if (ending := drain.of(self.app)) is not None:
            ending.enter(send)
        self._transport = transport.transport_of(send)
        transport.guard(send, LARGEST_FRAME_BYTES, self._close_for_size)
        self.scope[transport.SCOPE_KEY] = self._transport  # type: ignore[literal-required]
        await super().__call__(receive, send)

    def _close_for_size(self) -> None:
        """End what the server has closed; it would wait for the client's answer for ever."""
        transport.abort_later(self._transport)
        self.queue.put(TOO_LARGE_FRAME)

    async def handle_messages(self, receive: ASGIReceiveCallable) -> None:
        while True:
            event = await receive()
            if event["type"] == "websocket.receive":
                text = event.get("text")
                frame = text if text is not None else event.get("bytes") or EMPTY_BINARY
                if not self.queue.put(frame):
                    transport.abort_later(self._transport)
                    return  # ends the connection: nobody can read that fast
            elif event["type"] == "websocket.disconnect":
                return
