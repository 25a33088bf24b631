"""Runs the migrations, one at a time per database, on a connection of their own.

`alembic upgrade head` and `microblog db upgrade` both come here. A caller that already has
settings puts them in `config.attributes["settings"]`, and one that has a connection in a
transaction of its own in `config.attributes["connection"]`.
"""

import asyncio
import sqlite3
import time
from typing import Any

from alembic import context
from alembic.util import CommandError
from sqlalchemy import URL, Connection, create_engine, event, inspect, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from microblog.core.errors import SettingError
from microblog.drivers import connecting, mariadb_number
from microblog.file_store import prepare_file
from microblog.models import Model, mariadb
from microblog.models.search import INDEX_TABLES
from microblog.settings import Settings

MIGRATION_LOCK = 0x6D_69_67_72_61_74_65  # "migrate": held on PostgreSQL while migrating
PATIENCE_SECONDS = 30
MIGRATING_SECONDS = 3600  # MariaDB: as long as another one may take
UNDER_WAY = "migration_under_way"  # a table on MariaDB, while there is something to finish
# What MariaDB says of something that is there, or gone, already.
DONE_BEFORE = {1050, 1051, 1060, 1061, 1091, 1826}


def settings() -> Settings:
    given = context.config.attributes.get("settings")
    if given is not None:
        return given
    try:
        return Settings.from_env()
    except SettingError as error:
        raise CommandError(str(error)) from None  # which `alembic` tells in one line


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Leave out the index tables, which are no models, and what SQLite keeps them in."""
    return name != UNDER_WAY and (kind != "table" or not (name or "").startswith(INDEX_TABLES))


def configure(vendor: str, **how: Any) -> None:
    ours = [Model.metadata, mariadb.METADATA] if vendor == mariadb.VENDOR else Model.metadata
    context.configure(
        target_metadata=ours,
        compare_server_default=True,
        transactional_ddl=vendor != mariadb.VENDOR,
        include_name=is_ours,
        **how,
    )


def run_on(connection: Connection) -> None:
    vendor = connection.dialect.name
    if vendor == "postgresql":
        # Two servers that start at once: the second waits here, then finds nothing to do.
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    configure(vendor, connection=connection, render_as_batch=vendor == "sqlite")
    with context.begin_transaction():
        context.run_migrations()


def run_on_file(url: URL) -> None:
    prepare_file(url)
    arguments = {"timeout": PATIENCE_SECONDS, "isolation_level": None}
    engine = create_engine(
        url.set(drivername="sqlite"), poolclass=pool.NullPool, connect_args=arguments
    )

    @event.listens_for(engine, "connect")
    def plain(connection: sqlite3.Connection, record: object) -> None:
        # Batch migrations copy tables; with foreign keys on, dropping the old one would delete
        # every child row.
        connection.execute("PRAGMA foreign_keys=OFF")
        keep_journal_beside(connection)

    @event.listens_for(engine, "begin")
    def alone(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    with engine.begin() as connection:
        run_on(connection)


async def run_on_server(url: URL) -> None:
    seconds = {"connect_seconds": PATIENCE_SECONDS, "locked_seconds": PATIENCE_SECONDS}
    how = connecting(url, statement_seconds=None, **seconds)
    engine = create_async_engine(url, poolclass=pool.NullPool, **how)
    try:
        if engine.dialect.name == mariadb.VENDOR:
            async with engine.connect() as alone:
                await alone.run_sync(run_on_mariadb)
        else:
            async with engine.begin() as connection:
                await connection.run_sync(run_on)
    finally:
        await engine.dispose()


def run_on_mariadb(connection: Connection) -> None:
    """Migrate where each change of a table is committed by itself, alone.

    A run that was cut off leaves a table that says so. The next one begins its last migration
    anew, and passes over what is done already; that is why a migration writes its rows last.
    """
    name = f"microblog {connection.engine.url.database}"[:64]
    taken = "SELECT GET_LOCK(:name, :seconds)"  # until the connection is closed
    if connection.scalar(text(taken), {"name": name, "seconds": MIGRATING_SECONDS}) != 1:
        raise CommandError("another program has been migrating it for an hour")
    begun = inspect(connection).has_table(UNDER_WAY)
    connection.rollback()

    def change(cursor: Any, statement: str, values: Any, execution: Any) -> bool:
        nonlocal begun
        if not execution.isddl:
            return False
        if not begun:
            cursor.execute(f"CREATE TABLE {UNDER_WAY} (id INT PRIMARY KEY)")
        begun = True
        try:
            cursor.execute(statement, values)
        except execution.dialect.loaded_dbapi.Error as error:
            if mariadb_number(error) not in DONE_BEFORE:
                raise
            if not cut_off:  # it is another program's
                cursor.execute(f"DROP TABLE {UNDER_WAY}")
                raise
        return True

    cut_off = begun
    event.listen(connection.engine, "do_execute", change)
    run_on(connection)
    if begun:
        connection.execute(text(f"DROP TABLE {UNDER_WAY}"))


def keep_journal_beside(connection: sqlite3.Connection) -> None:
    """Turn on the write-ahead log, which the file then keeps.

    SQLite does not wait for other connections here, and here alone: two servers that open a new
    file at once would refuse each other.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


if context.is_offline_mode():
    url = settings().database
    configure(url.get_backend_name(), url=url, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
elif (given := context.config.attributes.get("connection")) is not None:
    run_on(given)
elif (url := settings().database).get_backend_name() == "sqlite":
    run_on_file(url)
else:
    asyncio.run(run_on_server(url))
