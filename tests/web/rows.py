"""Every row of every table, to be compared: for tests that say "and nothing was changed"."""

from sqlalchemy import select

from microblog.database import Database
from microblog.models import Model

Rows = dict[str, list[str]]


async def every_row(database: Database) -> Rows:
    """Return all rows by table, sorted; a table that is added later is in it by itself."""
    async with database.read() as read:
        return {
            table.name: sorted(repr(tuple(row)) for row in await read.execute(select(table)))
            for table in Model.metadata.sorted_tables
        }


def changed(before: Rows, after: Rows) -> list[str]:
    """Return the tables that differ."""
    return [name for name in after if before[name] != after[name]]
