"""Live connections as the hub sees them: a place in the log, and what can be asked of each.

`live` makes them; `realtime.hub` keeps them.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from microblog.core.events import Kind
from microblog.queries.events import Delivery


class Channel(Protocol):
    """The form and language of some listeners: they get the same frames."""

    def push(
        self, chosen: Sequence[Delivery], cursor: int, listeners: Iterable["Listener"]
    ) -> Collection["Listener"]:
        """Write a frame to each of the listeners at once; return those that could not have it.

        Who has it is up to date at `cursor`.
        """


class Connection(Protocol):
    """What the hub asks of the other end of a listener."""

    @property
    def channel(self) -> Channel:
        """Who makes the frames for it."""

    def catch_up(self) -> None:
        """Begin to send what the listener is behind, unless that is going on."""

    def whisper(self, frame: str) -> None:
        """Send a frame that has no place in the log, if the client takes it at once."""

    def beat(self, now: float) -> None:
        """Do what is due at the time `now` of the monotonic clock."""

    def close(self, code: int, reason: str) -> None:
        """End the connection."""


class Listener:
    """One live connection: who it is, what it listens to, and how far it has come.

    All up to `cursor` is dealt with. While `behind` is false nothing after it concerns the
    listener up to the hub's head. What lies up to `read_to` it must read from the log itself.
    `version` counts the changes of `topics`. While `due`, a page is about to be written to it.
    """

    __slots__ = (
        "behind",
        "connection",
        "cursor",
        "due",
        "family_id",
        "read_to",
        "session_id",
        "topics",
        "version",
        "viewer_id",
    )

    def __init__(
        self,
        viewer_id: int | None,
        topics: Iterable[str],
        cursor: int,
        *,
        session_id: int | None = None,
        family_id: int | None = None,
        connection: Connection | None = None,
    ) -> None:
        self.viewer_id = viewer_id
        self.topics = set(topics)
        self.cursor = cursor
        self.session_id = session_id
        self.family_id = family_id
        self.connection = connection
        self.behind = False
        self.due = False
        self.read_to = 0
        self.version = 0

    def is_ended_by(self, delivery: Delivery) -> bool:
        """Tell whether the event revokes what this connection was opened with."""
        event = delivery.event
        if event.kind is Kind.SESSION_REVOKED:
            return event.ref_id is None or event.ref_id == self.session_id
        return event.kind is Kind.TOKENS_REVOKED and event.ref_id == self.family_id
