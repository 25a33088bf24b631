"""How the driver of each vendor is told to connect, and which of its errors mean "not now".

`stores` and the migrations connect by this; `database` asks which errors pass.
"""

import asyncio
import sqlite3
import ssl
from collections.abc import Mapping
from functools import partial
from typing import Any

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

LOCKED_SECONDS = 5.0
CONNECT_SECONDS = 5.0
STATEMENT_SECONDS = 30.0

# PostgreSQL: serialization failure, deadlock, a lock that another keeps for too long, and a row
# whose owner went meanwhile.
TRY_AGAIN = {"40001", "40P01", "55P03", "23503"}
# Its classes of errors that say it is away: a lost connection; nothing left of memory, disk or
# connections; a server that is ending, or has just begun and takes nobody yet.
AWAY = ("08", "53", "57P")
PASSING = ("locked", "unable to open", "disk", "FOREIGN KEY")  # parts of SQLite's messages
# MariaDB and MySQL, by their numbers.
NOT_NOW = {
    *(1205, 1213, 3572),  # a lock that another keeps for too long, or for ever; one not waited for
    *(1020, 1412, 1452),  # what was read is no longer so; the owner of a row went meanwhile
    *(1021, 1037, 1038, 1041, 1114, 1135),  # nothing left of disk, memory, threads
    *(1040, 1129, 1203, 1226),  # too many connections
    *(1047, 1053, 1077, 1079, 1152, 1927, 4031),  # ending, not ready yet, or the connection cut off
    *(1158, 1159, 1160, 1161, 1184, 2002, 2003, 2005, 2006, 2013, 2055),  # the network
    *(1317, 1969, 3024),  # a statement that was ended
    *(1290, 1792, 1836),  # only reads at the moment, as a replica does
    *(1044, 1045, 1049, 1698),  # lets us not in: its owner has to see to it
}

# Whatever its owner chose for the server. MariaDB, which alone reads that comment, must not gather
# all who have left before it looks at one post.
_MARIADB_SESSION = (
    "SET sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
    "NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', "
    f"innodb_lock_wait_timeout = {{0}}, lock_wait_timeout = {{0}}, group_concat_max_len = {2**20}"
    " /*M!, optimizer_switch = 'exists_to_in=off' */"
)


def connecting(
    url: URL,
    *,
    connect_seconds: float = CONNECT_SECONDS,
    locked_seconds: float = LOCKED_SECONDS,
    statement_seconds: float | None = STATEMENT_SECONDS,
) -> dict[str, Any]:
    """Return what `create_async_engine` is to be told for a database server."""
    if url.get_backend_name() == "postgresql":
        limits = {"timeout": connect_seconds, "command_timeout": statement_seconds}
        return {"connect_args": limits}
    arguments = {
        "async_creator_fn": partial(open_in_time, connect_seconds),
        "charset": "utf8mb4",
        "init_command": _MARIADB_SESSION.format(round(locked_seconds)),
    }
    return {"connect_args": arguments, "isolation_level": "READ COMMITTED"}


async def open_in_time(seconds: float, **how: Any) -> Any:
    """Connect to MariaDB; its driver would wait for ever for a server that stands still."""
    from aiomysql import Connection
    from aiomysql.connection import CLIENT

    asked = _tls(how.pop("ssl", ""))
    connection = Connection(ssl=asked, **how)
    log_in = connection._request_authentication

    async def log_in_unseen() -> None:
        if not connection.server_capabilities & CLIENT.SSL:
            raise ConnectionError("the address asks for TLS, and the server offers none")
        await log_in()

    if asked is not None:
        # HACK: aiomysql would go on without TLS, and whoever stands between could have it so.
        connection._request_authentication = log_in_unseen
    async with asyncio.timeout(seconds):
        await connection._connect()
    return connection


def _tls(asked: str | Mapping[str, str]) -> ssl.SSLContext | None:
    """Make of what SQLAlchemy gathers from an address (`ssl_ca=…`, or `ssl=true`) what is meant."""
    if isinstance(asked, str):
        return None if asked.lower() in {"", "0", "false", "no"} else ssl.create_default_context()
    context = ssl.create_default_context(cafile=asked.get("ca"))
    if "cert" in asked:
        context.load_cert_chain(asked["cert"], asked.get("key"))
    return context


def is_passing(error: BaseException) -> bool:
    """Tell whether an error says that the database cannot do it now, but may later."""
    if isinstance(error, PoolTimeoutError | ConnectionError | TimeoutError):
        return True
    if isinstance(error, OSError):
        return error.errno is not None
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    number = mariadb_number(error)
    if number is not None:
        return number in NOT_NOW
    state = getattr(error.orig, "sqlstate", None) or ""
    if state in TRY_AGAIN or state.startswith(AWAY):
        return True
    if isinstance(error.orig, sqlite3.Error):
        message = str(error.orig)
        return any(part in message for part in PASSING)
    return isinstance(error, OperationalError | InterfaceError)


def mariadb_number(error: BaseException | None) -> int | None:
    """Return the number of an error of MariaDB or MySQL, or None for any other."""
    told = getattr(error, "orig", None) or error
    first = told.args[0] if told is not None and told.args else None
    is_theirs = type(told).__module__.startswith("pymysql")
    return first if is_theirs and isinstance(first, int) else None
