"""Backups of a PostgreSQL database, made by `pg_dump` and brought back in one transaction.

`cli.backups` calls this. `pg_restore` turns a backup into a script; we feed it to the server
ourselves, because the new epoch, the upgrade and the numbers have to be in the same transaction.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from asyncpg import PostgresError
from sqlalchemy import Connection, pool, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine

from microblog.actions import histories
from microblog.cli.backup_files import BackupError, Contents, Progress, whole_or_absent
from microblog.cli.dumps import Dump, dump, opened_dump
from microblog.cli.migrations import make_database, upgrade_connection
from microblog.cli.plainly import reason
from microblog.database import Tx
from microblog.models import Model
from microblog.models.search import INDEX_TABLES
from microblog.settings import Settings
from microblog.stores import ServerScope

SUFFIX = ".dump"
MAGIC = b"PGDMP"
TABLES = ("alembic_version", *INDEX_TABLES, *sorted(Model.metadata.tables))
LOCK_TIMEOUT = "10s"
ATTEMPTS = 10
TRY_AGAIN = {"40P01", "55P03"}  # deadlock, lock not available


def copy(settings: Settings, target: Path, progress: Progress) -> None:
    """Have `pg_dump` write one snapshot of our tables."""
    asyncio.run(dump(settings.database, TABLES, target, progress))


def contents(file: Path, progress: Progress) -> Contents:
    """Read all rows of a backup and say what it holds."""
    return asyncio.run(_contents(file, progress))


def bring_in(settings: Settings, file: Path, kept: Path | None, progress: Progress) -> bool:
    """Put the backup in place in one transaction, however often others are in the way."""
    with _told(settings):
        make_database(settings)
        return asyncio.run(_bring_in(settings, file, kept, progress))


async def _contents(file: Path, progress: Progress) -> Contents:
    revision, people, posts, done = "", 0, 0, 0
    async with opened_dump(file) as script:
        async for _ in script.statements():
            if script.table is None:
                break
            progress(done, len(TABLES))
            done += 1
            deleted = _place(script, "deleted_at")
            async for rows in script.rows():
                if script.table.name == "alembic_version":
                    revision = rows.decode().strip()
                elif script.table.name == "user":
                    people += rows.count(b"\n")
                elif script.table.name == "post":
                    lines = rows.splitlines()
                    posts += sum(line.split(b"\t")[deleted] == b"\\N" for line in lines)
    if not revision:
        raise BackupError(f"{file} is a backup by pg_dump, but not a Microblog's.")
    return Contents(revision, people, posts)


def _place(script: Dump, column: str) -> int:
    columns = script.table.columns if script.table is not None else ()
    return columns.index(column) if column in columns else 0


async def _bring_in(settings: Settings, file: Path, kept: Path | None, progress: Progress) -> bool:
    for _ in range(ATTEMPTS - 1):
        try:
            return await _replace_at_once(settings, file, kept, progress)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in TRY_AGAIN:
                raise
    return await _replace_at_once(settings, file, kept, progress)


async def _replace_at_once(
    settings: Settings, file: Path, kept: Path | None, progress: Progress
) -> bool:
    async with _connected(settings) as connection:
        return await _replace(connection, settings, file, kept, progress)


@asynccontextmanager
async def _connected(settings: Settings) -> AsyncIterator[AsyncConnection]:
    """Open a transaction that is committed at the end of the block."""
    engine = create_async_engine(
        settings.database,
        poolclass=pool.NullPool,
        connect_args={"timeout": 10},
        hide_parameters=True,
    )
    try:
        async with engine.begin() as connection:
            yield connection
    finally:
        await engine.dispose()


async def _replace(
    connection: AsyncConnection, settings: Settings, file: Path, kept: Path | None, show: Progress
) -> bool:
    present = await connection.run_sync(_our_tables)
    numbers: dict[str, int] = {}
    if present:
        # Nobody writes from here on, so what is kept is all there is; everybody reads.
        await _lock(connection, present, "EXCLUSIVE")
        numbers = {table: last for table, (_, last) in (await _sequences(connection)).items()}
        if kept is not None:
            with whole_or_absent(kept) as part:
                await dump(settings.database, TABLES, part, lambda done, total: None)
                await _lock(connection, present, "ACCESS EXCLUSIVE")
        await connection.execute(text(f"DROP TABLE {', '.join(map(_quoted, present))}"))
    await _load(connection, file, show)
    await connection.run_sync(upgrade_connection, settings)
    async with AsyncSession(connection, join_transaction_mode="create_savepoint") as session:
        await histories.begin_anew(Tx(ServerScope(session)), uuid4().hex)
        await session.commit()
    await _number_on(connection, numbers)
    await connection.execute(text(f"ANALYZE {', '.join(map(_quoted, TABLES))}"))
    return bool(present)


def _our_tables(connection: Connection) -> list[str]:
    """Return which of our tables are there; raises BackupError where they are not ours."""
    found = connection.execute(
        text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    )
    present = sorted({str(name) for (name,) in found} & set(TABLES))
    if present and not {"alembic_version", "history", "user", "post"} <= set(present):
        raise BackupError(f"There are tables, but not a Microblog's: {', '.join(present)}.")
    return present


async def _lock(connection: AsyncConnection, tables: list[str], mode: str) -> None:
    await connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
    # Who writes nearly always begins with a person: in that order nobody waits in a circle.
    names = ", ".join(map(_quoted, sorted(tables, key=lambda name: name != "user")))
    await connection.execute(text(f"LOCK TABLE {names} IN {mode} MODE"))


async def _load(connection: AsyncConnection, file: Path, progress: Progress) -> None:
    """Make the tables of a backup, with their rows."""
    driver: Any = (await connection.get_raw_connection()).driver_connection
    done = 0
    async with opened_dump(file) as script:
        async for statements in script.statements():
            if statements:
                await driver.execute(statements)
            progress(done, len(TABLES))
            done += 1
            if (table := script.table) is not None:
                await driver.copy_to_table(
                    table.name,
                    schema_name=table.schema,
                    columns=table.columns,
                    source=script.rows(),
                )


async def _sequences(connection: AsyncConnection) -> dict[str, tuple[str, int]]:
    """Return the sequence that numbers each table, and its last number."""
    found = await connection.execute(
        text(
            "SELECT t.relname, s.oid::regclass::text FROM pg_depend d"
            " JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'"
            " JOIN pg_class t ON t.oid = d.refobjid"
            " WHERE d.deptype = 'a' AND t.relnamespace = current_schema()::regnamespace"
        )
    )
    last = {}
    for table, sequence in found.all():
        if table in TABLES:
            number = await connection.execute(text(f"SELECT last_value FROM {sequence}"))  # noqa: S608
            last[table] = (sequence, int(number.scalar_one()))
    return last


async def _number_on(connection: AsyncConnection, given: dict[str, int]) -> None:
    """Let no id come again that was given out in either history.

    A cursor of the former history is then always below the end of this one, and counts as pruned
    even where the client does not say its epoch.
    """
    for table, (sequence, last) in (await _sequences(connection)).items():
        number = max(last, given.get(table, 0)) + (table == "event")
        await connection.execute(
            text("SELECT setval(CAST(:sequence AS regclass), :number)"),
            {"sequence": sequence, "number": number},
        )
        if table == "event":
            await connection.execute(
                text("UPDATE history SET pruned_to = :number"), {"number": number}
            )


def _quoted(name: str) -> str:
    return f'"{name}"'


@contextmanager
def _told(settings: Settings) -> Iterator[None]:
    try:
        yield
    except (DBAPIError, PostgresError, OSError) as error:
        shown = settings.database.render_as_string(hide_password=True)
        raise BackupError(
            f"The backup cannot be put in the place of {shown}: {reason(error)}. "
            "Nothing was changed."
        ) from None
