"""What MariaDB and MySQL need: two tables more, and their own names for types.

Migrations and models say `DateTime`, `LargeBinary(32)` and `Text`, and mean what SQLite and
PostgreSQL make of them: microseconds, bytes that can be a key, and text of any length that is
compared byte by byte. `alembic/env.py` compares with `METADATA` too, where the database is one of
these.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Dialect,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateTable

from microblog.models.base import NAMING

VENDOR = "mysql"  # what SQLAlchemy calls both
NAME_SLOTS = 4096
METADATA = MetaData(naming_convention=NAMING)

log_head = Table(
    "log_head",
    METADATA,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
)
"""One row: the last number that the log has given out. Who counts it up holds it (`order`)."""

name_lock = Table(
    "name_lock", METADATA, Column("slot", SmallInteger, primary_key=True, autoincrement=False)
)
"""`NAME_SLOTS` rows, from 0 on, to be locked by who holds a name that falls on one of them."""


@compiles(DateTime, VENDOR)
def _with_microseconds(type_: DateTime, compiler: Any, **how: Any) -> str:
    return "DATETIME(6)"


@compiles(Text, VENDOR)
def _of_any_length(type_: Text, compiler: Any, **how: Any) -> str:
    return "MEDIUMTEXT"


@compiles(LargeBinary, VENDOR)
def _that_can_be_a_key(type_: LargeBinary, compiler: Any, **how: Any) -> str:
    return "LONGBLOB" if type_.length is None else f"VARBINARY({type_.length})"


@compiles(CreateTable, VENDOR)
def _compared_by_bytes(create: CreateTable, compiler: Any, **how: Any) -> str:
    made = str(compiler.visit_create_table(create, **how)).rstrip()
    collation = collation_of(compiler.dialect)
    return f"{made} ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE={collation}"


def collation_of(dialect: Dialect) -> str:
    """Return the order of text that knows no equals but the same bytes, spaces at the end too."""
    known = bool(dialect.server_version_info)  # not where statements are only written down
    is_mysql = known and not getattr(dialect, "is_mariadb", True)
    return "utf8mb4_0900_bin" if is_mysql else "utf8mb4_nopad_bin"
