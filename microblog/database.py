"""The database: engines, scopes for reading and writing, and the order of the log.

Surfaces open one scope a request: `read()` gives queries a `Read`, `write()` gives actions a
`Tx`. A `Tx` gathers the events that actions announce, writes them last, commits, and rings the
bell once the commit is visible. Nobody else commits, and nobody else rings.

Ids of the log are taken under a lock that is released after the commit is visible, so whoever
sees event n+1 sees event n too. SQLite has one writer (`BEGIN IMMEDIATE`); PostgreSQL takes a
transaction-scoped advisory lock before the sequence.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import URL, Executable, Result, ScalarResult, event, insert, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.sql.selectable import TypedReturnsRows

from microblog.core.errors import Unavailable
from microblog.core.events import Event
from microblog.models import EventRow, Model
from microblog.settings import Settings

T = TypeVar("T")
M = TypeVar("M", bound=Model)
Rows: TypeAlias = Result[*tuple[Any, ...]]

BUSY_TIMEOUT_SECONDS = 5
RETRY_AFTER_SECONDS = 2
TRY_AGAIN = {"40001", "40P01"}  # PostgreSQL: serialization failure, deadlock
LOG_LOCK = 0x6D_69_63_72_6F_62_6C_67  # "microblg": the advisory lock of the log on PostgreSQL


async def finished(work: Coroutine[Any, Any, T]) -> T:
    """Do some work with the database to its end, also when who waits for it is cancelled.

    A connection that is torn out of a statement is lost; SQLite has only one that writes.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


class Read:
    """A scope for queries. Holds one connection until its block ends."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    @property
    def vendor(self) -> str:
        """The database's kind: "sqlite" or "postgresql"."""
        return self.session.get_bind().dialect.name

    async def execute(
        self, statement: Executable, parameters: Any = None
    ) -> Result[*tuple[Any, ...]]:
        return await self.session.execute(statement, parameters)

    async def scalars(self, statement: TypedReturnsRows[*tuple[Any, ...]]) -> ScalarResult[Any]:
        return await self.session.scalars(statement)

    async def scalar(self, statement: Executable) -> Any:
        return await self.session.scalar(statement)

    async def get(self, model: type[M], key: Any) -> M | None:
        return await self.session.get(model, key)


class Tx(Read):
    """A scope for actions: one transaction, and the events it will announce."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session)
        self._announced: list[Event] = []
        self._logged = False

    def add(self, row: Model) -> None:
        self.session.add(row)

    async def flush(self) -> None:
        await self.session.flush()

    def announce(self, event_: Event) -> None:
        """Tell the world of `event_` when this transaction is committed."""
        self._announced.append(event_)

    async def announce_first(self, event_: Event) -> int:
        """Write `event_` in the log now and return its id, for the row that shares the id.

        Holds the lock of the log until the commit. Do slow things and update rows before: who
        holds the log's lock must not wait for a row whose holder waits for the log.
        """
        await self._lock_log()
        now = datetime.now(UTC)
        statement = insert(EventRow).values(**_columns(event_, now)).returning(EventRow.id)
        return int(await self.scalar(statement))

    async def lock_name(self, name: bytes) -> None:
        """Let one transaction at a time pass for `name` (SQLite has one writer anyway)."""
        if self.vendor == "postgresql":
            key = int.from_bytes(name[:8], signed=True)
            await self.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})

    async def _lock_log(self) -> None:
        if self.vendor == "postgresql" and not self._logged:
            await self.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOG_LOCK})
        self._logged = True

    async def _write_log(self) -> bool:
        """Write what was announced; return whether this transaction touched the log."""
        if self._announced:
            await self.session.flush()
            await self._lock_log()
            now = datetime.now(UTC)
            rows = [_columns(item, now) for item in self._announced]
            await self.execute(insert(EventRow), rows)
        return self._logged


def _columns(item: Event, now: datetime) -> dict[str, Any]:
    return {
        "kind": str(item.kind),
        "actor_id": item.actor_id,
        "user_id": item.user_id,
        "ref_id": item.ref_id,
        "created_at": now,
    }


class Database:
    """Two engines on one database: readers, and the writer (one connection on SQLite)."""

    def __init__(self, readers: AsyncEngine, writer: AsyncEngine) -> None:
        self._readers = readers
        self._writer = writer
        self._rings: set[asyncio.Task[None]] = set()
        self.ring: Callable[[], Any] | None = None

    @property
    def vendor(self) -> str:
        return self._readers.dialect.name

    @property
    def engines(self) -> tuple[AsyncEngine, AsyncEngine]:
        """The engine that reads and the one that writes: one and the same on a server."""
        return self._readers, self._writer

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Read]:
        """Open a scope for queries; raises Unavailable while the database is out of reach."""
        with _told_as_unavailable():
            async with AsyncSession(self._readers, expire_on_commit=False) as session:
                yield Read(session)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        """Open a transaction, commit it at the end of the block, then ring the bell.

        An exception rolls everything back. Raises Unavailable while the database is locked or
        out of reach; then nothing was written, or the client may ask again with its key.
        """
        with _told_as_unavailable():
            async with AsyncSession(self._writer, expire_on_commit=False) as session:
                tx = Tx(session)
                yield tx
                logged = await tx._write_log()
                await session.commit()
            if logged:
                self._ring_later()

    def _ring_later(self) -> None:
        if self.ring is not None:
            task = asyncio.ensure_future(self.ring())
            self._rings.add(task)
            task.add_done_callback(self._rings.discard)

    async def close(self) -> None:
        await asyncio.gather(*self._rings, return_exceptions=True)  # a ring gives up by itself
        await self._readers.dispose()
        await self._writer.dispose()


class _told_as_unavailable:  # noqa: N801 - reads as a sentence where it is used
    """Turn what says "not now" into Unavailable, and let everything else through."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None and _is_passing(error):
            raise Unavailable(RETRY_AFTER_SECONDS) from error


def _is_passing(error: BaseException) -> bool:
    if isinstance(error, PoolTimeoutError | ConnectionError | TimeoutError):
        return True
    if isinstance(error, OSError):
        return error.errno is not None
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    if getattr(error.orig, "sqlstate", None) in TRY_AGAIN:
        return True
    if isinstance(error.orig, sqlite3.Error):
        message = str(error.orig)
        return any(part in message for part in ("locked", "unable to open", "disk"))
    return isinstance(error, OperationalError | InterfaceError)


def open_database(settings: Settings) -> Database:
    """Open the engines of the configured database. Connects to nothing yet."""
    url = settings.database
    if url.get_backend_name() == "sqlite":
        return _open_sqlite(url, settings)
    engine = create_async_engine(
        url,
        pool_size=settings.pool_size,
        max_overflow=settings.pool_overflow,
        pool_timeout=settings.pool_timeout_seconds,
        pool_pre_ping=True,
        pool_recycle=1800,
        connect_args={"timeout": 5, "command_timeout": 30},
        hide_parameters=True,  # values are people's: none belongs in a log
    )
    return Database(engine, engine)


def prepare_file(url: URL) -> None:
    """Make the folder of an SQLite file; does nothing for a server."""
    if url.get_backend_name() == "sqlite":
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)


def _open_sqlite(url: URL, settings: Settings) -> Database:
    prepare_file(url)
    writer = _sqlite_engine(url, settings, size=1, overflow=0)
    readers = _sqlite_engine(
        url, settings, size=settings.pool_size, overflow=settings.pool_overflow
    )

    @event.listens_for(writer.sync_engine, "begin")
    def begin_writing(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @event.listens_for(readers.sync_engine, "begin")
    def begin_reading(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN")

    @event.listens_for(readers.sync_engine, "connect")
    def only_read(connection: Any, record: object) -> None:
        _run(connection, "PRAGMA query_only=ON")

    return Database(readers, writer)


def _sqlite_engine(url: URL, settings: Settings, *, size: int, overflow: int) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=size,
        max_overflow=overflow,
        pool_timeout=settings.pool_timeout_seconds,
        connect_args={"isolation_level": None, "timeout": BUSY_TIMEOUT_SECONDS},
        hide_parameters=True,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, record: object) -> None:
        _run(
            connection,
            "PRAGMA journal_mode=WAL",
            "PRAGMA foreign_keys=ON",
            f"PRAGMA busy_timeout={BUSY_TIMEOUT_SECONDS * 1000}",
            "PRAGMA synchronous=FULL",
        )

    return engine


def _run(connection: Any, *statements: str) -> None:
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    cursor.close()
