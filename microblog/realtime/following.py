"""How a listener that is behind gets on: a page of events after the other, from the ring or, where
that begins later, from the log itself. `live.stream` and `api.event_stream` send what it returns.
"""

import asyncio
from collections.abc import Callable, Iterable

import structlog

from microblog.core.errors import Unavailable
from microblog.database import Database
from microblog.finishing import finished
from microblog.queries.events import Delivery
from microblog.realtime import replay
from microblog.realtime.hub import Hub
from microblog.realtime.listeners import Listener

PAGE_EVENTS = 50
PAGE_BYTES = 64 * 1024  # of items; a single larger one still goes

log = structlog.get_logger(__name__)


class Follower:
    """Follows the log for one listener. `few` lets only so many read the log at once;
    `size_bytes` measures an event as it will be sent.
    """

    __slots__ = ("_database", "_few", "_hub", "_listener", "_size_bytes")

    def __init__(
        self,
        hub: Hub,
        database: Database,
        few: asyncio.Semaphore,
        listener: Listener,
        size_bytes: Callable[[Delivery], int],
    ) -> None:
        self._hub = hub
        self._database = database
        self._few = few
        self._listener = listener
        self._size_bytes = size_bytes

    async def next(self) -> list[Delivery]:
        """Return what concerns the listener on the next page, and move its cursor behind that."""
        hub, listener = self._hub, self._listener
        while True:
            version = listener.version
            newer: Iterable[Delivery] | None = None
            cursor = hub.head
            if listener.cursor >= listener.read_to:
                newer = hub.ring.after(listener.cursor)
            if newer is None:
                newer, cursor = await self._read_log(max(cursor, listener.read_to))
            chosen, cursor = self._take(newer, cursor)
            if listener.version == version:
                break  # else a topic came in meanwhile: read again, with it
        # A client may be ahead of this process; its position never goes back.
        listener.cursor = max(listener.cursor, cursor)
        if listener.cursor >= hub.head and listener.cursor >= listener.read_to:
            listener.behind = False
        return chosen

    async def _read_log(self, until: int) -> tuple[list[Delivery], int]:
        """Read from the log itself what the ring does not hold, or does not hold for us."""
        while True:
            try:
                return await finished(self._page(until))
            except Unavailable as away:
                log.warning("live.database_away", cause=repr(away.__cause__))
                await asyncio.sleep(away.retry_after_seconds)

    async def _page(self, until: int) -> tuple[list[Delivery], int]:
        async with self._few, self._database.read() as read:
            return await replay.page(read, self._listener, until)

    def _take(self, newer: Iterable[Delivery], cursor: int) -> tuple[list[Delivery], int]:
        """Choose what concerns the listener, at most a page's worth, and where that ends."""
        listener = self._listener
        chosen: list[Delivery] = []
        size = 0
        for delivery in newer:
            if not delivery.concerns(listener.viewer_id, listener.topics):
                continue
            size += self._size_bytes(delivery)
            if chosen and (len(chosen) == PAGE_EVENTS or size > PAGE_BYTES):
                return chosen, chosen[-1].event.id
            chosen.append(delivery)
        return chosen, cursor
