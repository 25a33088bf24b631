"""All listeners of one form and language: a frame is made for them once, and written to each.

`live.stream` puts each connection into its channel; `realtime.hub` hands a channel what concerns
its listeners.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from functools import cache

from microblog.core.events import Kind
from microblog.live import transport
from microblog.queries.events import Delivery
from microblog.realtime.following import PAGE_BYTES, PAGE_EVENTS
from microblog.realtime.listeners import Listener
from microblog.render import frames

STEERING = {Kind.RELATIONS_CHANGED, Kind.SESSION_REVOKED, Kind.TOKENS_REVOKED}


class Channel:
    """One form and language of frames."""

    def __init__(self, form: str, language: str) -> None:
        self.form = form
        self.language = language

    def shown(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Leave out what has nothing to show (any more)."""
        return [one for one in deliveries if frames.item(one, self.form, self.language) is not None]

    def frame(self, shown: Sequence[Delivery], cursor: int) -> str:
        """Return the frame of these events, which all share who get the same."""
        return frames.events(shown, cursor, self.form, self.language)

    def push(
        self, chosen: Sequence[Delivery], cursor: int, listeners: Iterable[Listener]
    ) -> Collection[Listener]:
        """Write a frame to each connection that takes it at once; return the others.

        Events that steer a connection, and more than a frame's worth, are left to the connection.
        """
        if len(chosen) > PAGE_EVENTS or any(one.event.kind in STEERING for one in chosen):
            return frozenset(listeners)
        shown = self.shown(chosen)
        if not shown:
            for listener in listeners:
                listener.cursor, listener.behind = cursor, False
            return frozenset()
        ready = transport.text_frame(self.frame(shown, cursor))
        if len(ready) > PAGE_BYTES and len(shown) > 1:
            return frozenset(listeners)
        refused = set()
        for listener in listeners:
            connection = listener.connection
            if not isinstance(connection, Direct):
                refused.add(listener)
                continue
            way = connection.way
            # As in `Direct.write`; a call for each of thousands would cost a tenth of it all.
            if (
                connection.sending
                or way is None
                or way.is_closing()
                or way.get_write_buffer_size() >= transport.IDLE_BYTES
            ):
                refused.add(listener)
                continue
            way.write(ready)
            listener.cursor, listener.behind = cursor, False
        return refused


@cache
def channel(form: str, language: str) -> Channel:
    """Return the one channel of a form and language."""
    return Channel(form, language)


class Direct:
    """A connection that can be written to below ASGI, while nothing else is being sent on it."""

    __slots__ = ("sending", "way")

    def __init__(self, way: asyncio.WriteTransport | None) -> None:
        self.way = way
        self.sending = 0

    def write(self, ready: bytes) -> bool:
        """Write a whole frame if the client takes it at once; tell whether it was written."""
        way = self.way
        if (
            self.sending
            or way is None
            or way.is_closing()
            or way.get_write_buffer_size() >= transport.IDLE_BYTES
        ):
            return False
        way.write(ready)
        return True
