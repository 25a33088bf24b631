"""The order of the log and the locks of names, as each vendor keeps them. For `database` alone.

Ids of the log are taken under a lock that is released after the commit is visible, so whoever
sees event n+1 sees event n too. SQLite has one writer (`BEGIN IMMEDIATE`); PostgreSQL takes a
transaction-scoped advisory lock before the sequence; on MariaDB and MySQL the number is counted
up in the one row of a table, which stays locked until the commit.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from sqlalchemy import Executable, Result, bindparam, insert, select, text

from microblog.drivers import LOCKED_SECONDS
from microblog.models import EventRow, Model, table
from microblog.models.mariadb import NAME_SLOTS, name_lock

LOG_LOCK = 0x6D_69_63_72_6F_62_6C_67  # "microblg": the advisory lock of the log on PostgreSQL

_LOGGED = insert(table(EventRow)).returning(table(EventRow).c.id)
# In one question, and not as a setting of the connection: PgBouncer would refuse that.
_LOCKED = text(
    f"SELECT set_config('lock_timeout', '{LOCKED_SECONDS:.0f}s', true), pg_advisory_xact_lock(:key)"
)
# In one question too: the server tells the last number with its answer.
_COUNTED = text("UPDATE log_head SET last = LAST_INSERT_ID(last + :count)")
_SLOT = select(name_lock.c.slot).where(name_lock.c.slot == bindparam("slot")).with_for_update()


class Transaction(Protocol):
    """What is needed of a `Tx`."""

    async def execute(
        self, statement: Executable, parameters: Any = None
    ) -> Result[*tuple[Any, ...]]:
        """Execute a statement."""

    async def insert(self, model: type[Model], *rows: Mapping[str, Any]) -> None:
        """Write new rows."""


class OneWriter:
    """SQLite: whoever writes is alone."""

    async def lock_name(self, tx: Transaction, name: bytes) -> None:
        """Wait until no other transaction holds `name`, a digest, and hold it until the end."""

    async def lock_log(self, tx: Transaction) -> None:
        """Do the same for the log. Called once a transaction, before the first row."""

    async def write_first(self, tx: Transaction, row: Mapping[str, Any]) -> int:
        """Write one row in the log and return its id."""
        return int((await tx.execute(_LOGGED, row)).scalar_one())

    async def write(self, tx: Transaction, rows: list[dict[str, Any]]) -> None:
        """Write rows in the log, in their order."""
        await tx.insert(EventRow, *rows)


class AdvisoryLocks(OneWriter):
    """PostgreSQL."""

    async def lock_name(self, tx: Transaction, name: bytes) -> None:
        await tx.execute(_LOCKED, {"key": int.from_bytes(name[:8], signed=True)})

    async def lock_log(self, tx: Transaction) -> None:
        await tx.execute(_LOCKED, {"key": LOG_LOCK})


class RowLocks(OneWriter):
    """MariaDB and MySQL, whose locks by name (`GET_LOCK`) know nothing of transactions."""

    async def lock_name(self, tx: Transaction, name: bytes) -> None:
        """Two names that fall on one row wait for each other, which does no harm."""
        await tx.execute(_SLOT, {"slot": int.from_bytes(name[:8]) % NAME_SLOTS})

    async def write_first(self, tx: Transaction, row: Mapping[str, Any]) -> int:
        number = await self.take(tx, 1)
        await tx.insert(EventRow, {"id": number, **row})
        return number

    async def write(self, tx: Transaction, rows: list[dict[str, Any]]) -> None:
        first = await self.take(tx, len(rows)) - len(rows) + 1
        await tx.insert(EventRow, *({"id": first + n, **row} for n, row in enumerate(rows)))

    async def take(self, tx: Transaction, count: int) -> int:
        """Take the next `count` numbers of the log and return the last of them."""
        counted: Any = await tx.execute(_COUNTED, {"count": count})
        return int(counted.lastrowid)


ORDERS: Mapping[str, OneWriter] = {
    "sqlite": OneWriter(),
    "postgresql": AdvisoryLocks(),
    "mysql": RowLocks(),
}
