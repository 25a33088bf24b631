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
from sqlalchemy import URL, Connection, create_engine, event, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from microblog.file_store import prepare_file
from microblog.models import Model
from microblog.settings import Settings

MIGRATION_LOCK = 0x6D_69_67_72_61_74_65  # "migrate": held on PostgreSQL while migrating
PATIENCE_SECONDS = 30


def settings() -> Settings:
    given = context.config.attributes.get("settings")
    return given if given is not None else Settings.from_env()


def configure(**how: Any) -> None:
    context.configure(
        target_metadata=Model.metadata, compare_server_default=True, transactional_ddl=True, **how
    )


def run_on(connection: Connection) -> None:
    sqlite = connection.dialect.name == "sqlite"
    if not sqlite:
        # Two servers that start at once: the second waits here, then finds nothing to do.
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    configure(connection=connection, render_as_batch=sqlite)
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
    engine = create_async_engine(
        url, poolclass=pool.NullPool, connect_args={"timeout": PATIENCE_SECONDS}
    )
    try:
        async with engine.begin() as connection:
            await connection.run_sync(run_on)
    finally:
        await engine.dispose()


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
    configure(url=settings().database, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
elif (given := context.config.attributes.get("connection")) is not None:
    run_on(given)
elif (url := settings().database).get_backend_name() == "sqlite":
    run_on_file(url)
else:
    asyncio.run(run_on_server(url))
