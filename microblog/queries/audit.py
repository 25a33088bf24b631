"""For administrators: people, there or not, and what was done to them."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from microblog.core.cursors import Page, Window
from microblog.core.leaving import DeedKind, Left
from microblog.database import Read
from microblog.models import Deed, User, table
from microblog.queries.paging import AnySelect, turn, within
from microblog.queries.rows import person_table

_deed, _actor = table(Deed).c, person_table.alias("actor")
_DEEDS = (
    select(
        _deed.id,
        _deed.kind,
        _deed.reason,
        _deed.created_at,
        _actor.c.username,
        person_table.c.username.label("subject"),
    )
    .join(person_table, person_table.c.id == _deed.subject_id)
    .outerjoin(_actor, _actor.c.id == _deed.actor_id)
)
LONGEST_BEGINNING = 30


class DeedRow(NamedTuple):
    """What was done to whom, by an administrator or by a command (`actor` None), and why."""

    id: int
    kind: str
    reason: str
    created_at: datetime
    actor: str | None
    subject: str


async def deeds(read: Read, window: Window) -> Page[DeedRow]:
    """Return what administrators did, newest first."""
    return await _deeds(read, _DEEDS, window)


async def deeds_to(read: Read, user_id: int, window: Window) -> Page[DeedRow]:
    """Return what was done to one person, newest first."""
    return await _deeds(read, _DEEDS.where(_deed.subject_id == user_id), window)


async def _deeds(read: Read, statement: AnySelect, window: Window) -> Page[DeedRow]:
    found = (await read.execute(within(statement, _deed.id, window))).all()
    return turn([(row[0], DeedRow._make(row)) for row in found], window)


async def why_suspended(read: Read, user_id: int) -> str:
    """Return the reason of a person's last suspension."""
    statement = select(_deed.reason).where(
        _deed.subject_id == user_id, _deed.kind == DeedKind.SUSPEND
    )
    return str(await read.scalar(statement.order_by(_deed.id.desc()).limit(1)) or "")


async def people(read: Read, beginning: str, window: Window) -> Page[User]:
    """Return the people whose usernames begin so, the latest member first; all but deleted ones.

    With no beginning only those who are suspended.
    """
    statement = select(User.id, User)
    if beginning:
        key = beginning[:LONGEST_BEGINNING].lower()
        there = User.left_because.is_(None) | (User.left_because != Left.DELETED)
        statement = statement.where(User.username_key.startswith(key, autoescape=True), there)
    else:
        statement = statement.where(User.left_because == Left.SUSPENDED)
    found = (await read.execute(within(statement, User.id, window))).all()
    return turn([(row_id, user) for row_id, user in found], window)
