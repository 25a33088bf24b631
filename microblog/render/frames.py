"""The frames of /live: JSON text. An item is made and encoded once a process, form and language.

Two forms of the same items: `microblog.v1` carries the API's JSON, for programs;
`microblog.html.v1` carries ready markup in the page's language, for our own pages.
"""

from collections.abc import Sequence
from typing import Any

from microblog.core.events import Kind
from microblog.edge import language
from microblog.queries.drafts import DraftRow
from microblog.queries.events import Delivery
from microblog.queries.jobs import JobRow
from microblog.queries.message_news import News
from microblog.queries.rows import NotificationRow, Person, PostRow, Presence
from microblog.render import fragments, messages, notifications, views
from microblog.render import json as as_json
from microblog.runtime import runtime

JSON_FORM = "microblog.v1"
HTML_FORM = "microblog.html.v1"
FORMS = (HTML_FORM, JSON_FORM)
WHOLE = {Kind.POST_PUBLISHED, Kind.POST_EDITED}
"""The kinds that bring the whole post."""


def hello(epoch: str, cursor: int, heartbeat_seconds: int) -> str:
    """Return the first frame: where the client is, and how often it will hear from us."""
    return as_json.dump(
        {
            "type": "hello",
            "epoch": epoch,
            "cursor": str(cursor),
            "heartbeat_seconds": heartbeat_seconds,
        }
    )


def heartbeat(cursor: int) -> str:
    """Return the frame that moves a quiet client on."""
    return as_json.dump({"type": "heartbeat", "cursor": str(cursor)})


def resync(reason: str, cursor: int) -> str:
    """Return the frame that tells a client to load anew what it shows."""
    return as_json.dump({"type": "resync", "reason": reason, "cursor": str(cursor)})


def subscribed(topic: str, cursor: int) -> str:
    """Return the answer to `subscribe`: after `cursor`, the topic's events come."""
    return as_json.dump({"type": "subscribed", "topic": topic, "cursor": str(cursor)})


def typing(writer_id: int) -> str:
    """Return the whisper that somebody is writing a message; it has no place in the log."""
    return as_json.dump({"type": "typing", "from": str(writer_id)})


def figures(markup: str) -> str:
    """Return the whisper of what the server counted, ready to be shown."""
    return as_json.dump({"type": "figures", "html": markup})


def events(deliveries: Sequence[Delivery], cursor: int, form: str, code: str) -> str:
    """Return a frame of items, oldest first; listeners that get the same items share it."""
    key = (form, code, cursor, *(delivery.event.id for delivery in deliveries))
    frame = runtime().frames.get(key)
    if frame is None:
        items = ",".join(text for d in deliveries if (text := item(d, form, code)) is not None)
        frame = f'{{"type":"events","cursor":"{cursor}","items":[{items}]}}'
        runtime().frames[key] = frame
    return frame


def item(delivery: Delivery, form: str, code: str) -> str | None:
    """Return one encoded item, or None for an event that has nothing to show (any more)."""
    key = (form, code)
    if key not in delivery.encoded:
        with language.speaking(code):
            data = _data(delivery, form)
        start = f'{{"id":"{delivery.event.id}","kind":"{delivery.event.kind}","data":'
        delivery.encoded[key] = None if data is None else f"{start}{data}}}"
    return delivery.encoded[key]


def _data(delivery: Delivery, form: str) -> str | None:
    """Return what an item says, encoded; a post as the API answers with it, made once for both."""
    event, subject = delivery.event, delivery.subject
    if isinstance(subject, PostRow) and event.kind in WHOLE and form == JSON_FORM:
        return as_json.post_text(subject)
    told = _told(delivery, form)
    return None if told is None else as_json.dump(told)


def _told(delivery: Delivery, form: str) -> dict[str, Any] | None:
    event, subject = delivery.event, delivery.subject
    if event.kind in {Kind.NOTIFIED, Kind.NOTIFICATION_READ}:
        return _of_notification(delivery, form)
    if event.kind is Kind.NOTIFICATIONS_READ:
        return {"unread_count": delivery.unread, "up_to": str(event.ref_id)}
    match subject:
        case PostRow():
            return _of_post(event.kind, subject)
        case Person():
            return _user(subject, form)
        case Presence():
            return _presence(subject, form)
        case DraftRow():
            return as_json.draft(subject)
        case News():
            return messages.told(event, subject, html=form == HTML_FORM)
        case JobRow():
            told = as_json.job(subject)
            return told if form == JSON_FORM else told | {"html": fragments.job(subject)}
    return None


def _of_post(kind: Kind, row: PostRow) -> dict[str, Any]:
    """Say what our own pages need of a post: whole, or what changed."""
    if kind is Kind.POST_DELETED:
        gone = {"id": str(row.id)}
        return gone | {"counts": as_json.counts(row)} if row.reply_count else gone
    if kind is Kind.POST_COUNTED:
        return {"id": str(row.id), "counts": as_json.counts(row)}
    return fragments.told(row)


def _user(row: Person, form: str) -> dict[str, Any]:
    shown = as_json.user(row)
    if form == JSON_FORM:
        return shown
    kept = ("id", "username", "display_name", "post_count", "follower_count", "following_count")
    view = views.person(row)
    shown_as = {"avatar": view.avatar_url, "portrait": view.portrait_url}
    return {name: shown[name] for name in kept} | shown_as


def _presence(row: Presence, form: str) -> dict[str, Any]:
    """Say whether a person is there; a page looks whether it might show what they wrote."""
    told = {"id": str(row.id), "present": row.is_there}
    newest = row.newest_post_id if row.is_there else None
    return told if form == JSON_FORM else told | {"newest": newest and str(newest)}


def _of_notification(delivery: Delivery, form: str) -> dict[str, Any] | None:
    """Say what an item of somebody's notifications is now, or that it is gone."""
    if not delivery.loaded:
        return None
    row = delivery.subject
    told: dict[str, Any] = {"id": str(delivery.event.ref_id), "unread_count": delivery.unread}
    if delivery.event.kind is Kind.NOTIFICATION_READ:
        return told | {"read": not isinstance(row, NotificationRow) or row.is_read}
    if not isinstance(row, NotificationRow):
        return told | {"gone": True}
    if form == JSON_FORM:
        return as_json.notification(row) | told
    view = notifications.notification(row)
    place = {"kind": row.kind, "position": str(row.position), "seen_at": view.seen_at}
    return told | place | {"read": view.read, "html": fragments.notification(view)}
