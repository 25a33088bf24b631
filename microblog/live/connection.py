"""Quart's end of a WebSocket, with a bounded inbox: a client that floods us is cut off.

Quart's own queue is unbounded (https://github.com/pallets/quart, `ASGIWebsocketConnection`).
"""

import asyncio
from typing import Any

from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable, WebsocketScope
from quart import Quart
from quart.asgi import ASGIWebsocketConnection

from microblog.live import transport

INBOX_FRAMES = 32
EMPTY_BINARY = b""


class BoundedConnection(ASGIWebsocketConnection):
    """Holds a few unread frames of a client, and no more."""

    def __init__(self, app: Quart, scope: WebsocketScope) -> None:
        super().__init__(app, scope)
        self.queue: asyncio.Queue[Any] = asyncio.Queue(INBOX_FRAMES)

    async def __call__(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        transport.refuse_compression(send)
        self._transport = transport.transport_of(send)
        self.scope[transport.SCOPE_KEY] = self._transport  # type: ignore[literal-required]
        await super().__call__(receive, send)

    async def handle_messages(self, receive: ASGIReceiveCallable) -> None:
        while True:
            event = await receive()
            if event["type"] == "websocket.receive":
                text = event.get("text")
                frame = text if text is not None else event.get("bytes") or EMPTY_BINARY
                try:
                    self.queue.put_nowait(frame)
                except asyncio.QueueFull:
                    transport.abort_later(self._transport)
                    return  # ends the connection: nobody can read that fast
            elif event["type"] == "websocket.disconnect":
                return
