"""What is to be done behind the pages: payloads that actions enqueue and `jobs` carries out.

A task is a frozen dataclass of what JSON can hold, with its `kind`. It names things by their ids,
so that it speaks of them as they are when it is carried out, and it never holds a secret that
is of use to anybody later.
"""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, ClassVar, Protocol, TypeVar, cast

LONGEST_KEY = 200


class Task(Protocol):
    """Something to be done; a dataclass."""

    kind: ClassVar[str]


T = TypeVar("T", bound=Task)


class State(StrEnum):
    """How far a job has come. The last three are ends."""

    WAITING = "waiting"
    RUNNING = "running"
    CANCELLING = "cancelling"  # it runs, and is to stop
    DONE = "done"
    DEAD = "dead"  # it failed as often as it may
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Prune:
    """Forget what is past its time: old events, expired sessions, spent keys, old tries."""

    kind: ClassVar[str] = "prune"


@dataclass(frozen=True, slots=True)
class ExportPosts:
    """Write down everything that is a person's."""

    kind: ClassVar[str] = "export_posts"
    user_id: int


@dataclass(frozen=True, slots=True)
class RemoveExports:
    """Remove the files of exports whose time is over."""

    kind: ClassVar[str] = "remove_exports"


@dataclass(frozen=True, slots=True)
class SendMail:
    """Send one mail. Its number and date are made when it is enqueued, so that a repetition is
    the same mail; its links are made of nonces when it is sent.
    """

    kind: ClassVar[str] = "send_mail"

    to: str
    template: str  # the folder under templates/email
    language: str
    values: dict[str, Any]  # for the template
    message_id: str
    written_at: str  # ISO 8601
    useless_after: str | None = None  # ISO 8601: later it need not be sent


@dataclass(frozen=True, slots=True)
class SendResets:
    """Mail links for a new password to whoever has an account with an address, if anybody has."""

    kind: ClassVar[str] = "send_resets"

    email: str
    language: str  # of whoever asked, where the account has none


@dataclass(frozen=True, slots=True)
class FeedSearch:
    """Put into the search index what the log has told since the last time."""

    kind: ClassVar[str] = "feed_search"


@dataclass(frozen=True, slots=True)
class TendSearch:
    """See to it that the search index has everything: fill it where it is new or too old."""

    kind: ClassVar[str] = "tend_search"


@dataclass(frozen=True, slots=True)
class TellOfPresence:
    """Let whom a person notified count their unread notifications anew: the person left, or came
    back.
    """

    kind: ClassVar[str] = "tell_of_presence"
    user_id: int


@dataclass(frozen=True, slots=True)
class PurgePerson:
    """Delete all that is left of a person who deleted their account."""

    kind: ClassVar[str] = "purge_person"
    user_id: int


class Cancelled(Exception):
    """Say that the job is to stop: somebody cancelled it."""


class Lost(Exception):
    """Say that the job is another worker's by now, or gone: what this run does counts no more."""


def payload(task: Task) -> dict[str, Any]:
    """Return what JSON is to hold of a task."""
    return asdict(cast("Any", task))


def task(kind: type[T], stored: dict[str, Any]) -> T:
    """Make a task of its payload; raises TypeError where another program wrote another payload."""
    return kind(**stored)
