"""SQLite in the event loop: many connections that read, one that writes, one COMMIT for several.

`stores` alone opens it. A short read of the file takes a tenth of what it costs to hand it to
another thread and back, so readers run in the loop. The one writer does too, once it has the lock,
for which it waits without stopping anybody; only its COMMIT, which waits for the disk, has a
thread.

Writers who wait for one another share that COMMIT: each is a savepoint of one transaction, and all
are answered once it is durable. Who waits for nobody has a COMMIT of their own, at once.
"""

import asyncio
import random
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, cast

from sqlalchemy import URL, Engine, RootTransaction, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from microblog.drivers import LOCKED_SECONDS
from microblog.finishing import finished
from microblog.settings import Settings

T = TypeVar("T")

SHORTEST_PAUSE_SECONDS = 0.001
LONGEST_PAUSE_SECONDS = 0.02
MOST_TOGETHER = 32  # transactions in one COMMIT, so that the first of them does not wait for long


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
    """A session that holds the file's write lock. What it keeps is durable when its scope ends."""

    options: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, session: Session, disk: ThreadPoolExecutor) -> None:
        self.session = session
        self.vendor = "sqlite"
        self.keeps = False
        self._disk = disk

    async def do(self, work: Callable[..., T], *arguments: Any) -> T:
        return work(self.session, *arguments)

    async def do_aside(self, work: Callable[..., T], *arguments: Any) -> T:
        return await finished(self._in_thread(work, self.session, *arguments))

    async def commit(self) -> None:
        self.session.flush()
        self.keeps = True

    async def _in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._disk, work, *arguments)


class Group:
    """Transactions that share one COMMIT: it holds the file's write lock until then."""

    def __init__(self, transaction: RootTransaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection
        self._raw = cast("sqlite3.Connection", self._connection.connection.dbapi_connection)
        self.members = 0
        self.ending: asyncio.Task[None] | None = None
        self.durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.durable.add_done_callback(_heard)  # perhaps nobody waits any more

    @property
    def is_broken(self) -> bool:
        """Whether SQLite has given up the whole transaction: the disk is full, or broken."""
        return not self._raw.in_transaction

    @contextmanager
    def member(self, disk: ThreadPoolExecutor) -> Iterator[FileWriter]:
        """Let one more transaction in; nothing of it stays unless it was committed."""
        self._raw.execute("SAVEPOINT member")
        with Session(
            self._connection, expire_on_commit=False, join_transaction_mode="rollback_only"
        ) as session:
            writer = FileWriter(session, disk)
            try:
                yield writer
            except BaseException:
                writer.keeps = False
                raise
            finally:
                if not self.is_broken:
                    if not writer.keeps:
                        self._raw.execute("ROLLBACK TO member")
                    self._raw.execute("RELEASE member")
                    self.members += writer.keeps

    async def commit(self, disk: ThreadPoolExecutor) -> None:
        """Make all members durable, or tell all of them why not."""
        commit = asyncio.get_running_loop().run_in_executor(disk, self._transaction.commit)
        await asyncio.wait([commit])
        if (error := commit.exception()) is not None:
            self.fail(error)
        else:
            self._connection.close()
            self.durable.set_result(None)

    def fail(self, error: BaseException) -> None:
        """Give up all members, and tell them why. What the connection holds is not known."""
        self._connection.invalidate()
        self._connection.close()
        self.durable.set_exception(error)

    def leave(self) -> None:
        """Let go of the lock where nothing is kept."""
        self._connection.close()
        self.durable.cancel()


class FileStore:
    """An SQLite file: many connections that read, one that writes."""

    def __init__(self, settings: Settings) -> None:
        prepare_file(settings.database)
        url = settings.database.set(drivername="sqlite")
        size = settings.pool_size + settings.pool_overflow
        self._patience_seconds = settings.pool_timeout_seconds
        self._readers = _engine(url, size=size, begin="BEGIN", only_reads=True)
        self._writer = _engine(url, size=1, begin="BEGIN IMMEDIATE")
        self.engines = (self._readers, self._writer)
        self._places = asyncio.Semaphore(size)
        self._turn = asyncio.Semaphore(1)
        self._queue = 0
        self._group: Group | None = None
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
        await self._take_turn()
        try:
            group = self._group = self._group or Group(await self._begun())
            try:
                with group.member(self._disk) as writer:
                    yield writer
            finally:
                await finished(self._after_member(group))
        finally:
            self._turn.release()
        if writer.keeps:
            await asyncio.shield(group.durable)

    async def _after_member(self, group: Group) -> None:
        """End the group, unless somebody is waiting whose COMMIT can be the same."""
        if group.is_broken:
            self._group = None
            group.fail(OperationalError("COMMIT", None, sqlite3.OperationalError("disk: given up")))
        elif not group.members:
            self._group = None
            group.leave()
        elif not self._queue or group.members >= MOST_TOGETHER:
            await self._end(group)
        elif group.ending is None:
            group.ending = asyncio.create_task(self._end_later(group), name="commit")

    async def _end_later(self, group: Group) -> None:
        """Commit the group after all who were waiting when it began, whatever becomes of them."""
        async with self._turn:
            if self._group is group:
                await self._end(group)

    async def _end(self, group: Group) -> None:
        self._group = None
        await group.commit(self._disk)

    async def _take_turn(self) -> None:
        self._queue += 1
        try:
            await self._take(self._turn)
        finally:
            self._queue -= 1

    async def _take(self, places: asyncio.Semaphore) -> None:
        """Wait for a connection; raises TimeoutError."""
        if not places.locked():
            await places.acquire()
            return
        async with asyncio.timeout(self._patience_seconds):
            await places.acquire()

    async def _begun(self) -> RootTransaction:
        """Take the file's write lock, for which another process may make us wait."""
        deadline = time.monotonic() + LOCKED_SECONDS
        while True:
            connection = self._writer.connect()
            try:
                return connection.begin()
            except BaseException as error:
                connection.close()
                if not _is_locked(error) or time.monotonic() > deadline:
                    raise
            await _pause()

    async def close(self) -> None:
        async with self._turn:  # what is to be committed was here first
            self._disk.shutdown()
            self._readers.dispose()
            self._writer.dispose()


def _heard(durable: "asyncio.Future[None]") -> None:
    if not durable.cancelled():
        durable.exception()


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
