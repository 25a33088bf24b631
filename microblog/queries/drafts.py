"""What people have written and not yet sent. Each is read by its own person alone."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, select

from microblog.database import Read
from microblog.models import SavedDraft, table

_draft = table(SavedDraft).c


class DraftRow(NamedTuple):
    """What stands in one of a person's forms; without text it was sent, or taken away."""

    id: int
    context: str
    title: str
    body: str
    language: str | None
    version: int
    updated_at: datetime

    @property
    def is_blank(self) -> bool:
        """Whether nothing is kept in it."""
        return not (self.body or self.title)


_COLUMNS = tuple(_draft[name] for name in DraftRow._fields)
_OF = select(*_COLUMNS).where(
    _draft.user_id == bindparam("user_id"), _draft.context == bindparam("context")
)
_ALL_OF = (
    select(*_COLUMNS)
    .where(_draft.user_id == bindparam("user_id"), (_draft.body != "") | (_draft.title != ""))
    .order_by(_draft.updated_at.desc(), _draft.id.desc())
)
_ROWS_OF = (
    select(_draft.id)
    .where(_draft.user_id == bindparam("user_id"))
    .order_by(((_draft.body != "") | (_draft.title != "")).desc(), _draft.updated_at.desc())
)


async def of(read: Read, user_id: int, context: str) -> DraftRow | None:
    """Return what a person's form was left with, also where that is no text; None if nothing."""
    found = await read.execute(_OF, {"user_id": user_id, "context": context})
    row = found.one_or_none()
    return None if row is None else DraftRow._make(row)


async def all_of(read: Read, user_id: int) -> list[DraftRow]:
    """Return all of a person's drafts that have text, the latest first."""
    return [DraftRow._make(row) for row in await read.execute(_ALL_OF, {"user_id": user_id})]


async def by_ids(read: Read, ids: Collection[int]) -> list[DraftRow]:
    """Return drafts by id; ids that are gone are left out."""
    if not ids:
        return []
    statement = select(*_COLUMNS).where(_draft.id.in_(ids))
    return [DraftRow._make(row) for row in await read.execute(statement)]


async def beyond(read: Read, user_id: int, most: int) -> list[int]:
    """Return the ids of a person's rows beyond `most`: those without text, then the oldest."""
    statement = _ROWS_OF.offset(most)
    return list(await read.scalars(statement.params(user_id=user_id)))


def nothing(context: str, now: datetime) -> DraftRow:
    """Return what stands for a draft that was never begun."""
    return DraftRow(0, context, "", "", None, 0, now)
