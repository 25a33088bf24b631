"""The index, read: what has to be put into it, and which rows a plan finds there.

`actions.search_index` and the jobs ask for the former, `queries.search` for the latter.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    TableClause,
    bindparam,
    func,
    literal_column,
    select,
    text,
)

from microblog.core import links, search_plan, search_tokens
from microblog.core.events import Kind
from microblog.core.search_plan import Document, Plan, Source, Subject
from microblog.database import Read
from microblog.models import EventRow, History, Mention, Post, PostTag, SearchPosition, User, table
from microblog.models.base import UtcDateTime
from microblog.models.search import POST_INDEX, USER_INDEX
from microblog.queries.paging import AnySelect
from microblog.queries.rows import person_table, post_table
from microblog.queries.visibility import VISIBLE

INDEX: dict[Subject, TableClause] = {"post": POST_INDEX, "user": USER_INDEX}
THINGS = {"post": post_table, "user": person_table}
ALWAYS = datetime(1, 1, 1, tzinfo=UTC)
NEVER = datetime(9999, 12, 31, tzinfo=UTC)

_event, _tag, _mention = table(EventRow).c, table(PostTag), table(Mention)
_OF_POSTS = (Kind.POST_PUBLISHED, Kind.POST_EDITED, Kind.POST_DELETED)
_TELLING = [str(kind) for kind in (*_OF_POSTS, Kind.USER_CHANGED)]
_CHANGES = (
    select(_event.id, _event.kind, _event.ref_id, _event.actor_id)
    .where(_event.id > bindparam("after"), _event.kind.in_(_TELLING))
    .order_by(_event.id)
    .limit(bindparam("limit"))
)


# --- What has to be put in ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Changes:
    """What the log tells in `count` events: ids that changed, up to the event `upto`."""

    ids: dict[Subject, list[int]]
    upto: int
    count: int


async def position(read: Read, store: str) -> int | None:
    """Return the event up to which a store has everything.

    None where it has to be filled from the tables: it is new, or the log that it needs is gone.
    """
    at = await read.scalar(select(SearchPosition.event_id).where(SearchPosition.store == store))
    pruned_to = int(await read.scalar(select(History.pruned_to)) or 0)
    return None if at is None or at < pruned_to else int(at)


async def head(read: Read) -> int:
    """Return the last event of the log."""
    return int(await read.scalar(select(func.max(EventRow.id))) or 0)


async def changes(read: Read, after: int, limit: int) -> Changes:
    """Return what the log tells after an event, at most `limit` events of it."""
    ids: dict[Subject, dict[int, None]] = {"post": {}, "user": {}}
    upto, count = after, 0
    for event in await read.execute(_CHANGES, {"after": after, "limit": limit}):
        if event.kind == Kind.USER_CHANGED:
            ids["user"][event.actor_id] = None
        else:
            # A post has the number of the event that published it.
            ids["post"][event.ref_id or event.id] = None
        upto, count = event.id, count + 1
    return Changes({subject: list(found) for subject, found in ids.items()}, upto, count)


async def next_ids(read: Read, subject: Subject, after: int, limit: int) -> list[int]:
    """Return the ids of posts or people above `after`, the least first."""
    key = THINGS[subject].c.id
    return list(await read.scalars(select(key).where(key > after).order_by(key).limit(limit)))


async def count(read: Read, subject: Subject) -> int:
    """Return how many posts or people there are."""
    return int(await read.scalar(select(func.count()).select_from(THINGS[subject])) or 0)


async def documents(read: Read, subject: Subject, ids: Collection[int]) -> list[Document]:
    """Return what is to be found of these posts or people; what is gone is left out."""
    if not ids:
        return []
    found = await read.execute(_DOCUMENTS[subject], {"ids": list(ids)})
    make = _of_post if subject == "post" else _of_person
    return [make(row) for row in found]


def _all_of(column: Any) -> ColumnElement[str]:
    of_post = column.table.c.post_id == post_table.c.id
    names = select(func.aggregate_strings(column, " ")).where(of_post)
    return names.correlate(post_table).scalar_subquery()


_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_DOCUMENTS: dict[Subject, AnySelect] = {
    "post": select(
        post_table.c.id,
        post_table.c.author_id,
        post_table.c.created_at.label("at"),
        post_table.c.language,
        _all_of(_tag.c.tag).label("tags"),
        _all_of(_mention.c.username_key).label("mentioned"),
        *(post_table.c[name] for name in Post.__searchable__),
    ).where(post_table.c.id.in_(_IDS), post_table.c.deleted_at.is_(None)),
    "user": select(
        person_table.c.id,
        person_table.c.first_seen.label("at"),
        *(person_table.c[name] for name in User.__searchable__),
    ).where(person_table.c.id.in_(_IDS), person_table.c.deactivated_at.is_(None)),
}


def _of_post(row: Any) -> Document:
    words = "\n".join(each or "" for each in row[-len(Post.__searchable__) :])
    marks = [search_tokens.EVERY, search_tokens.author(row.author_id)]
    marks += [search_tokens.LINK] if any(link.safe for link in links.find(words)) else []
    marks += [search_tokens.language(row.language)] if row.language else []
    marks += map(search_tokens.tag, (row.tags or "").split())
    marks += map(search_tokens.mention, (row.mentioned or "").split())
    return Document(row.id, (*marks, *search_tokens.texts(words)), row.at)


def _of_person(row: Any) -> Document:
    words = "\n".join(row[-len(User.__searchable__) :])
    return Document(row.id, (search_tokens.EVERY, *search_tokens.texts(words)), row.at)


async def not_yet_in(read: Read, store: str, limit: int) -> list[Document]:
    """Return the newest posts, at most `limit`, that a store has not been told of yet.

    There are hardly ever any: those of the last moment, or of the time since a worker died.
    """
    at = select(SearchPosition.event_id).where(SearchPosition.store == store).scalar_subquery()
    newest = select(post_table.c.id).where(post_table.c.id > func.coalesce(at, 0))
    ids = list(await read.scalars(newest.order_by(post_table.c.id.desc()).limit(limit)))
    return await documents(read, "post", ids)


# --- Which rows are found -----------------------------------------------------------------------


def source(read: Read, subject: Subject, plan: Plan, viewer_id: int | None) -> Source:
    """Return what finds the ids of posts that the viewer may see, or of active people."""
    conditions, given = _WRITTEN[read.vendor](plan)
    statement = _found(read.vendor, subject, tuple(conditions))
    given |= {
        "viewer": viewer_id,
        "since": plan.since or ALWAYS,
        "until": plan.until or NEVER,
    }

    async def find(below: int, limit: int) -> list[int]:
        found = await read.execute_aside(statement.params(**given, below=below, limit=limit))
        return [row[0] for row in found]

    return find


def _for_sqlite(plan: Plan) -> tuple[list[str], dict[str, Any]]:
    return ["{index} MATCH :asked"], {"asked": search_plan.fts5(plan)}


def _for_postgres(plan: Plan) -> tuple[list[str], dict[str, Any]]:
    condition = "{index}.tokens @@ CAST(CAST(:asked AS text) AS tsquery)"
    return [condition], {"asked": search_plan.tsquery(plan)}


def _for_mariadb(plan: Plan) -> tuple[list[str], dict[str, Any]]:
    wanted, unwanted = search_plan.boolean_mode(plan)
    match = "MATCH({{index}}.tokens) AGAINST (:asked{} IN BOOLEAN MODE)"
    conditions = [match.format(number) for number in range(len(wanted))]
    conditions += [f"NOT {match.format(len(wanted) + n)}" for n in range(len(unwanted))]
    return conditions, {f"asked{n}": each for n, each in enumerate([*wanted, *unwanted])}


_WRITTEN: dict[str, Callable[[Plan], tuple[list[str], dict[str, Any]]]] = {
    "sqlite": _for_sqlite,
    "postgresql": _for_postgres,
    "mysql": _for_mariadb,
}


@lru_cache(256)
def _found(vendor: str, subject: Subject, conditions: tuple[str, ...]) -> AnySelect:
    index, thing = INDEX[subject], THINGS[subject]
    # FTS5 gives rows in the order of this very column without sorting them.
    key: Any = index.c.id
    if vendor == "sqlite":
        key = literal_column(f"{index.name}.rowid", BigInteger)
    if subject == "post":
        shown = VISIBLE
        at = post_table.c.created_at
    else:
        shown = person_table.c.deactivated_at.is_(None)
        at = person_table.c.first_seen
    return (
        select(thing.c.id)
        .select_from(index.join(thing, thing.c.id == key))
        .where(
            *(text(condition.format(index=index.name)) for condition in conditions),
            key < bindparam("below", type_=BigInteger),
            at >= bindparam("since", type_=UtcDateTime),
            at < bindparam("until", type_=UtcDateTime),
            shown,
        )
        .order_by(key.desc())
        .limit(bindparam("limit"))
    )
