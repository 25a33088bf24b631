"""The one reader of the log in a process. Woken by the bell, and by the clock once a second."""

import asyncio

import structlog

from microblog.backends.bell import Bell
from microblog.core.errors import Unavailable
from microblog.database import Database
from microblog.queries import events
from microblog.realtime.hub import Hub
from microblog.stores import finished

PAGE_EVENTS = 1000
POLL_SECONDS = 1.0

log = structlog.get_logger(__name__)


class Tail:
    """Follows the log and hands each page of events to the hub, once for all listeners."""

    def __init__(self, database: Database, bell: Bell, hub: Hub) -> None:
        self._database = database
        self._bell = bell
        self._hub = hub

    async def begin(self) -> None:
        """Take the end of the log as the start; raises Unavailable."""
        async with self._database.read() as read:
            head = await events.head(read)
        self._hub.start(head.epoch, head.cursor)

    async def follow(self) -> None:
        """Read what comes, for ever. An unreachable database is tried again at each poll."""
        while True:
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._bell.wait()
            except TimeoutError:
                pass
            try:
                await finished(self.catch_up())
            except Unavailable:
                log.warning("tail.database_away")
                await asyncio.sleep(POLL_SECONDS)
            except Exception:
                log.exception("tail.failed")
                await asyncio.sleep(POLL_SECONDS)

    async def catch_up(self) -> None:
        """Read to the end of the log."""
        hub = self._hub
        while True:
            async with self._database.read() as read:
                page = await events.after(read, hub.head, PAGE_EVENTS)
                if not page:
                    return
                # Who is here is asked at the moment from which newcomers look after themselves.
                hub.reading_to = page[-1].id
                deliveries = await events.deliveries(read, page, hub.viewers())
            hub.publish(deliveries)
