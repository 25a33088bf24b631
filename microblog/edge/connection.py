"""Quart's end of an HTTP request: what was begun is finished, also for a client that left.

Quart cancels a handler when its client disconnects. In the middle of a statement that would tear
the connection from SQLAlchemy's hands, and SQLite has only one that writes.
"""

import asyncio
from typing import Any, cast

from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable
from quart import Request
from quart.asgi import ASGIHTTPConnection
from quart.utils import cancel_tasks, raise_task_exceptions

from microblog.edge import drain
from microblog.edge.bodies import CountedBody
from microblog.edge.request import routable

ENDLESS = "microblog.endless"


def goes_on(request: Request) -> None:
    """Say that the answer to a request does not end by itself: it ends when its client leaves."""
    cast("dict[str, Any]", request.scope)[ENDLESS] = True


class FinishingConnection(ASGIHTTPConnection):
    """Lets a handler finish once its request has arrived whole."""

    _arrived = False
    _receiving: "asyncio.Future[None] | None" = None

    async def __call__(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        self.scope["path"] = routable(self.scope["path"])
        ending = drain.of(self.app)
        if ending is None:
            await self._answer(receive, send)
            return
        ending.enter(send, self)
        try:
            await self._answer(receive, send)
        finally:
            ending.leave(self)

    def give_up(self) -> None:
        """Wait no longer for a request that did not arrive whole."""
        if self._receiving is not None and not self._arrived:
            self._receiving.cancel()

    async def _answer(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        request = self._create_request_from_scope(send)
        receiving = asyncio.ensure_future(self.handle_messages(request, receive))
        self._receiving = receiving
        handling = asyncio.ensure_future(self.handle_request(request, send))
        await asyncio.wait([handling, receiving], return_when=asyncio.FIRST_COMPLETED)
        if self._arrived and ENDLESS not in self.scope:
            await asyncio.wait([handling])
        unfinished = {task for task in (handling, receiving) if not task.done()}
        await cancel_tasks(unfinished)
        raise_task_exceptions({handling, receiving} - unfinished)

    async def handle_messages(self, request: Request, receive: ASGIReceiveCallable) -> None:
        while True:
            message = await receive()
            if message["type"] == "http.request":
                request.body.append(message.get("body", b""))
                if not message.get("more_body", False):
                    self._arrived = True
                    request.body.set_complete()
                elif isinstance(request.body, CountedBody):
                    await request.body.may_come()
            elif message["type"] == "http.disconnect":
                return
