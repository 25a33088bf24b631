"""Putting posts and people into the index tables of the database, and taking them out.

The jobs call this, never who publishes: `queries.search_index` tells them what the log has told
since the last time, and `advance` keeps how far they are, in one transaction with the rows.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import TextClause, bindparam, text, update

from microblog.core.search_plan import Document, Subject, tsvector
from microblog.core.tasks import FeedSearch
from microblog.database import Tx
from microblog.models import SearchPosition
from microblog.queries import search_index
from microblog.queries.search_index import INDEX

KEY = "search"
PAUSE = timedelta(seconds=0.2)
"""How long what is published waits to be indexed, so that the next does not take a job more."""

_ONE_AT_A_TIME = b"search  "
_KEY = {"sqlite": "rowid"}
_TOKENS = {"postgresql": "CAST(CAST(:tokens AS text) AS tsvector)"}


def feed_soon(tx: Tx, now: datetime | None = None) -> None:
    """Let a worker put in what this transaction tells the log. Before `announce_first`."""
    tx.enqueue(FeedSearch(), key=KEY, at=now + PAUSE if now is not None else None)


async def replace(
    tx: Tx, subject: Subject, ids: Collection[int], documents: Sequence[Document]
) -> None:
    """Keep these documents of the posts or people `ids`, and nothing else of them."""
    await tx.lock_name(_ONE_AT_A_TIME)
    if ids:
        await tx.execute(_gone(tx.vendor, subject), {"ids": list(ids)})
    await _insert(tx, subject, documents)


async def replace_between(
    tx: Tx, subject: Subject, low: int, high: int, documents: Sequence[Document]
) -> None:
    """Keep these documents of all posts or people above `low` and up to `high`."""
    await tx.lock_name(_ONE_AT_A_TIME)
    await tx.execute(_gone_between(tx.vendor, subject), {"low": low, "high": high})
    await _insert(tx, subject, documents)


async def advance(tx: Tx, store: str, event_id: int) -> None:
    """Keep that a store has everything up to an event."""
    known = update(SearchPosition).where(SearchPosition.store == store)
    done: Any = await tx.execute(known.values(event_id=event_id))
    if done.rowcount == 0:
        await tx.insert(SearchPosition, {"store": store, "event_id": event_id})


async def catch_up(tx: Tx, store: str, after: int, limit: int) -> int:
    """Put in what the log tells after an event, at most `limit` events of it.

    Returns the event up to which the index now has everything: `after` where there is no more.
    """
    changes = await search_index.changes(tx, after, limit)
    if changes.upto == after:
        return after
    for subject, ids in changes.ids.items():
        await replace(tx, subject, ids, await search_index.documents(tx, subject, ids))
    await advance(tx, store, changes.upto)
    return changes.upto


async def _insert(tx: Tx, subject: Subject, documents: Sequence[Document]) -> None:
    if documents:
        written = tsvector if tx.vendor == "postgresql" else " ".join
        rows = [{"id": each.id, "tokens": written(each.tokens)} for each in documents]
        await tx.execute(_insertion(tx.vendor, subject), rows)


def _key(vendor: str) -> str:
    return _KEY.get(vendor, "id")


@cache
def _insertion(vendor: str, subject: Subject) -> TextClause:
    tokens = _TOKENS.get(vendor, ":tokens")
    name = INDEX[subject].name
    return text(f"INSERT INTO {name} ({_key(vendor)}, tokens) VALUES (:id, {tokens})")  # noqa: S608


@cache
def _gone(vendor: str, subject: Subject) -> TextClause:
    name = INDEX[subject].name
    statement = text(f"DELETE FROM {name} WHERE {_key(vendor)} IN :ids")  # noqa: S608
    return statement.bindparams(bindparam("ids", expanding=True))


@cache
def _gone_between(vendor: str, subject: Subject) -> TextClause:
    name, key = INDEX[subject].name, _key(vendor)
    return text(f"DELETE FROM {name} WHERE {key} > :low AND {key} <= :high")  # noqa: S608
