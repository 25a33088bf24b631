"""The latest events of the log, ready to be delivered: each once, whatever the number of listeners.

`realtime.hub` fills it and reads from it for whoever is late.
"""

from collections import deque
from collections.abc import Iterator, Sequence, Set

from microblog.core.events import OF_POSTS, Kind
from microblog.queries.events import Delivery
from microblog.queries.rows import NotificationRow, PostRow, Presence
from microblog.queries.visibility import at_home

RING_EVENTS = 2000


class Ring:
    """All events after `floor`, oldest first; a new one pushes the oldest out."""

    def __init__(self) -> None:
        self.floor = 0
        self._events: deque[Delivery] = deque(maxlen=RING_EVENTS)
        self._homes: dict[tuple[int, ...], Set[int]] = {}

    def begin(self, floor: int) -> None:
        """Be empty, from a position on."""
        self.floor = floor
        self._events.clear()
        self._homes.clear()

    @property
    def room(self) -> int:
        """How many older events it can still take."""
        return RING_EVENTS - len(self._events)

    def refill(self, older: Sequence[Delivery], floor: int) -> None:
        """Put events before the first, oldest first; now it holds all after `floor`."""
        self._events.extendleft(reversed(older))
        self.floor = floor

    def append(self, delivery: Delivery) -> None:
        """Put the next event in."""
        if not self.room:
            self.floor = self._events[0].event.id
        if delivery.event.kind is Kind.POST_DELETED:
            self._forget_post(delivery.event.ref_id)
        elif isinstance(delivery.subject, Presence) and not delivery.subject.is_there:
            self._forget_person(delivery.subject.id)
        self._events.append(delivery)

    def after(self, cursor: int) -> Iterator[Delivery] | None:
        """Return the events after `cursor`, oldest first; None if the ring begins later."""
        if cursor < self.floor:
            return None
        newest_first = []
        for delivery in reversed(self._events):
            if delivery.event.id <= cursor:
                break
            newest_first.append(delivery)
        return reversed(newest_first)

    def authors(self) -> set[int]:
        """Return who wrote the posts of which the events speak, and whom those answer."""
        posts = (one.subject for one in self._events if one.event.kind in OF_POSTS)
        return {who for post in posts if isinstance(post, PostRow) for who in post.at_home_with}

    def unread_by(self) -> dict[int, int]:
        """Return, by person, the last of their own events that the ring has only the number of."""
        own = (one.event for one in self._events if one.event.user_id and not one.loaded)
        return {event.user_id: event.id for event in own if event.user_id}

    def bring_home(self, homes: dict[int, set[int]]) -> None:
        """Let newcomers have the posts at home; equal sets stay one set.

        `homes` says for each author who of the newcomers has them at home.
        """
        joined: dict[tuple[tuple[int, ...], int], tuple[Set[int], Set[int]]] = {}
        for delivery in self._events:
            post = delivery.subject
            if not isinstance(post, PostRow) or not (more := at_home(post, homes)):
                continue
            key = post.at_home_with, id(delivery.homes)
            if key not in joined:
                joined[key] = delivery.homes, delivery.homes | more
            delivery.homes = self._homes[post.at_home_with] = joined[key][1]

    def share_home(self, delivery: Delivery) -> None:
        """Keep one set for all posts of an author, or all answers of one to another: who has left
        meanwhile may stay in it.
        """
        if delivery.event.kind is Kind.RELATIONS_CHANGED or len(self._homes) > RING_EVENTS:
            self._homes.clear()
        post = delivery.subject
        if delivery.homes and isinstance(post, PostRow):
            known = self._homes.setdefault(post.at_home_with, delivery.homes)
            if delivery.homes <= known:
                delivery.homes = known
            else:
                self._homes[post.at_home_with] = delivery.homes

    def _forget_post(self, post_id: int | None) -> None:
        """Let nobody who is late have a post that is gone."""
        for delivery in self._events:
            subject = delivery.subject
            about = subject.post if isinstance(subject, NotificationRow) else subject
            telling = delivery.event.kind in OF_POSTS
            if (telling and delivery.event.ref_id == post_id) or (
                isinstance(about, PostRow) and about.id == post_id
            ):
                delivery.subject = None
                delivery.encoded.clear()

    def _forget_person(self, user_id: int) -> None:
        """Let nobody who is late have what somebody wrote who is gone, or be told of their deeds.

        A deletion is still told: it says nothing of the post but that it is gone.
        """
        for delivery in self._events:
            subject = delivery.subject
            if isinstance(subject, NotificationRow):
                is_theirs = subject.actor.id == user_id
            else:
                is_theirs = isinstance(subject, PostRow) and subject.author_id == user_id
            if is_theirs and delivery.event.kind is not Kind.POST_DELETED:
                delivery.subject = None
                delivery.encoded.clear()
