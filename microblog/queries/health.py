"""What a database says of itself and of what waits in it, for whoever looks after it.

`cli.doctor` asks.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from microblog.core.tasks import State
from microblog.database import Read
from microblog.models import Job, Post
from microblog.queries.search_index import INDEX

_VERSION = {
    "sqlite": "SELECT sqlite_version()",
    "postgresql": "SHOW server_version",
    "mysql": "SELECT version()",
}
_CLOCK = {
    "postgresql": "SELECT clock_timestamp()",
    "mysql": "SELECT utc_timestamp(6)",
}
_TEXTS = {
    "sqlite": "SELECT encoding, 'BINARY' FROM pragma_encoding",
    "postgresql": "SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database "
    "WHERE datname = current_database()",
    "mysql": "SELECT coalesce(max(character_set_name), '-'), coalesce(max(collation_name), '-') "
    "FROM information_schema.columns WHERE table_schema = database() "
    "AND table_name = 'post' AND column_name = 'body'",
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """The work behind the pages: `overdue_since` is when the oldest that nobody took was due."""

    dead: int
    running: int
    waiting: int
    overdue_since: datetime | None


async def version(read: Read) -> str:
    """Return the version of SQLite, or of the server."""
    return str(await read.scalar(text(_VERSION[read.vendor])))


async def clock(read: Read) -> datetime | None:
    """Return what time the server has; None for a file, whose clock is ours."""
    if read.vendor not in _CLOCK:
        return None
    found: datetime = await read.scalar(text(_CLOCK[read.vendor]))
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


async def texts(read: Read) -> tuple[str, str]:
    """Return how texts are encoded, and how they are compared."""
    (row,) = await read.execute(text(_TEXTS[read.vendor]))
    return str(row[0]), str(row[1])


async def journal_mode(read: Read) -> str:
    """Return how SQLite writes: "wal" is what several readers beside a writer need."""
    return str(await read.scalar(text("SELECT journal_mode FROM pragma_journal_mode")))


async def has_fts5(read: Read) -> bool:
    """Tell whether this SQLite can search."""
    return bool(await read.scalar(text("SELECT sqlite_compileoption_used('ENABLE_FTS5')")))


async def waiting(read: Read, now: datetime) -> Waiting:
    """Return how much work waits and whether anybody does it."""
    counted = select(Job.state, func.count()).group_by(Job.state)
    by_state: dict[str, int] = {row[0]: row[1] for row in await read.execute(counted)}
    oldest = select(func.min(Job.due_at)).where(Job.due_at <= now)
    return Waiting(
        by_state.get(State.DEAD, 0),
        by_state.get(State.RUNNING, 0),
        by_state.get(State.WAITING, 0),
        await read.scalar(oldest),
    )


async def indexed(read: Read) -> tuple[int, int] | None:
    """Return how many posts the database's own index has, and how many there are to be found.

    None where there is no such index.
    """
    posts = select(func.count()).select_from(Post).where(Post.deleted_at.is_(None))
    try:
        held = await read.scalar(select(func.count()).select_from(INDEX["post"]))
    except DBAPIError:
        return None
    return int(held or 0), int(await read.scalar(posts) or 0)
