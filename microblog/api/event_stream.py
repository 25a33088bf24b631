"""The log as server-sent events (HTML standard, 9.2), for programs that cannot speak WebSocket.

The items, their order and the cursor are those of `/live`. A message's `id` is the position after
it, so that a client that comes back with `Last-Event-ID` goes on from there.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Iterable, Sequence

from quart.ctx import AppContext

from microblog.core.events import Kind
from microblog.edge import language
from microblog.edge.auth import Visitor
from microblog.queries.events import Delivery
from microblog.realtime.following import Follower
from microblog.realtime.listeners import Listener
from microblog.realtime.replay import Start
from microblog.render import frames
from microblog.render import json as as_json
from microblog.runtime import Runtime

RETRY_MILLISECONDS = 2000
MOST_WHISPERS = 5


class _OneByOne:
    """The channel of readers who fetch for themselves what concerns them."""

    def push(
        self, chosen: Sequence[Delivery], cursor: int, listeners: Iterable[Listener]
    ) -> Collection[Listener]:
        return list(listeners)


class EventStream:
    """One reader: its place in the log, and the text that is sent to it.

    The server asks for the text as fast as the client takes it, so a slow one keeps nothing but
    its cursor.
    """

    channel = _OneByOne()

    def __init__(
        self, now: Runtime, visitor: Visitor, started: Start, topics: Iterable[str]
    ) -> None:
        self._runtime = now
        self._started = started
        self._language = language.current()
        self._woken = asyncio.Event()
        self._has_ended = False
        self._beat_at = time.monotonic() + now.settings.heartbeat_seconds
        self._is_beat_due = False
        self._whispers: list[str] = []
        self.listener = Listener(
            visitor.id, topics, started.cursor, family_id=visitor.family_id, connection=self
        )
        self._follower = Follower(
            now.hub, now.database, now.catching_up, self.listener, self._size_bytes
        )

    async def text(self, context: AppContext) -> AsyncIterator[str]:
        """Yield what the client reads, until its token is revoked or the process stops.

        `context` is the application's, which outlasts the request's.
        """
        hub = self._runtime.hub
        self._runtime.sockets += 1
        try:
            async with context:
                yield self._hello()
                if self._runtime.stopping.is_set() or hub.epoch != self._started.head.epoch:
                    return  # nobody would tell it any more: it comes back
                hub.join(self.listener)
                while True:
                    while self.listener.behind and not self._has_ended:
                        yield self._written(await self._follower.next())
                    if self._has_ended:
                        return
                    while self._whispers:
                        yield f"event: typing\ndata: {self._whispers.pop(0)}\n\n"
                    if self._is_beat_due:
                        self._is_beat_due = False
                        yield f": heartbeat\nid: {hub.position(self.listener)}\n\n"
                    await self._woken.wait()
                    self._woken.clear()
        finally:
            hub.leave(self.listener)
            self._runtime.sockets -= 1

    def _hello(self) -> str:
        started, cursor = self._started, str(self.listener.cursor)
        hello = _message("hello", {"epoch": started.head.epoch, "cursor": cursor}, cursor)
        resync = "" if started.resync is None else _resync(started.resync, cursor)
        return f"retry: {RETRY_MILLISECONDS}\n{hello}{resync}"

    def _written(self, chosen: Sequence[Delivery]) -> str:
        """Write a page of events; the one that revokes the reader's token is its last."""
        parts: list[str] = []
        for delivery in chosen:
            if self.listener.is_ended_by(delivery):
                self._has_ended = True
                return "".join(parts)
            item = frames.item(delivery, frames.JSON_FORM, self._language)
            if item is not None:
                event = delivery.event
                parts.append(f"event: {event.kind}\nid: {event.id}\ndata: {item}\n\n")
        cursor = str(self.listener.cursor)
        if any(one.event.kind is Kind.RELATIONS_CHANGED for one in chosen):
            parts.append(_resync("relations", cursor))
        return "".join([*parts, f"id: {cursor}\n\n"])

    def _size_bytes(self, delivery: Delivery) -> int:
        return len((frames.item(delivery, frames.JSON_FORM, self._language) or "").encode())

    # --- What the hub asks for ------------------------------------------------------------------

    def catch_up(self) -> None:
        """Go on with what the reader is behind."""
        self._woken.set()

    def beat(self, now: float) -> None:
        """Let a quiet reader's position move on where it is time."""
        if now >= self._beat_at:
            self._beat_at += self._runtime.settings.heartbeat_seconds
            self._is_beat_due = True
            self._woken.set()

    def whisper(self, frame: str) -> None:
        """Pass on what is not of the log, unless the reader is slow."""
        if len(self._whispers) < MOST_WHISPERS:
            self._whispers.append(frame)
            self._woken.set()

    def close(self, code: int, reason: str) -> None:
        """End the stream; the reader comes back, or is told why not."""
        self._has_ended = True
        self._woken.set()


def _message(event: str, data: dict[str, str], cursor: str) -> str:
    return f"event: {event}\nid: {cursor}\ndata: {as_json.dump(data)}\n\n"


def _resync(reason: str, cursor: str) -> str:
    return _message("resync", {"reason": reason, "cursor": cursor}, cursor)
