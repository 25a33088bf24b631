"""What has changed, in the shape that scripts for the tutorial's microblog ask for.

A list of `{name, data, timestamp}` (Flask Mega-Tutorial, parts XXI and XXII): `data` is what is so
now, and `timestamp`, in seconds, is what to ask with the next time.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from microblog.queries.changes import Changes
from microblog.queries.jobs import JobRow
from microblog.queries.rows import NotificationRow
from microblog.render import json as as_json

UNREAD_MESSAGES = "unread_message_count"
UNREAD = "unread_notification_count"
TASK_PROGRESS = "task_progress"


def notices(changes: Changes, counts: dict[str, int], asked: datetime) -> list[dict[str, Any]]:
    """Return what has changed, earliest first; who asks from the beginning gets the counts too."""
    told = items(changes.items) + [_of_job(*one) for one in changes.jobs]
    counted_at = changes.counted_at
    if counted_at is None and not asked.timestamp():
        counted_at = asked
    if counted_at is not None:
        told += [notice(name, data, counted_at) for name, data in counts.items()]
    return sorted(told, key=lambda one: float(one["timestamp"]))


def items(found: Sequence[tuple[NotificationRow, datetime]]) -> list[dict[str, Any]]:
    """Return items of a list, each with when it last changed."""
    return [as_json.notification(row) | {"timestamp": at.timestamp()} for row, at in found]


def _of_job(row: JobRow, at: datetime) -> dict[str, Any]:
    data = {"task_id": str(row.id), "progress": row.progress, "name": row.kind, "state": row.state}
    return notice(TASK_PROGRESS, data, at)


def notice(name: str, data: Any, at: datetime) -> dict[str, Any]:
    """Return one notice."""
    return {"name": name, "data": data, "timestamp": at.timestamp()}
