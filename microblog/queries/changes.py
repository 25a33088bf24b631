"""What of somebody's own has changed since a moment, for programs that ask again and again.

The log says it: its times rise in the order in which commits became visible, so who asks with the
last time that they were told misses nothing.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, func, select

from microblog.core.events import Kind
from microblog.database import Read
from microblog.models import EventRow, table
from microblog.queries import jobs, notifications
from microblog.queries.jobs import JobRow
from microblog.queries.rows import NotificationRow

MOST = 1000

_event = table(EventRow).c
_ITEMS = {Kind.NOTIFIED, Kind.NOTIFICATION_READ}
_KINDS = [*_ITEMS, Kind.NOTIFICATIONS_READ, Kind.JOB_CHANGED]
_SINCE = (
    select(_event.kind, _event.ref_id, func.max(_event.created_at).label("at"))
    .where(
        _event.user_id == bindparam("user"),
        _event.created_at > bindparam("since"),
        _event.kind.in_([str(kind) for kind in _KINDS]),
    )
    .group_by(_event.kind, _event.ref_id)
    .order_by(func.max(_event.id))
    .limit(MOST)
)


class Changes(NamedTuple):
    """Items and jobs as they are now, each with when the log last spoke of it, earliest first.

    `counted_at` is when the number of unread notifications last changed, None where it did not.
    """

    items: list[tuple[NotificationRow, datetime]]
    jobs: list[tuple[JobRow, datetime]]
    counted_at: datetime | None


async def since(read: Read, user_id: int, moment: datetime) -> Changes:
    """Return what has changed since a moment, at most `MOST` things: the earliest ones."""
    found = (await read.execute(_SINCE, {"user": user_id, "since": moment})).all()
    items: dict[int, datetime] = {}
    ended: dict[int, datetime] = {}
    counted_at = None
    for kind, ref_id, at in found:
        if kind == Kind.JOB_CHANGED:
            ended[ref_id] = at
        else:
            counted_at = at
        if kind in _ITEMS:
            items.pop(ref_id, None)  # to the end: of two events the later one counts
            items[ref_id] = at
    whole = await notifications.by_ids(read, items)
    known = await jobs.by_ids(read, list(ended))
    return Changes(
        [(whole[key], at) for key, at in items.items() if key in whole],
        [(known[key], at) for key, at in ended.items() if key in known],
        counted_at,
    )
