"""Posts, people and notifications as JSON, for the API and for the frames of /live.

Ids are strings: they are opaque, sort by time, and outgrow what JavaScript's numbers hold.
"""

import json
from datetime import datetime
from typing import Any

from microblog.core import pictures
from microblog.core.scopes import SCOPES
from microblog.models import User
from microblog.queries.access import Door
from microblog.queries.drafts import DraftRow
from microblog.queries.jobs import JobRow
from microblog.queries.posts import Version
from microblog.queries.rows import NotificationRow, Person, PostRow
from microblog.queries.search import TagRow
from microblog.queries.translations import TranslationRow
from microblog.render import notifications, views
from microblog.runtime import runtime


def moment(at: datetime) -> str:
    """Return a time as RFC 3339, in UTC, to the millisecond."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def own(row: User) -> dict[str, Any]:
    """Return a person as they see themselves: with their e-mail address."""
    return user(row) | {"email": row.email}


def user(row: User | Person) -> dict[str, Any]:
    """Return a person as everyone may see them."""
    base = f"/api/users/{row.id}"
    return {
        "id": str(row.id),
        "username": row.username,
        "display_name": row.name,
        "about_me": row.about_me,
        "first_seen": moment(row.first_seen),
        "last_seen": moment(row.last_seen),
        "post_count": row.post_count,
        "follower_count": row.follower_count,
        "following_count": row.following_count,
        "_links": {
            "self": base,
            "followers": f"{base}/followers",
            "following": f"{base}/following",
            "posts": f"{base}/posts",
            "avatar": views.avatar_path(row.username, row.avatar, pictures.LARGE),
        },
    }


def post(row: PostRow) -> dict[str, Any]:
    """Return a post with its author."""
    return {
        "id": str(row.id),
        "body": row.body,
        "html": views.body_html(row),
        "language": row.language,
        "visibility": row.visibility,
        "created_at": moment(row.created_at),
        "edited_at": None if row.edited_at is None else moment(row.edited_at),
        "author": user(row.author),
        "reply_to": None if row.reply_to_id is None else str(row.reply_to_id),
        "counts": counts(row),
        "question": _question(row),
        "_links": {
            "self": f"/api/posts/{row.id}",
            "author": f"/api/users/{row.author_id}",
            "thread": f"/api/posts/{row.id}/thread",
            "history": f"/api/posts/{row.id}/history",
            "page": views.page_path(row),
        },
    }


def version(row: Version) -> dict[str, Any]:
    """Return what a post says, or said."""
    return {
        "body": row.body,
        "html": views.version(row).html,
        "title": row.title,
        "written_at": moment(row.written_at),
    }


def counts(row: PostRow) -> dict[str, int]:
    """Return how often something was done with a post."""
    return {"replies": row.reply_count}


def _question(row: PostRow) -> dict[str, Any] | None:
    if row.question is None:
        return None
    accepted = None if row.accepted_id is None else str(row.accepted_id)
    return {"title": row.title, "state": row.question, "accepted": accepted}


def tag(row: TagRow) -> dict[str, Any]:
    """Return a hashtag that was found."""
    return {
        "name": row.name,
        "found_in": row.times,
        "_links": {"page": views.tag_path(row.name)},
    }


def notification(row: NotificationRow) -> dict[str, Any]:
    """Return an item of somebody's notifications: the newest of it, and how much there is.

    `name`, `data` and `timestamp` are what scripts for the tutorial's microblog look at.
    """
    page = notifications.notification_path(row)
    about = {"actor": row.actor.username, "others": row.others, "page": page}
    return {
        "id": str(row.id),
        "kind": row.kind,
        "name": row.kind,
        "data": {"id": str(row.id), **about},
        "timestamp": row.created_at.timestamp(),
        "created_at": moment(row.created_at),
        "position": str(row.position),
        "read": row.is_read,
        "count": row.size,
        "others": row.others,
        "actor": user(row.actor),
        "post": post(row.post) if row.post is not None else None,
        "job": job(row.job) if row.job is not None else None,
        "_links": {"page": page},
    }


def translation(row: TranslationRow) -> dict[str, Any]:
    """Return a post's translation."""
    return {"text": row.text, "from": row.source, "to": row.target, "provider": row.provider}


def job(row: JobRow) -> dict[str, Any]:
    """Return how far a job has come; `progress` is 0 to 100."""
    return {
        "id": str(row.id),
        "kind": row.kind,
        "state": row.state,
        "progress": row.progress,
        "created_at": moment(row.created_at),
        "finished_at": moment(row.finished_at) if row.finished_at is not None else None,
    }


def draft(row: DraftRow) -> dict[str, Any]:
    """Return what somebody has written and not yet sent; a `body` that is empty was sent."""
    return {
        "context": row.context,
        "title": row.title,
        "body": row.body,
        "language": row.language,
        "version": str(row.version),
        "updated_at": moment(row.updated_at),
    }


def post_text(row: PostRow) -> str:
    """Return a post encoded, made once a process for as long as nothing of it changes."""
    kept = runtime().encoded.get(row)
    if kept is None:
        kept = runtime().encoded[row] = dump(post(row))
    return kept


def sign_in(row: Door, current_id: int | None) -> dict[str, Any]:
    """Return a program that is signed in; `current_id` is the one that asks."""
    return {
        "id": str(row.id),
        "device": row.device,
        "name": row.name,
        "scopes": row.scopes.split() if row.scopes is not None else list(SCOPES),
        "expires_at": moment(row.expires_at) if row.expires_at is not None else None,
        "created_at": moment(row.created_at),
        "used_at": moment(row.used_at),
        "current": row.id == current_id,
        "_links": {"self": f"/api/tokens/{row.id}"},
    }


def dump(value: Any) -> str:
    """Encode in the shortest way, letters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
