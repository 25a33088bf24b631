"""Conversations: what a post answers, and what answers it. Each is one statement for all places.

A place whose post is gone, or is not for this reader, stays for as long as something answers it,
so that a conversation does not fall apart.
"""

from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import bindparam, literal, or_, select

from microblog.core.cursors import Page, Window
from microblog.core.errors import NotFound
from microblog.database import Read
from microblog.queries import rows
from microblog.queries.paging import AnySelect, turn
from microblog.queries.rows import WHOLE_POST, PostRow, person_table, post_table
from microblog.queries.visibility import VISIBLE

MOST_ANCESTORS = 40

_upper = post_table.alias("upper")
_child = post_table.alias("child")


class Place(NamedTuple):
    """A place in a conversation; `post` is None where it is gone, or not for this reader."""

    id: int
    post: PostRow | None


def _above() -> AnySelect:
    """Select what a post answers, what that answers, and so on, the first of all first."""
    start = select(_upper.c.reply_to_id.label("id"), literal(1).label("depth"))
    above = start.where(_upper.c.id == bindparam("id")).cte("above", recursive=True)
    further = select(_upper.c.reply_to_id, above.c.depth + 1).where(
        _upper.c.id == above.c.id,
        _upper.c.reply_to_id.is_not(None),
        above.c.depth < bindparam("most"),
    )
    above = above.union_all(further)
    joined = above.outerjoin(post_table, post_table.c.id == above.c.id)
    joined = joined.outerjoin(person_table, person_table.c.id == post_table.c.author_id)
    return (
        select(above.c.id, VISIBLE, *WHOLE_POST)
        .select_from(joined)
        .where(above.c.id.is_not(None))
        .order_by(above.c.depth.desc())
    )


_ABOVE = _above()
_places = select(post_table.c.id, VISIBLE, *WHOLE_POST).join(
    person_table, person_table.c.id == post_table.c.author_id
)
_ONE = _places.where(post_table.c.id == bindparam("id"))
_IS_ANSWERED = select(_child.c.id).where(_child.c.reply_to_id == bindparam("id")).limit(1)


def _place(row: Any) -> Place:
    return Place(row[0], rows.post(row[2:]) if row[1] else None)


async def place(read: Read, post_id: int, viewer_id: int | None) -> Place:
    """Return where a conversation is looked at.

    Raises NotFound for a post that the viewer may not see, unless it was deleted and answers to
    it are left.
    """
    given = {"id": post_id, "viewer": viewer_id}
    row = (await read.execute(_ONE, given)).one_or_none()
    if row is None:
        raise NotFound
    found = _place(row)
    if found.post is None:
        is_deleted = rows.post(row[2:]).deleted_at is not None
        if not is_deleted or await read.scalar(_IS_ANSWERED.params(id=post_id)) is None:
            raise NotFound
    return found


async def ancestors(read: Read, post_id: int, viewer_id: int | None) -> list[Place]:
    """Return what a post answers, and what that answers, oldest first: the nearest forty."""
    given = {"id": post_id, "viewer": viewer_id, "most": MOST_ANCESTORS}
    return [_place(row) for row in await read.execute(_ABOVE, given)]


async def replies(read: Read, post_id: int, viewer_id: int | None, window: Window) -> Page[Place]:
    """Return what answers a post, **oldest first**: a page's `after` leads on, `before` back.

    A reply that is gone keeps its place if it was answered itself.
    """
    is_first = window.before is None and window.after is None
    asked = replace(window, after=0) if is_first else window
    where = {"before": asked.before, "after": asked.after, "limit": asked.limit + 1}
    statement = _below(asked.before is not None, asked.after is not None, asked.rising)
    given = {"id": post_id, "viewer": viewer_id, **where}
    found = [_place(row) for row in await read.execute(statement, given)]
    page = turn([(each.id, each) for each in found], asked)
    return Page(tuple(reversed(page.items)), None if is_first else page.before, page.after)


@cache
def _below(before: bool, after: bool, rising: bool) -> AnySelect:
    key = post_table.c.id
    statement = _places.where(
        post_table.c.reply_to_id == bindparam("id"), or_(VISIBLE, post_table.c.reply_count > 0)
    )
    if before:
        statement = statement.where(key < bindparam("before"))
    if after:
        statement = statement.where(key > bindparam("after"))
    return statement.order_by(key.asc() if rising else key.desc()).limit(bindparam("limit"))
