"""What someone is told of: pages of it, and how much of it is unread."""

from collections.abc import Collection, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from microblog.core.cursors import Page, Window
from microblog.database import Read
from microblog.models import Notification, Post
from microblog.queries.paging import turn, within

_WHOLE = (
    joinedload(Notification.actor),
    joinedload(Notification.post).joinedload(Post.author),
    joinedload(Notification.post).selectinload(Post.mentions),
)


async def page(read: Read, user_id: int, window: Window) -> Page[Notification]:
    """Return a person's notifications, newest first."""
    statement = within(
        select(Notification).where(Notification.user_id == user_id).options(*_WHOLE),
        Notification.id,
        window,
    )
    return turn([(row.id, row) for row in await read.scalars(statement)], window)


async def by_ids(read: Read, ids: Sequence[int]) -> dict[int, Notification]:
    """Return whole notifications by id; ids that are gone are left out."""
    if not ids:
        return {}
    statement = select(Notification).where(Notification.id.in_(ids)).options(*_WHOLE)
    return {row.id: row for row in await read.scalars(statement)}


async def unread(read: Read, user_ids: Collection[int]) -> dict[int, int]:
    """Return the number of unread notifications of each person who has any."""
    if not user_ids:
        return {}
    statement = (
        select(Notification.user_id, func.count())
        .where(Notification.user_id.in_(user_ids), Notification.read_at.is_(None))
        .group_by(Notification.user_id)
    )
    return {row[0]: row[1] for row in await read.execute(statement)}
