"""What someone is told of: pages of it, and how much of it is unread."""

from collections.abc import Collection, Sequence

from sqlalchemy import bindparam, func, select

from microblog.core.cursors import Page, Window
from microblog.database import Read
from microblog.models import Notification, table
from microblog.queries import posts, rows
from microblog.queries.paging import AnySelect, turn, within
from microblog.queries.rows import PERSON, NotificationRow, person_table

_note = table(Notification).c
_WHOLE = select(_note.id, _note.kind, _note.created_at, _note.read_at, _note.post_id, *PERSON).join(
    person_table, person_table.c.id == _note.actor_id
)
_UNREAD = (
    select(_note.user_id, func.count())
    .where(_note.user_id.in_(bindparam("ids", expanding=True)), _note.read_at.is_(None))
    .group_by(_note.user_id)
)


async def page(read: Read, user_id: int, window: Window) -> Page[NotificationRow]:
    """Return a person's notifications, newest first."""
    statement = within(_WHOLE.where(_note.user_id == user_id), _note.id, window)
    return turn([(row.id, row) for row in await _whole(read, statement)], window)


async def by_ids(read: Read, ids: Sequence[int]) -> dict[int, NotificationRow]:
    """Return whole notifications by id; ids that are gone are left out."""
    if not ids:
        return {}
    return {row.id: row for row in await _whole(read, _WHOLE.where(_note.id.in_(ids)))}


async def _whole(read: Read, statement: AnySelect) -> list[NotificationRow]:
    """Load notifications, then the posts that they are about."""
    found = (await read.execute(statement)).all()
    about = {row[4] for row in found if row[4] is not None}
    whole = {post.id: post for post in await posts.by_ids(read, list(about))}
    return [
        NotificationRow._make((*row[:4], rows.person(row[5:]), whole.get(row[4]))) for row in found
    ]


async def told_of(read: Read, post_id: int) -> set[int]:
    """Return the people who have been told of a post."""
    return set(await read.scalars(select(_note.user_id).where(_note.post_id == post_id)))


async def unread(read: Read, user_ids: Collection[int]) -> dict[int, int]:
    """Return the number of unread notifications of each person who has any."""
    if not user_ids:
        return {}
    return {row[0]: row[1] for row in await read.execute(_UNREAD, {"ids": list(user_ids)})}
