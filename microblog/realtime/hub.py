"""Who listens to what in this process, and the latest events ready to be delivered.

A listener is a cursor, not a queue: the ring holds each event once, whatever the number of
listeners, and a slow one costs nothing but its place.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from datetime import UTC, datetime
from typing import Any

import structlog

from microblog.core.events import EVERYONE
from microblog.measures import Measures
from microblog.queries.events import HOME, Delivery
from microblog.realtime.listeners import Channel, Listener
from microblog.realtime.ring import Ring

WRITTEN_AT_ONCE = 250  # connections; then whoever else is waiting has a turn
PULSE_SECONDS = 1.0
RESTARTING = 1012  # RFC 6455, section 7.4.2: come back, here or to another process

log = structlog.get_logger(__name__)


class Hub:
    """The ring and the listeners of one process."""

    def __init__(self, measures: Measures | None = None) -> None:
        self.measures = measures or Measures()
        self.epoch = ""
        self.head = 0
        self.ring = Ring()
        self.listeners: set[Listener] = set()
        self.newcomers: set[Listener] = set()
        self.wanted = asyncio.Event()
        self._by_topic: dict[str, set[Listener]] = defaultdict(set)
        self._by_viewer: dict[int, set[Listener]] = defaultdict(set)

    def start(self, epoch: str, head: int) -> None:
        """Begin at the end of a log. Who listened to another one is sent to begin anew."""
        self.epoch = epoch
        self._reach(head)
        self.ring.begin(head)
        self.send_away("the history was replaced")

    def skip(self, head: int) -> None:
        """Go on to a position without the events up to it: nobody was there to hear them.

        Whoever comes reads them from the log, or has them read into the ring.
        """
        self._reach(head)
        self.ring.begin(head)

    def _reach(self, head: int) -> None:
        self.head = head
        self.measures.position.set(head)

    def send_away(self, reason: str) -> None:
        """Close every connection in such a way that its client comes back."""
        for listener in list(self.listeners):
            if listener.connection is not None:
                listener.connection.close(RESTARTING, reason)

    def whisper(self, viewer_id: int, frame: str) -> None:
        """Hand a person's connections a frame that is not of the log, and that nobody misses."""
        for listener in self._by_viewer.get(viewer_id, ()):
            if listener.connection is not None and not listener.behind:
                listener.connection.whisper(frame)

    def listening_to(self, topic: str) -> list[Listener]:
        """Return the connections that listen to a topic."""
        return list(self._by_topic.get(topic, ()))

    async def pulse(self) -> None:
        """Let every connection do what is due, once a second: one timer for all of them."""
        while True:
            await asyncio.sleep(PULSE_SECONDS)
            now = time.monotonic()
            for number, listener in enumerate(list(self.listeners), start=1):
                if listener.connection is not None:
                    try:
                        listener.connection.beat(now)
                    except Exception:
                        log.exception("hub.no_heartbeat")
                if number % WRITTEN_AT_ONCE == 0:
                    await asyncio.sleep(0)

    def viewers(self) -> frozenset[int]:
        """Return who is connected: the people for whom the tail asks what concerns them."""
        return frozenset(self._by_viewer)

    def count_of(self, viewer_id: int) -> int:
        """Return how many connections a person has in this process."""
        waiting = sum(1 for one in self.newcomers if one.viewer_id == viewer_id)
        return len(self._by_viewer.get(viewer_id, ())) + waiting

    # --- Coming and going -----------------------------------------------------------------------

    def join(self, listener: Listener) -> None:
        """Let a listener wait for the tail, which lets it hear all after its cursor."""
        self.listeners.add(listener)
        self.newcomers.add(listener)
        self.wanted.set()

    def admit(self, newcomers: Iterable[Listener], homes: dict[int, set[int]]) -> None:
        """Let newcomers hear what is published from now on, and catch up with what was.

        `homes` says for each author of the ring who of the newcomers has them at home.
        """
        self.ring.bring_home(homes)
        own = self.ring.unread_by()
        for listener in newcomers:
            if listener not in self.newcomers:
                continue  # it has gone meanwhile
            self.newcomers.discard(listener)
            if listener.viewer_id is not None:
                self._by_viewer[listener.viewer_id].add(listener)
                mine = own.get(listener.viewer_id, 0)
                if listener.cursor < mine:
                    listener.read_to = mine
            for topic in listener.topics:
                self._by_topic[topic].add(listener)
            if listener.cursor < self.ring.floor:
                listener.read_to = self.head
            if listener.cursor < self.head:
                self._fall_behind(listener, listener.cursor)

    def leave(self, listener: Listener) -> None:
        """Forget a listener."""
        self.listeners.discard(listener)
        self.newcomers.discard(listener)
        if listener.viewer_id is not None:
            self._drop(self._by_viewer, listener.viewer_id, listener)
        for topic in listener.topics:
            self._drop(self._by_topic, topic, listener)

    def subscribe(self, listener: Listener, topic: str) -> int:
        """Add a topic; return the position after which its events are heard."""
        if topic not in listener.topics:
            listener.cursor = self.position(listener)
            listener.topics.add(topic)
            listener.version += 1
            if listener.due:  # a page without the topic was about to be written to it
                listener.due = False
                self._wake(listener)
            if listener not in self.newcomers:
                self._by_topic[topic].add(listener)
        return listener.cursor

    def unsubscribe(self, listener: Listener, topic: str) -> None:
        """Drop a topic."""
        listener.topics.discard(topic)
        self._drop(self._by_topic, topic, listener)

    def position(self, listener: Listener) -> int:
        """Return up to where the listener has all that concerns it."""
        if listener.behind or listener in self.newcomers:
            return listener.cursor
        return max(listener.cursor, self.head)

    # --- Events ---------------------------------------------------------------------------------

    async def publish(self, deliveries: Sequence[Delivery]) -> None:
        """Put events into the ring, oldest first, and hand them to those whom they concern."""
        before = self.head
        heard: list[tuple[Delivery, Set[Listener]]] = []
        for delivery in deliveries:
            self.ring.append(delivery)
            if listeners := self._listeners_of(delivery):
                heard.append((delivery, listeners))
            self.ring.share_home(delivery)
        self._reach(deliveries[-1].event.id)
        ready: list[tuple[Channel, list[Delivery], list[Listener]]] = []
        for chosen, same in _alike(heard):
            by_channel = self._ready_ones(same, before)
            ready.extend((channel, chosen, some) for channel, some in by_channel.items())
        for channel, chosen, some in ready:
            await self._push(channel, chosen, some)
        now = datetime.now(UTC)
        for delivery, _ in heard:
            if delivery.event.created_at is not None:  # the clocks of two machines may differ
                seconds = (now - delivery.event.created_at).total_seconds()
                self.measures.delivery_seconds.observe(max(0.0, seconds))

    def _ready_ones(
        self, listeners: Iterable[Listener], before: int
    ) -> dict[Channel, list[Listener]]:
        """Let all fall behind; return those who were up to date, to be written to at once."""
        ready: dict[Channel, list[Listener]] = defaultdict(list)
        for listener in listeners:
            if listener.behind or listener.cursor > before or listener.connection is None:
                self._fall_behind(listener, before)
            else:
                listener.behind = listener.due = True
                listener.cursor = before
                ready[listener.connection.channel].append(listener)
        return ready

    async def _push(
        self, channel: Channel, chosen: Sequence[Delivery], listeners: Sequence[Listener]
    ) -> None:
        head = self.head
        for start in range(0, len(listeners), WRITTEN_AT_ONCE):
            if start:
                await asyncio.sleep(0)
            group = listeners[start : start + WRITTEN_AT_ONCE]
            there = [one for one in group if one.due and one.behind and one in self.listeners]
            for listener in group:
                listener.due = False
            try:
                refused = channel.push(chosen, head, there)
            except Exception:
                log.exception("hub.not_pushed")
                refused = there  # each finds out by itself whether the fault is its own
            self.measures.deliveries.inc(len(there) - len(refused))
            for listener in refused:
                self._wake(listener)

    def _fall_behind(self, listener: Listener, position: int) -> None:
        if not listener.behind:
            listener.behind = True
            listener.cursor = max(listener.cursor, position)
        self._wake(listener)

    @staticmethod
    def _wake(listener: Listener) -> None:
        if listener.connection is not None:
            listener.connection.catch_up()

    def _listeners_of(self, delivery: Delivery) -> set[Listener]:
        found: set[Listener] = set()
        if delivery.event.user_id == EVERYONE:
            return self.listeners - self.newcomers  # who is not let in yet reads it afterwards
        if delivery.event.user_id is not None:
            for listener in self._by_viewer.get(delivery.event.user_id, ()):
                if delivery.concerns(listener.viewer_id, listener.topics):
                    found.add(listener)
            return found
        for topic in delivery.topics:
            found |= self._by_topic.get(topic, frozenset())
        homes = delivery.homes
        at_home: Set[Listener] = self._by_topic.get(HOME, frozenset())
        if len(homes) < len(at_home):
            for viewer_id in homes:
                found.update(one for one in self._by_viewer.get(viewer_id, ()) if one in at_home)
        else:
            found.update(one for one in at_home if one.viewer_id in homes)
        return found

    @staticmethod
    def _drop(index: dict[Any, set[Listener]], key: Any, listener: Listener) -> None:
        found = index.get(key)
        if found is not None:
            found.discard(listener)
            if not found:
                del index[key]


def _alike(
    heard: Sequence[tuple[Delivery, Set[Listener]]],
) -> Iterator[tuple[list[Delivery], Iterable[Listener]]]:
    """Group listeners by what they get: these deliveries, oldest first, for these listeners."""
    if len(heard) == 1:
        delivery, listeners = heard[0]
        yield [delivery], listeners
        return
    sorts: dict[Listener, int] = {}
    for number, (_, listeners) in enumerate(heard):
        for listener in listeners:
            sorts[listener] = sorts.get(listener, 0) | 1 << number
    groups: dict[int, list[Listener]] = defaultdict(list)
    for listener, sort in sorts.items():
        groups[sort].append(listener)
    for sort, alike in groups.items():
        yield [one for number, (one, _) in enumerate(heard) if sort >> number & 1], alike
