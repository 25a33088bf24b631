"""Filling a database with what another one holds. `cli.copying` and `cli.copy_target` call this.

As long as that goes on the database says so in the place of its revision, so that no server takes
a half for the whole, and whoever begins anew knows that nothing of it need be kept.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy import Table, delete, insert, text, update
from sqlalchemy.schema import DropTable

from microblog.actions import histories, message_index, search_index
from microblog.database import Tx
from microblog.models import REVISION, History, Message, Model, mariadb, table
from microblog.models.search import INDEX_TABLES
from microblog.queries.messages import MessageRow
from microblog.queries.schema import UNFINISHED
from microblog.queries.search import SQL

_NUMBER_ON = text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :number)")
_MARK = text("UPDATE alembic_version SET version_num = :revision")


async def drop_everything(tx: Tx) -> None:
    """Take away all of our tables, last of all the one that says that they are half a copy."""
    ours = [*Model.metadata.sorted_tables, *mariadb.METADATA.sorted_tables]
    for each in reversed(ours):
        await tx.execute_aside(DropTable(each, if_exists=True))
    for name in (*INDEX_TABLES, "alembic_version"):
        await tx.execute_aside(text(f"DROP TABLE IF EXISTS {name}"))


async def begin(tx: Tx) -> None:
    """Say that a copy is under way, and take away what is there without any people."""
    await tx.execute(_MARK, {"revision": UNFINISHED})
    for each in reversed(Model.metadata.sorted_tables):
        if each.name != History.__tablename__:
            await tx.execute_aside(delete(each))
    for name in INDEX_TABLES:
        await tx.execute_aside(text(f"DELETE FROM {name}"))  # noqa: S608


async def put(tx: Tx, target: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows as they are; private messages are put into their index too."""
    await tx.execute(insert(target), rows)
    if target is table(Message):
        await message_index.put(tx, *(MessageRow(**row) for row in rows))


async def number_on(tx: Tx, last: Mapping[str, int]) -> None:
    """Let no number be given out again that another database gave out."""
    for each in Model.metadata.sorted_tables:
        number = last.get(each.name, 0)
        if number and each.autoincrement_column is not None:
            await _number_on(tx, each, number)


async def _number_on(tx: Tx, each: Table, number: int) -> None:
    if tx.vendor == "postgresql":
        await tx.execute(_NUMBER_ON, {"name": f'"{each.name}"', "number": number})
    elif tx.vendor == mariadb.VENDOR and each.name == "event":
        await tx.execute(update(mariadb.log_head).values(last=number))
    elif tx.vendor == mariadb.VENDOR:
        await tx.execute_aside(text(f"ALTER TABLE `{each.name}` AUTO_INCREMENT = {number + 1}"))
    elif each.kwargs.get("sqlite_autoincrement"):  # others go on from their greatest by themselves
        given = {"name": each.name, "number": number}
        await tx.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), given)
        await tx.execute(text("INSERT INTO sqlite_sequence VALUES (:name, :number)"), given)


async def finish(tx: Tx, log_end: int, *, signs_out: bool) -> None:
    """Let a history of its own begin after the number `log_end` of the log, and take the mark away.

    Every client is told to resync, also one that names no epoch: its cursor is below `log_end`.
    With `signs_out` everybody has to sign in again.
    """
    await tx.execute(update(History).values(epoch=uuid4().hex, pruned_to=log_end))
    await search_index.advance(tx, SQL, log_end)
    if signs_out:
        await histories.sign_everybody_out(tx)
    if tx.vendor == "postgresql":
        names = ", ".join(f'"{each.name}"' for each in Model.metadata.sorted_tables)
        await tx.execute_aside(text(f"ANALYZE {names}"))
    await tx.execute(_MARK, {"revision": REVISION})
