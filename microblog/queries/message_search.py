"""Searching one's own private messages, newest first. Pages and the API call this.

The two people of a message are among its tokens, so that the index itself finds nobody else's;
what it proposes is read under the one condition of who has a message (`messages.HAS`).
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, bindparam, literal_column, select, text

from microblog.core import search_plan, search_tokens
from microblog.core.search_plan import Source
from microblog.core.search_query import Query
from microblog.core.search_tokens import Term
from microblog.database import Read
from microblog.models.base import UtcDateTime
from microblog.models.search import MESSAGE_INDEX
from microblog.queries import rows
from microblog.queries.messages import HAS, MESSAGE, MessageRow, message_table
from microblog.queries.paging import AnySelect
from microblog.queries.rows import PERSON, Person, person_table
from microblog.queries.search import Asked, Found, authors_of, holds, newest
from microblog.queries.search_index import ALWAYS, NEVER, WRITTEN
from microblog.queries.visibility import VIEWER

_message = message_table.c
_HITS = (
    select(*MESSAGE, *PERSON)
    .join(person_table, person_table.c.id == _message.low_id + _message.high_id - VIEWER)
    .where(_message.id.in_(bindparam("ids", expanding=True)), HAS)
)


class Hit(NamedTuple):
    """A message that was found, and with whom it was exchanged."""

    message: MessageRow
    other: Person


async def find(read: Read, viewer_id: int, query: Query, asked: Asked) -> Found[Hit]:
    """Return the viewer's messages that answer a query; raises Invalid for unknown authors."""
    plan = search_plan.plan(
        query,
        await authors_of(read, query.authors, viewer_id, must_exist=True),
        await authors_of(read, query.unwanted_authors, viewer_id, must_exist=False),
    )
    own = Term((search_tokens.reader(viewer_id),))
    source = _source(read, replace(plan, wanted=(own, *plan.wanted)), viewer_id)
    doubted = [term for term in query.terms if not search_plan.is_exact(term)]
    excluded = [term for term in query.unwanted if not search_plan.is_exact(term)]
    loaded: dict[int, Hit] = {}

    async def kept(ids: Sequence[int]) -> dict[int, int]:
        found = await read.execute_aside(_HITS.params(ids=list(ids), viewer=viewer_id))
        size = len(MESSAGE)
        hits = [Hit(MessageRow._make(row[:size]), rows.person(row[size:])) for row in found]
        fitting = [hit for hit in hits if holds(doubted, excluded, hit.message.body)]
        loaded.update({hit.message.id: hit for hit in fitting})
        return {hit.message.id: 0 for hit in fitting}

    page = await newest(source, kept, asked)
    return Found(tuple(loaded[each] for each in page.items), page.next)


def _source(read: Read, plan: search_plan.Plan, viewer_id: int) -> Source:
    conditions, given = WRITTEN[read.vendor](plan)
    statement = _found(read.vendor, tuple(conditions))
    times = {"since": plan.since or ALWAYS, "until": plan.until or NEVER}
    given = given | times | {"viewer": viewer_id}

    async def find_ids(below: int, limit: int) -> list[int]:
        found = await read.execute_aside(statement.params(**given, below=below, limit=limit))
        return [row[0] for row in found]

    return find_ids


@lru_cache(64)
def _found(vendor: str, conditions: tuple[str, ...]) -> AnySelect:
    # FTS5 gives rows in the order of this very column without sorting them.
    name = MESSAGE_INDEX.name
    key: Any = literal_column(f"{name}.rowid", BigInteger)
    if vendor != "sqlite":
        key = MESSAGE_INDEX.c.id
    return (
        select(_message.id)
        .select_from(MESSAGE_INDEX.join(message_table, _message.id == key))
        .where(
            *(text(condition.format(index=name)) for condition in conditions),
            key < bindparam("below", type_=BigInteger),
            _message.created_at >= bindparam("since", type_=UtcDateTime),
            _message.created_at < bindparam("until", type_=UtcDateTime),
            HAS,
        )
        .order_by(key.desc())
        .limit(bindparam("limit"))
    )
