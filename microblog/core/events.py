"""What can happen, as the log records it. `actions` make events, `database` writes them.

An event holds references only. What it says, and who may see it, is decided when it is
delivered, so that a replay cannot show what was deleted or hidden since.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """The kinds of event. Clients see the first group; the second steers connections."""

    POST_PUBLISHED = "post.published"
    POST_EDITED = "post.edited"
    POST_COUNTED = "post.counts"
    POST_DELETED = "post.deleted"
    USER_CHANGED = "user.changed"
    PROFILE_CHANGED = "user.profile"
    NOTIFIED = "notification"
    NOTIFICATION_READ = "notification.read"
    NOTIFICATIONS_READ = "notifications.read"
    JOB_CHANGED = "job"
    DRAFT_CHANGED = "draft"
    MESSAGED = "message"
    MESSAGE_DELETED = "message.deleted"
    CONVERSATION_CHANGED = "conversation"
    PRESENCE_CHANGED = "user.presence"

    RELATIONS_CHANGED = "relations.changed"
    SESSION_REVOKED = "session.revoked"
    TOKENS_REVOKED = "tokens.revoked"

    UNKNOWN = "unknown"

    @classmethod
    def _missing_(cls, value: object) -> "Kind":
        """A newer program beside this one may write kinds that this one does not know."""
        return cls.UNKNOWN


OF_POSTS: Final = frozenset(
    {Kind.POST_PUBLISHED, Kind.POST_EDITED, Kind.POST_COUNTED, Kind.POST_DELETED}
)
"""The kinds whose `ref_id` is a post, which concern whoever reads that post."""

EVERYONE: Final = 0
"""The `user_id` of an event that concerns everyone who listens, to whatever: nobody has this id."""


OF_MESSAGES: Final = frozenset({Kind.MESSAGED, Kind.MESSAGE_DELETED, Kind.CONVERSATION_CHANGED})
"""The kinds that tell one person of their private messages."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event that is not yet in the log.

    `user_id` is set when the event concerns that one person only, or `EVERYONE`. `ref_id` names
    the thing: a post, a person, a notification, a job, a draft, a message, whom one converses with,
    a session or a token family, by `kind`.
    """

    kind: Kind
    actor_id: int
    user_id: int | None = None
    ref_id: int | None = None


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event with its place in the log: ids rise in the order in which commits became visible.

    `created_at` is when it was written, for who reads the log as it grows.
    """

    id: int
    kind: Kind
    actor_id: int
    user_id: int | None
    ref_id: int | None
    created_at: datetime | None = None


def post_published(author_id: int) -> Event:
    """Tell of a new post. The post takes the event's id, so `ref_id` is filled in by the log."""
    return Event(Kind.POST_PUBLISHED, author_id)


def post_edited(author_id: int, post_id: int) -> Event:
    """Tell that a post says something else, or that another answer to it is accepted."""
    return Event(Kind.POST_EDITED, author_id, ref_id=post_id)


def post_counted(author_id: int, post_id: int) -> Event:
    """Tell that a post has more replies, or fewer."""
    return Event(Kind.POST_COUNTED, author_id, ref_id=post_id)


def post_deleted(author_id: int, post_id: int) -> Event:
    """Tell those who could see a post that it is gone."""
    return Event(Kind.POST_DELETED, author_id, ref_id=post_id)


def user_changed(user_id: int) -> Event:
    """Tell that a profile or its counts changed."""
    return Event(Kind.USER_CHANGED, user_id, ref_id=user_id)


def presence_changed(user_id: int) -> Event:
    """Tell everyone that a person, with all that they wrote, is gone or is back."""
    return Event(Kind.PRESENCE_CHANGED, user_id, user_id=EVERYONE, ref_id=user_id)


def profile_changed(user_id: int) -> Event:
    """Tell everyone that somebody has another name or picture: any page may show it.

    It comes seldom, unlike `user_changed`, which tells those who look at this person's page.
    """
    return Event(Kind.PROFILE_CHANGED, user_id, user_id=EVERYONE, ref_id=user_id)


def relations_changed(user_id: int) -> Event:
    """Tell a person's own connections that what belongs in their home feed changed."""
    return Event(Kind.RELATIONS_CHANGED, user_id, user_id=user_id)


def notified(actor_id: int, user_id: int, group_id: int) -> Event:
    """Tell `user_id` that an item of their list is new, or another one by now, or gone."""
    return Event(Kind.NOTIFIED, actor_id, user_id=user_id, ref_id=group_id)


def notification_read(user_id: int, group_id: int) -> Event:
    """Tell a person's other connections that they have read this item."""
    return Event(Kind.NOTIFICATION_READ, user_id, user_id=user_id, ref_id=group_id)


def notifications_read(user_id: int, up_to: int) -> Event:
    """Tell a person's other connections that all items up to the position `up_to` are read."""
    return Event(Kind.NOTIFICATIONS_READ, user_id, user_id=user_id, ref_id=up_to)


def job_changed(user_id: int, job_id: int) -> Event:
    """Tell whose job it is how far it has come."""
    return Event(Kind.JOB_CHANGED, user_id, user_id=user_id, ref_id=job_id)


def draft_changed(user_id: int, draft_id: int) -> Event:
    """Tell a person's own connections what they have written and not yet sent."""
    return Event(Kind.DRAFT_CHANGED, user_id, user_id=user_id, ref_id=draft_id)


def messaged(sender_id: int, user_id: int, message_id: int) -> Event:
    """Tell one of the two people of a private message that it is there."""
    return Event(Kind.MESSAGED, sender_id, user_id=user_id, ref_id=message_id)


def message_deleted(user_id: int, message_id: int) -> Event:
    """Tell a person's connections that a message is gone for them; it may be there for another."""
    return Event(Kind.MESSAGE_DELETED, user_id, user_id=user_id, ref_id=message_id)


def conversation_changed(actor_id: int, user_id: int, other_id: int) -> Event:
    """Tell `user_id` what their conversation with `other_id` is now: read, seen, or gone."""
    return Event(Kind.CONVERSATION_CHANGED, actor_id, user_id=user_id, ref_id=other_id)


def session_revoked(user_id: int, session_id: int | None = None) -> Event:
    """Close the sockets of one browser session, or of all sessions and tokens of the person."""
    return Event(Kind.SESSION_REVOKED, user_id, user_id=user_id, ref_id=session_id)


def tokens_revoked(user_id: int, family_id: int) -> Event:
    """Close the sockets of one family of API tokens."""
    return Event(Kind.TOKENS_REVOKED, user_id, user_id=user_id, ref_id=family_id)
