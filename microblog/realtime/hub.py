"""Who listens to what in this process, and the latest events ready to be delivered.

A listener is a cursor, not a queue: the ring holds each event once, whatever the number of
listeners, and a slow one costs nothing but its place.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from microblog.core.events import Kind
from microblog.queries.events import HOME, Delivery

RING_EVENTS = 2000


# Takes what concerns a listener that is up to date, and the position after it; returns whether
# it was delivered on the spot.
Push = Callable[[Sequence[Delivery], int], bool]


class Listener:
    """One live connection: who it is, what it listens to, and how far it has come.

    All up to `cursor` is dealt with. While `behind` is false nothing after it concerns the
    listener up to the hub's head. `version` counts the changes of `topics`. `push` spares a
    listener that is up to date its own task: what it refuses is fetched as from the ring.
    """

    __slots__ = (
        "behind",
        "cursor",
        "family_id",
        "push",
        "read_to",
        "session_id",
        "topics",
        "version",
        "viewer_id",
        "woken",
    )

    def __init__(
        self,
        viewer_id: int | None,
        topics: Iterable[str],
        cursor: int,
        *,
        session_id: int | None = None,
        family_id: int | None = None,
    ) -> None:
        self.viewer_id = viewer_id
        self.topics = set(topics)
        self.cursor = cursor
        self.session_id = session_id
        self.family_id = family_id
        self.behind = False
        self.read_to = 0
        self.version = 0
        self.push: Push | None = None
        self.woken = asyncio.Event()

    def wake(self) -> None:
        self.woken.set()

    def is_ended_by(self, delivery: Delivery) -> bool:
        """Tell whether the event revokes what this connection was opened with."""
        event = delivery.event
        if event.kind is Kind.SESSION_REVOKED:
            return event.ref_id is None or event.ref_id == self.session_id
        return event.kind is Kind.TOKENS_REVOKED and event.ref_id == self.family_id


class Hub:
    """The ring and the listeners of one process."""

    def __init__(self) -> None:
        self.epoch = ""
        self.head = 0
        self.reading_to = 0
        self.floor = 0
        self._ring: deque[Delivery] = deque(maxlen=RING_EVENTS)
        self._by_topic: dict[str, set[Listener]] = defaultdict(set)
        self._by_viewer: dict[int, set[Listener]] = defaultdict(set)
        self.listeners: set[Listener] = set()

    def start(self, epoch: str, head: int) -> None:
        """Begin at the end of the log."""
        self.epoch, self.head, self.reading_to, self.floor = epoch, head, head, head

    def viewers(self) -> frozenset[int]:
        """Return who is connected: the people for whom the tail asks what concerns them."""
        return frozenset(self._by_viewer)

    def count_of(self, viewer_id: int) -> int:
        """Return how many connections a person has in this process."""
        return len(self._by_viewer.get(viewer_id, ()))

    def join(self, listener: Listener) -> None:
        """Let a listener hear all after its cursor.

        The tail may just be asking about a page of events on behalf of those who were here
        before; so up to `reading_to` the newcomer reads the log itself.
        """
        self.listeners.add(listener)
        if listener.viewer_id is not None:
            self._by_viewer[listener.viewer_id].add(listener)
        for topic in listener.topics:
            self._by_topic[topic].add(listener)
        self._read_itself(listener)

    def leave(self, listener: Listener) -> None:
        """Forget a listener."""
        self.listeners.discard(listener)
        if listener.viewer_id is not None:
            self._drop(self._by_viewer, listener.viewer_id, listener)
        for topic in listener.topics:
            self._drop(self._by_topic, topic, listener)

    def subscribe(self, listener: Listener, topic: str) -> int:
        """Add a topic; return the position after which its events are heard."""
        if topic not in listener.topics:
            position = self.position(listener)
            listener.topics.add(topic)
            listener.version += 1
            self._by_topic[topic].add(listener)
            listener.cursor = position
            self._read_itself(listener)
        return listener.cursor

    def unsubscribe(self, listener: Listener, topic: str) -> None:
        """Drop a topic."""
        listener.topics.discard(topic)
        self._drop(self._by_topic, topic, listener)

    def position(self, listener: Listener) -> int:
        """Return up to where the listener has all that concerns it."""
        return listener.cursor if listener.behind else max(listener.cursor, self.head)

    def publish(self, deliveries: Sequence[Delivery]) -> None:
        """Put events into the ring, oldest first, and wake those whom they concern."""
        before = self.head
        concerned: dict[Listener, list[Delivery]] = {}
        for delivery in deliveries:
            if len(self._ring) == RING_EVENTS:
                self.floor = self._ring[0].event.id
            self._ring.append(delivery)
            for listener in set(self._listeners_of(delivery)):
                concerned.setdefault(listener, []).append(delivery)
        self.head = deliveries[-1].event.id
        for listener, chosen in concerned.items():
            if listener.behind or listener.cursor > before or not self._pushed(listener, chosen):
                self._fall_behind(listener, before)

    def _pushed(self, listener: Listener, chosen: Sequence[Delivery]) -> bool:
        if listener.push is None or not listener.push(chosen, self.head):
            return False
        listener.cursor = self.head
        return True

    @staticmethod
    def _fall_behind(listener: Listener, position: int) -> None:
        if not listener.behind:
            listener.behind = True
            listener.cursor = max(listener.cursor, position)
        listener.wake()

    def after(self, cursor: int) -> Iterator[Delivery] | None:
        """Return the ring's events after `cursor`, oldest first; None if it begins later."""
        if cursor < self.floor:
            return None
        newest_first = []
        for delivery in reversed(self._ring):
            if delivery.event.id <= cursor:
                break
            newest_first.append(delivery)
        return reversed(newest_first)

    def _listeners_of(self, delivery: Delivery) -> Iterator[Listener]:
        if delivery.event.user_id is not None:
            for listener in self._by_viewer.get(delivery.event.user_id, ()):
                if delivery.concerns(listener.viewer_id, listener.topics):
                    yield listener
            return
        for topic in delivery.topics:
            yield from self._by_topic.get(topic, ())
        for viewer_id in delivery.homes:
            for listener in self._by_viewer.get(viewer_id, ()):
                if HOME in listener.topics:
                    yield listener

    def _read_itself(self, listener: Listener) -> None:
        until = max(self.head, self.reading_to)
        if listener.cursor < until:
            listener.read_to = until
            listener.behind = True
            listener.wake()

    @staticmethod
    def _drop(index: dict[Any, set[Listener]], key: Any, listener: Listener) -> None:
        found = index.get(key)
        if found is not None:
            found.discard(listener)
            if not found:
                del index[key]
