"""Telling people what concerns them, and marking it as read."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, update

from microblog.core import events
from microblog.database import Tx
from microblog.models import Notification


async def notify(
    tx: Tx, user_id: int, actor_id: int, kind: str, now: datetime, *, post_id: int | None = None
) -> None:
    """Tell `user_id` what `actor_id` did; nobody is told of their own deeds."""
    if user_id == actor_id:
        return
    row = Notification(
        user_id=user_id, actor_id=actor_id, kind=kind, post_id=post_id, created_at=now
    )
    tx.add(row)
    await tx.flush()
    tx.announce(events.notified(actor_id, user_id, row.id))


async def withdraw(tx: Tx, user_id: int, actor_id: int, kind: str) -> None:
    """Take back what `actor_id` no longer does, so that a list tells what is so."""
    gone = await tx.change(
        delete(Notification).where(
            Notification.user_id == user_id,
            Notification.actor_id == actor_id,
            Notification.kind == kind,
        )
    )
    if gone:
        tx.announce(events.notifications_read(user_id, 0))


def count_anew(tx: Tx, user_ids: Collection[int]) -> None:
    """Tell people how many unread notifications they have now, whatever became of the others."""
    for user_id in user_ids:
        tx.announce(events.notifications_read(user_id, 0))


async def mark_read(tx: Tx, user_id: int, up_to: int | None, now: datetime) -> None:
    """Mark a person's notifications up to the id `up_to` as read, or all of them."""
    statement = update(Notification).where(
        Notification.user_id == user_id, Notification.read_at.is_(None)
    )
    if up_to is not None:
        statement = statement.where(Notification.id <= up_to)
    ids = await tx.change_telling(statement.values(read_at=now), Notification.id)
    if ids:
        tx.announce(events.notifications_read(user_id, max(ids)))


async def mark_one_read(tx: Tx, user_id: int, notification_id: int, now: datetime) -> None:
    """Mark one of a person's notifications as read; the older ones stay as they are."""
    statement = update(Notification).where(
        Notification.id == notification_id,
        Notification.user_id == user_id,
        Notification.read_at.is_(None),
    )
    if await tx.change(statement.values(read_at=now)):
        tx.announce(events.notification_read(user_id, notification_id))
