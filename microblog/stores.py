"""Two ways to a database: SQLite in the loop itself, a server through its asynchronous driver.

`database` alone opens a store. The file's own is in `file_store`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias, TypeVar

from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from microblog.drivers import STATEMENT_SECONDS, connecting
from microblog.file_store import FileStore
from microblog.settings import Settings

T = TypeVar("T")
Engines: TypeAlias = tuple[Engine, Engine] | tuple[AsyncEngine, AsyncEngine]


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

    @property
    def engines(self) -> Engines:
        """The engine that reads and the one that writes."""

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


class MariaScope(ServerScope):
    """The same on MariaDB or MySQL, whose driver knows no limit to the time of a statement."""

    async def do(self, work: Callable[..., T], *arguments: Any) -> T:
        async with asyncio.timeout(STATEMENT_SECONDS):
            return await super().do(work, *arguments)

    do_aside = do

    async def commit(self) -> None:
        async with asyncio.timeout(STATEMENT_SECONDS):
            await super().commit()


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
            hide_parameters=True,  # values are people's: none belongs in a log
            **connecting(settings.database),
        )
        self.engines: Engines = (engine, engine)
        self._engine = engine
        self._scope = MariaScope if engine.dialect.name == "mysql" else ServerScope

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[ServerScope]:
        async with AsyncSession(self._engine, expire_on_commit=False) as session:
            yield self._scope(session)

    writing = reading

    async def close(self) -> None:
        await self._engine.dispose()


def open_store(settings: Settings) -> Store:
    """Open the configured database. Connects to nothing yet."""
    if settings.database.get_backend_name() == "sqlite":
        return FileStore(settings)
    return ServerStore(settings)
