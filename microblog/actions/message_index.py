"""Putting private messages into their index, and taking them out, with the messages themselves.

Unlike posts they go into no other store, and their two people are among their tokens: a search
looks at nobody else's.
"""

from collections.abc import Sequence
from functools import cache

from sqlalchemy import TextClause, bindparam, text

from microblog.core import markup, search_tokens
from microblog.core.search_plan import tsvector
from microblog.database import Tx
from microblog.models.search import MESSAGE_INDEX
from microblog.queries.messages import MessageRow

_KEY = {"sqlite": "rowid"}
_TOKENS = {"postgresql": "CAST(CAST(:tokens AS text) AS tsvector)"}


async def put(tx: Tx, *rows: MessageRow) -> None:
    """Let new messages be found by their two people."""
    written = tsvector if tx.vendor == "postgresql" else " ".join
    given = [{"id": row.id, "tokens": written(tuple(_tokens(row)))} for row in rows]
    await tx.execute(_insertion(tx.vendor), given)


def _tokens(row: MessageRow) -> list[str]:
    said = markup.parse(row.body)
    tokens = [search_tokens.EVERY, search_tokens.author(row.sender_id)]
    tokens += map(search_tokens.reader, (row.low_id, row.high_id))
    tokens += [search_tokens.LINK] if said.links else []
    tokens += map(search_tokens.tag, said.tags)
    tokens += map(search_tokens.mention, said.mentions)
    tokens += search_tokens.texts(row.body)
    return tokens


async def remove(tx: Tx, ids: Sequence[int]) -> None:
    """Forget messages that nobody has any more."""
    if ids:
        await tx.execute(_removal(tx.vendor), {"ids": list(ids)})


@cache
def _insertion(vendor: str) -> TextClause:
    key, tokens = _KEY.get(vendor, "id"), _TOKENS.get(vendor, ":tokens")
    return text(f"INSERT INTO {MESSAGE_INDEX.name} ({key}, tokens) VALUES (:id, {tokens})")  # noqa: S608


@cache
def _removal(vendor: str) -> TextClause:
    statement = text(f"DELETE FROM {MESSAGE_INDEX.name} WHERE {_KEY.get(vendor, 'id')} IN :ids")  # noqa: S608
    return statement.bindparams(bindparam("ids", expanding=True))
