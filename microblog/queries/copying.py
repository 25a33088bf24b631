"""A whole database, read for a copy: its tables, their rows, and which numbers it has given out.

`cli.copying` and `cli.copy_target` ask, `actions.copying` writes what is found elsewhere.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, Table, and_, func, or_, select, text

from microblog.database import Read
from microblog.models import EventRow, History, Model, SearchPosition, User, mariadb, table
from microblog.queries.paging import AnySelect

PAGE_ROWS = 500
PAGE_BLOBS = 20
"""How many rows with something large in them are in memory at once."""

_LEFT = {table(model) for model in (EventRow, History, SearchPosition)}
TABLES: tuple[Table, ...] = tuple(
    each for each in Model.metadata.sorted_tables if each not in _LEFT
)
"""What a copy holds, whatever is referred to first. The log begins anew, and so does the index."""

_PRESENT = {
    "sqlite": "SELECT name FROM sqlite_schema WHERE type = 'table'",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
    mariadb.VENDOR: "SELECT table_name FROM information_schema.tables "
    "WHERE table_schema = DATABASE()",
}
_AUTO_INCREMENT = text(
    "SELECT table_name, auto_increment - 1 FROM information_schema.tables "
    "WHERE table_schema = DATABASE() AND auto_increment IS NOT NULL"
)

_SEQUENCE = text("SELECT pg_get_serial_sequence(:name, 'id')")


async def hold_view(read: Read) -> None:
    """Let everything that is read in this scope be of one moment. Before anything else is read."""
    if read.vendor != "sqlite":  # whose scopes are so anyway
        await read.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))


async def names(read: Read) -> set[str]:
    """Return the names of all tables in the database, others' too."""
    return set((await read.execute(text(_PRESENT[read.vendor]))).scalars())


async def revision(read: Read) -> str | None:
    """Return what the database says of its tables; there must be the table that says it."""
    found = await read.scalar(text("SELECT version_num FROM alembic_version"))
    return None if found is None else str(found)


async def people(read: Read) -> int:
    """Return how many accounts there are. Nothing but the log is kept of nobody."""
    return await count(read, table(User))


async def count(read: Read, source: Table) -> int:
    """Return how many rows a table has."""
    return int(await read.scalar(select(func.count()).select_from(source)) or 0)


async def pages(read: Read, source: Table) -> AsyncIterator[list[dict[str, Any]]]:
    """Read a table from its first row to its last, a page at a time."""
    large = any(isinstance(c.type, LargeBinary) and c.type.length is None for c in source.columns)
    size = PAGE_BLOBS if large else PAGE_ROWS
    keys: Sequence[ColumnElement[Any]] = tuple(source.primary_key)
    rows = select(source).order_by(*keys).limit(size)
    page = await _page(read, rows)
    while page:
        yield page
        last = [page[-1][key.key] for key in source.primary_key]
        page = await _page(read, rows.where(_after(keys, last))) if len(page) == size else []


async def _page(read: Read, rows: AnySelect) -> list[dict[str, Any]]:
    return [dict(row) for row in (await read.execute(rows)).mappings()]


def _after(keys: Sequence[ColumnElement[Any]], last: Sequence[Any]) -> ColumnElement[bool]:
    """Say what comes after a key of several columns so that each vendor uses its index.

    (a, b) > (x, y) is the same, and MariaDB would read the whole index for it.
    """
    first, *others = keys
    beyond: ColumnElement[bool] = first > last[0]
    if not others:
        return beyond
    within = and_(first == last[0], _after(others, last[1:]))
    return and_(first >= last[0], or_(beyond, within))


async def numbers(read: Read) -> dict[str, int]:
    """Return the last number that each table which numbers its rows has given out."""
    numbered = [
        each for each in Model.metadata.sorted_tables if each.autoincrement_column is not None
    ]
    last = {
        each.name: int(await read.scalar(select(func.max(each.autoincrement_column))) or 0)
        for each in numbered
    }
    for name, number in (await _given_out(read, numbered)).items():
        last[name] = max(last.get(name, 0), number)
    return last


async def _given_out(read: Read, numbered: Sequence[Table]) -> dict[str, int]:
    """Return what the database itself keeps of it: the last rows may be gone."""
    if read.vendor == "sqlite":
        found = await read.execute(text("SELECT name, seq FROM sqlite_sequence"))
        return {str(name): int(number) for name, number in found}
    if read.vendor == mariadb.VENDOR:
        found = await read.execute(_AUTO_INCREMENT)
        given = {str(name): int(number) for name, number in found}
        return given | {"event": int(await read.scalar(select(mariadb.log_head.c.last)) or 0)}
    given = {}
    for each in numbered:
        sequence = (await read.execute(_SEQUENCE, {"name": f'"{each.name}"'})).scalar_one()
        given[each.name] = int(await read.scalar(text(f"SELECT last_value FROM {sequence}")) or 0)  # noqa: S608
    return given
