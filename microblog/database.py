"""The database: scopes for reading and writing, and the order of the log.

Surfaces open one scope a request: `read()` gives queries a `Read`, `write()` gives actions a
`Tx`. A `Tx` gathers the tasks that actions enqueue and the events that they announce, writes them
last, commits, and rings the bell once the commit is visible. Nobody else commits, and nobody
else rings.

How each vendor keeps the order of the log is told in `order`, and which errors pass in `drivers`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar, cast

from sqlalchemy import (
    ColumnElement,
    Delete,
    Executable,
    Result,
    ScalarResult,
    Table,
    Update,
    insert,
    select,
)
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool
from sqlalchemy.sql.selectable import TypedReturnsRows

from microblog import enqueuing
from microblog.core.errors import Unavailable
from microblog.core.events import Event, job_changed
from microblog.core.tasks import Task
from microblog.drivers import is_passing
from microblog.models import Model, table
from microblog.order import ORDERS
from microblog.settings import Settings
from microblog.stores import Engines, Scope, Store, open_store

M = TypeVar("M", bound=Model)

RETRY_AFTER_SECONDS = 2


class Read:
    """A scope for queries. Holds one connection until its block ends."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    @property
    def vendor(self) -> str:
        """The database's kind: "sqlite", "postgresql" or "mysql" (MariaDB too)."""
        return self._scope.vendor

    async def execute(
        self, statement: Executable, parameters: Any = None
    ) -> Result[*tuple[Any, ...]]:
        return await self._scope.do(_execute, statement, parameters, self._scope.options)

    async def execute_aside(self, statement: Executable) -> Result[*tuple[Any, ...]]:
        """Execute what may touch many rows, without holding up whoever else is served."""
        return await self._scope.do_aside(_execute, statement, None, self._scope.options)

    async def scalars(self, statement: TypedReturnsRows[*tuple[Any, ...]]) -> ScalarResult[Any]:
        return (await self.execute(statement)).scalars()

    async def scalar(self, statement: Executable) -> Any:
        return (await self.execute(statement)).scalar()

    async def get(self, model: type[M], key: Any) -> M | None:
        return await self._scope.do(Session.get, model, key)


def _execute(
    session: Session, statement: Executable, parameters: Any, options: Mapping[str, Any]
) -> Result[*tuple[Any, ...]]:
    return session.execute(statement, parameters, execution_options=options)


class Tx(Read):
    """A scope for actions: one transaction, the jobs it leaves, the events it will announce."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self._order = ORDERS[scope.vendor]
        self._announced: list[Event] = []
        self._enqueued: list[dict[str, Any]] = []
        self._logged = False
        self.left_jobs = False  # whether a worker has something to look for after the commit

    async def insert(self, model: type[Model], *rows: Mapping[str, Any]) -> None:
        """Write new rows now, each given by its columns; cheaper than `add` where none is read."""
        if rows:
            given: Any = rows[0] if len(rows) == 1 else list(rows)
            await self.execute(_insertion(model), given)

    async def change(self, statement: Update | Delete) -> int:
        """Update or delete rows and return how many they were."""
        changed: Any = await self.execute(statement)
        return int(changed.rowcount)

    async def change_telling(self, statement: Update | Delete, told: Any) -> list[Any]:
        """Update or delete rows and return the column `told` of each, in any order."""
        if self.vendor != "mysql":  # which has no UPDATE … RETURNING
            return list(await self.scalars(statement.returning(told)))
        (key,) = cast("Table", statement.table).primary_key
        where = cast("ColumnElement[bool]", statement.whereclause)
        chosen = select(key, told).where(where).with_for_update()
        rows = (await self.execute(chosen)).all()
        if rows:
            await self.execute(statement.where(key.in_([row[0] for row in rows])))
        return [row[1] for row in rows]

    def add(self, row: Model) -> None:
        """Write a new row, at the next flush."""
        self._scope.session.add(row)

    async def flush(self) -> None:
        await self._scope.do(Session.flush)

    def announce(self, event_: Event) -> None:
        """Tell the world of `event_` when this transaction is committed."""
        self._announced.append(event_)

    async def announce_first(self, event_: Event) -> int:
        """Write `event_` in the log now and return its id, for the row that shares the id.

        Holds the lock of the log until the commit. Do slow things and update rows before: who
        holds the log's lock must not wait for a row whose holder waits for the log.
        """
        await self._lock_log()
        return await self._order.write_first(self, _columns(event_, datetime.now(UTC)))

    def enqueue(
        self,
        task: Task,
        *,
        key: str | None = None,
        at: datetime | None = None,
        user_id: int | None = None,
    ) -> None:
        """Leave a task for a worker, as part of this transaction; not before `at`.

        At most one unfinished job has a `key` (200 characters at most): where one waits, nothing
        is added; where one runs, it is done once more afterwards. A key must be given before
        `announce_first`, unless it is new with this very transaction, as one made of a new id is.
        Whose job it is, `user_id`, is told of its progress, and with a key also that it waits.
        """
        self._enqueued.append(enqueuing.row(task, key, at, user_id))

    async def lock_name(self, name: bytes) -> None:
        """Let one transaction at a time pass for `name` (SQLite has one writer anyway)."""
        await self._order.lock_name(self, name)

    async def _lock_log(self) -> None:
        await self._write_jobs()  # before: who holds the log's lock waits for no row of a key
        if not self._logged:
            await self._order.lock_log(self)
        self._logged = True

    async def _write_jobs(self) -> None:
        if not self._enqueued:
            return
        await self.flush()
        rows = enqueuing.ordered(self._enqueued, datetime.now(UTC))
        self._enqueued = []
        await self.execute(enqueuing.statement(self.vendor), rows[0] if len(rows) == 1 else rows)
        self.left_jobs = True
        if keys := enqueuing.owned_keys(rows):
            for user_id, job_id in await self.execute(enqueuing.OWNED, {"keys": keys}):
                self.announce(job_changed(user_id, job_id))

    async def _write_log(self) -> None:
        """Write what was enqueued and announced."""
        await self._write_jobs()
        if self._announced:
            await self.flush()
            await self._lock_log()
            now = datetime.now(UTC)
            await self._order.write(self, [_columns(item, now) for item in self._announced])


@cache
def _insertion(model: type[Model]) -> Executable:
    return insert(table(model))


def _columns(item: Event, now: datetime) -> dict[str, Any]:
    return {
        "kind": str(item.kind),
        "actor_id": item.actor_id,
        "user_id": item.user_id,
        "ref_id": item.ref_id,
        "created_at": now,
    }


class Database:
    """The one database, for reading and for writing."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rings: set[asyncio.Task[None]] = set()
        self.ring: Callable[[], Any] | None = None
        self.on_jobs: Callable[[], None] | None = None

    @property
    def engines(self) -> Engines:
        """The engine that reads and the one that writes: one and the same on a server."""
        return self._store.engines

    @property
    def vendor(self) -> str:
        """The database's kind: "sqlite", "postgresql" or "mysql" (MariaDB too)."""
        return self.engines[0].dialect.name

    def connections(self) -> tuple[int, int]:
        """Return how many connections are in use, and how many are open."""
        pools = {cast("QueuePool", engine.pool) for engine in self.engines}
        used = sum(pool.checkedout() for pool in pools)
        return used, used + sum(pool.checkedin() for pool in pools)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Read]:
        """Open a scope for queries; raises Unavailable while the database is out of reach."""
        with _told_as_unavailable():
            async with self._store.reading() as scope:
                yield Read(scope)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        """Open a transaction, commit it at the end of the block, then ring the bell.

        An exception rolls everything back. Raises Unavailable while the database is locked or
        out of reach; then nothing was written, or the client may ask again with its key.
        """
        with _told_as_unavailable():
            async with self._store.writing() as scope:
                tx = Tx(scope)
                yield tx
                await tx._write_log()
                await scope.commit()
            if tx.left_jobs and self.on_jobs is not None:
                self.on_jobs()  # who works in this process need not wait for the bell
            if tx._logged or tx.left_jobs:
                self._ring_later()

    def _ring_later(self) -> None:
        if self.ring is not None:
            task = asyncio.ensure_future(self.ring())
            self._rings.add(task)
            task.add_done_callback(self._rings.discard)

    async def close(self) -> None:
        await asyncio.gather(*self._rings, return_exceptions=True)  # a ring gives up by itself
        await self._store.close()


class _told_as_unavailable:  # noqa: N801 - reads as a sentence where it is used
    """Turn what says "not now" into Unavailable, and let everything else through."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None and is_passing(error):
            raise Unavailable(RETRY_AFTER_SECONDS) from error


def open_database(settings: Settings) -> Database:
    """Open the configured database. Connects to nothing yet."""
    return Database(open_store(settings))
