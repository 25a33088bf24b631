"""The one reader of the log in a process. Woken by the bell, by newcomers, and once a second."""

import asyncio
import time
from collections.abc import Callable

import structlog

from microblog.backends.bell import Bell
from microblog.core.errors import Unavailable
from microblog.database import Database, Read
from microblog.finishing import finished
from microblog.queries import events
from microblog.queries.events import Delivery
from microblog.queries.visibility import followers_among
from microblog.realtime.hub import Hub
from microblog.realtime.listeners import Listener

PAGE_EVENTS = 1000
POLL_SECONDS = 1.0
CROWD = 20  # newcomers at once; then the next wait a little, to be let in together
CROWD_PAUSE_SECONDS = 0.4
MOST_FAILURES = 5  # on the same events; then the tail goes past them
FEW = 3  # so many late newcomers read the log themselves; for more the ring is filled up

log = structlog.get_logger(__name__)


class Tail:
    """Follows the log and hands each page of events to the hub, once for all listeners."""

    def __init__(self, database: Database, bell: Bell, hub: Hub) -> None:
        self._database = database
        self._bell = bell
        self._hub = hub
        self._doors_open_at = 0.0
        self.on_new_history: Callable[[], None] | None = None
        self.on_ring: Callable[[], None] | None = None  # who else wakes by the bell

    async def begin(self) -> None:
        """Take the end of the log as the start; raises Unavailable."""
        async with self._database.read() as read:
            head = await events.head(read)
        self._hub.start(head.epoch, head.cursor)

    async def follow(self) -> None:
        """Read what comes, for ever. An unreachable database is tried again at each poll."""
        listening = asyncio.create_task(self._listen(), name="bell to tail")
        failures = 0
        try:
            while True:
                await self._wait()
                try:
                    await finished(self.catch_up())
                    failures = 0
                except Unavailable:
                    log.warning("tail.database_away")
                    await asyncio.sleep(POLL_SECONDS)
                except Exception:
                    log.exception("tail.failed")
                    failures += 1
                    await asyncio.sleep(POLL_SECONDS)
                    if failures == MOST_FAILURES:
                        failures = 0
                        await finished(self._go_past())
        finally:
            listening.cancel()

    async def _go_past(self) -> None:
        """Leave behind what cannot be read; all come back and read the log for themselves."""
        try:
            async with self._database.read() as read:
                await self._begin_anew(read)
        except Exception:
            log.exception("tail.failed")

    async def _listen(self) -> None:
        while True:
            await self._bell.wait()
            self._hub.wanted.set()
            if self.on_ring is not None:
                self.on_ring()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._hub.wanted.wait()
        except TimeoutError:
            pass
        self._hub.wanted.clear()

    async def catch_up(self) -> None:
        """Read to the end of the log, and let in who has come."""
        hub = self._hub
        while True:
            async with self._database.read() as read:
                page = await events.after(read, hub.head, PAGE_EVENTS)
                newcomers = self._let_in()
                arrived = frozenset(n.viewer_id for n in newcomers if n.viewer_id is not None)
                older = await self._older(read, newcomers, arrived)
                homes = await followers_among(read, hub.ring.authors() if arrived else (), arrived)
                listened = bool(hub.listeners)
                viewers = hub.viewers() | arrived
                deliveries = await events.deliveries(read, page, viewers) if listened else []
                # Last: what was read before is of this history, if it still is the one.
                end = await events.head(read)
                if end.epoch != hub.epoch or end.pruned_to > hub.head:
                    await self._begin_anew(read)
                    return
            if older is not None:
                hub.ring.refill(*older)
            if newcomers:
                hub.admit(newcomers, homes)
            if deliveries:
                await hub.publish(deliveries)
            elif page:
                hub.skip(page[-1].id)
            if len(page) < PAGE_EVENTS:
                return

    async def _begin_anew(self, read: Read) -> None:
        """Follow the log from its end: an older backup was put back, or we cannot go on."""
        head = await events.head(read)
        log.warning("tail.begins_anew", epoch=head.epoch, head=head.cursor)
        if self.on_new_history is not None:
            self.on_new_history()
        self._hub.start(head.epoch, head.cursor)

    def _let_in(self) -> list[Listener]:
        """Return who may be let in now: one by one, or a crowd together."""
        now = time.monotonic()
        waiting = list(self._hub.newcomers)
        if waiting and now < self._doors_open_at:
            later = self._doors_open_at - now
            asyncio.get_running_loop().call_later(later, self._hub.wanted.set)
            return []
        if len(waiting) > CROWD:
            self._doors_open_at = now + CROWD_PAUSE_SECONDS
        return waiting

    async def _older(
        self, read: Read, newcomers: list[Listener], arrived: frozenset[int]
    ) -> tuple[list[Delivery], int] | None:
        """Read once what several newcomers have missed, with the position after which it begins.

        None where the ring has it, has no room, or so few are late that they read it themselves.
        """
        hub = self._hub
        late = [one.cursor for one in newcomers if one.cursor < hub.ring.floor]
        room = hub.ring.room
        if len(late) <= FEW or room == 0:
            return None
        low = min(late)
        found = await events.before(read, low, hub.ring.floor, room)
        older = await events.deliveries(read, found, hub.viewers() | arrived)
        return older, low if len(found) < room else found[0].id - 1
