"""Every row of every table, to be compared: for tests that say "and nothing was changed"."""

from typing import Any

from sqlalchemy import Select, Table, select

from microblog.database import Database
from microblog.models import Job, Model, SearchPosition, table

Rows = dict[str, list[str]]


async def every_row(database: Database) -> Rows:
    """Return all rows by table, sorted; a table that is added later is in it by itself.

    Jobs that come by themselves, each in its time, are nobody's doing, nor is how far the search
    index has been fed.
    """
    async with database.read() as read:
        return {
            each.name: sorted(repr(tuple(row)) for row in await read.execute(_rows(each)))
            for each in Model.metadata.sorted_tables
            if each is not table(SearchPosition)
        }


def _rows(each: Table) -> Select[Any]:
    rows = select(each)
    return rows.where(each.c.key.is_(None)) if each is table(Job) else rows


def changed(before: Rows, after: Rows) -> list[str]:
    """Return the tables that differ."""
    return [name for name in after if before[name] != after[name]]
