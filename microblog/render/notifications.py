"""What templates and programs are told of notifications: their words' parts and where they lead."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from microblog.core import notices
from microblog.queries.rows import NotificationRow
from microblog.render import views


@dataclass(frozen=True, slots=True)
class NotificationView:
    """Something that `actor`, and `others` before them, did, with the newest post it is about.

    `url` leads there. Whoever looks at one of the pages `seen_at` has seen it. `outcome` is how a
    job ended, "" once nothing of it is kept.
    """

    id: int
    kind: str
    position: int
    actor: views.PersonView
    others: int
    post: views.PostView | None
    outcome: str
    url: str
    seen_at: tuple[str, ...]
    created_at: datetime
    read: bool


def notification(row: NotificationRow) -> NotificationView:
    """Make the view of a notification."""
    shown = views.post(row.post) if row.post is not None else None
    url = notification_path(row)
    return NotificationView(
        id=row.id,
        kind=row.kind,
        position=row.position,
        actor=views.person(row.actor),
        others=row.others,
        post=shown,
        outcome="" if row.job is None else row.job.state,
        url=url,
        seen_at=tuple(dict.fromkeys((url, *_seen_at(row)))),
        created_at=row.created_at,
        read=row.is_read,
    )


def notification_path(row: NotificationRow) -> str:
    """Return where that is of which somebody was told; of several answers, the post they answer."""
    if row.kind == notices.JOB:
        return "/export_posts"
    if row.kind == notices.MESSAGE:
        return views.conversation_path(row.actor.username)
    if row.kind == notices.FOLLOW and row.others:
        return f"{views.profile_path(row.reader)}/followers"
    if row.post is None:
        return views.profile_path(row.actor.username)
    answered = row.post.reply_to_id
    if row.size > 1 and answered is not None and row.post.reply_to_name is not None:
        return views.post_path(answered)
    return views.post_path(row.post.id)


def _seen_at(row: NotificationRow) -> Iterator[str]:
    if row.post is not None:
        yield views.post_path(row.post.id)
        if row.post.reply_to_id is not None and row.kind in {notices.REPLY, notices.ANSWER}:
            yield views.post_path(row.post.reply_to_id)
