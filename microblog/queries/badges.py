"""What the badges on every page say of its reader: one statement for all of them."""

from typing import NamedTuple

from sqlalchemy import bindparam, func, select

from microblog.database import Read
from microblog.models import ConversationSide, Notification, table
from microblog.queries.rows import person_table

_note, _side = table(Notification).c, table(ConversationSide).c


class Unread(NamedTuple):
    """How much somebody has not read."""

    notifications: int = 0
    messages: int = 0


_notifications = (
    select(func.count())
    .join_from(table(Notification), person_table, person_table.c.id == _note.actor_id)
    .where(
        _note.user_id == bindparam("reader"),
        _note.read_at.is_(None),
        person_table.c.deactivated_at.is_(None),
    )
)
_messages = select(func.coalesce(func.sum(_side.unread_count), 0)).where(
    _side.user_id == bindparam("reader"), _side.unread_count > 0
)
_UNREAD = select(_notifications.scalar_subquery(), _messages.scalar_subquery())


async def unread(read: Read, user_id: int) -> Unread:
    """Return how much a person has not read."""
    found = (await read.execute(_UNREAD, {"reader": user_id})).one()
    return Unread(int(found[0]), int(found[1]))
