"""Two ways to a database: SQLite in the loop itself, a server through its asynchronous driver.

`database` alone opens a store. A short read of an SQLite file takes a tenth of what it costs to
hand it to another thread and back, so readers run in the loop. The one writer does too, once it
has the lock for which it waits without stopping anybody; only its COMMIT, which waits for the
disk, has a thread.
"""

import asyncio
import random
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias, TypeVar

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from microblog.finishing import finished
from microblog.settings import Settings

T = TypeVar("T")
Engines: TypeAlias = tuple[Engine, Engine] | tuple[AsyncEngine, AsyncEngine]

LOCKED_SECONDS = 5.0
SHORTEST_PAUSE_SECONDS = 0.001
LONGEST_PAUSE_SECONDS = 0.02


class Scope(Protocol):
    """One connection for a while, and the way that work with it is done."""

    session: Session
    vendor: str
    options: Mapping[str, Any]

    async def do(self, work: Callable[..., T], *arguments: Any) -> T:
        """Call `work` with the session and the arguments; for what is quick."""

    async def do_aside(self, work: Callable[..., T], *arguments: Any) -> T:
        """The same for what may take long: nobody else waits meanwhile."""

    async def commit(self) -> None:
        """End the transaction and make it visible and durable."""


class Store(Protocol):
    """A database that is open."""

    engines: Engines

    def reading(self) -> Any:
        """Open a scope for queries, an asynchronous context manager of a `Scope`."""

    def writing(self) -> Any:
        """Open a transaction, likewise; without a commit nothing of it stays."""

    async def close(self) -> None:
        """Close all connections."""


# --- A server, through its asynchronous driver -------------------------------------------------


class ServerScope:
    """A session on a server's connection."""

    # Rows are read, and what they refer to is loaded, before the result is handed out.
    options: Mapping[str, Any] = MappingProxyType({"prebuffer_rows": True})

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self.session = session.sync_session
        self.vendor = session.get_bind().dialect.name

    async def do(self, work: Callable[..., T], *arguments: Any) -> T:
        return await self._session.run_sync(work, *arguments)

    do_aside = do

    async def commit(self) -> None:
        await self._session.commit()


class ServerStore:
    """A database server."""

    def __init__(self, settings: Settings) -> None:
        engine = create_async_engine(
            settings.database,
            pool_size=settings.pool_size,
            max_overflow=settings.pool_overflow,
            pool_timeout=settings.pool_timeout_seconds,
            pool_pre_ping=True,
            pool_recycle=1800,
            connect_args={"timeout": 5, "command_timeout": 30},
            hide_parameters=True,  # values are people's: none belongs in a log
        )
        self.engines: Engines = (engine, engine)
        self._engine = engine

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[ServerScope]:
        async with AsyncSession(self._engine, expire_on_commit=False) as session:
            yield ServerScope(session)

    writing = reading

    async def close(self) -> None:
        await self._engine.dispose()


# --- SQLite, in the loop -----------------------------------------------------------------------


class FileReader:
    """A session on a connection that only reads, with one view of the file until it ends."""

    options: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, session: Session) -> None:
        self.session = session
        self.vendor = "sqlite"
        self._has_view = False

    async def do(self, work: Callable[..., T], *arguments: Any) -> T:
        if self._has_view:
            return work(self.session, *arguments)
        # Only taking the view can meet a lock: while the file is recovered or put back.
        deadline = time.monotonic() + LOCKED_SECONDS
        while True:
            try:
                done = work(self.session, *arguments)
            except OperationalError as error:
                if not _is_locked(error) or time.monotonic() > deadline:
                    raise
                self.session.rollback()
            else:
                self._has_view = True
                return done
            await _pause()

    async def do_aside(self, work: Callable[..., T], *arguments: Any) -> T:
        return await finished(asyncio.to_thread(work, self.session, *arguments))

    async def commit(self) -> None:
        self.session.rollback()


class FileWriter:
    """A session that holds the file's write lock."""

    options: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, session: Session, disk: ThreadPoolExecutor) -> None:
        self.session = session
        self.vendor = "sqlite"
        self._disk = disk

    async def do(self, work: Callable[..., T], *arguments: Any) -> T:
        return work(self.session, *arguments)

    async def do_aside(self, work: Callable[..., T], *arguments: Any) -> T:
        return await finished(self._in_thread(work, self.session, *arguments))

    async def commit(self) -> None:
        self.session.flush()
        await finished(self._in_thread(self.session.commit))

    async def _in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._disk, work, *arguments)


class FileStore:
    """An SQLite file: many connections that read, one that writes."""

    def __init__(self, settings: Settings) -> None:
        prepare_file(settings.database)
        url = settings.database.set(drivername="sqlite")
        size = settings.pool_size + settings.pool_overflow
        self._patience_seconds = settings.pool_timeout_seconds
        self._readers = _engine(url, size=size, begin="BEGIN", only_reads=True)
        self._writer = _engine(url, size=1, begin="BEGIN IMMEDIATE")
        self.engines: Engines = (self._readers, self._writer)
        self._places = asyncio.Semaphore(size)
        self._turn = asyncio.Semaphore(1)
        self._disk = ThreadPoolExecutor(1, "commit")

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[FileReader]:
        await self._take(self._places)
        try:
            with Session(self._readers, expire_on_commit=False) as session:
                yield FileReader(session)
        finally:
            self._places.release()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[FileWriter]:
        await self._take(self._turn)
        try:
            with await self._begun() as session:
                yield FileWriter(session, self._disk)
        finally:
            self._turn.release()

    async def _take(self, places: asyncio.Semaphore) -> None:
        """Wait for a connection; raises TimeoutError."""
        if not places.locked():
            await places.acquire()
            return
        async with asyncio.timeout(self._patience_seconds):
            await places.acquire()

    async def _begun(self) -> Session:
        """Take the file's write lock, for which another process may make us wait."""
        deadline = time.monotonic() + LOCKED_SECONDS
        while True:
            session = Session(self._writer, expire_on_commit=False)
            try:
                session.connection()
            except BaseException as error:
                session.close()
                if not _is_locked(error) or time.monotonic() > deadline:
                    raise
            else:
                return session
            await _pause()

    async def close(self) -> None:
        self._disk.shutdown()
        self._readers.dispose()
        self._writer.dispose()


def _is_locked(error: BaseException) -> bool:
    return isinstance(error, OperationalError) and "locked" in str(error.orig)


async def _pause() -> None:
    await asyncio.sleep(random.uniform(SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS))  # noqa: S311


def prepare_file(url: URL) -> None:
    """Make the folder of an SQLite file; does nothing for a server."""
    if url.get_backend_name() == "sqlite":
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)


def _engine(url: URL, *, size: int, begin: str, only_reads: bool = False) -> Engine:
    """Open an engine whose connections wait for no lock: that would stop the loop."""
    engine = create_engine(
        url,
        pool_size=size,
        max_overflow=0,
        connect_args={"isolation_level": None, "timeout": 0, "check_same_thread": False},
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA synchronous=FULL")
        if only_reads:
            connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def open_transaction(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


def open_store(settings: Settings) -> Store:
    """Open the configured database. Connects to nothing yet."""
    if settings.database.get_backend_name() == "sqlite":
        return FileStore(settings)
    return ServerStore(settings)
