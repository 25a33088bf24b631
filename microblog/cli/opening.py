"""The database, opened for one command, which may run beside a server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from microblog.backends.bell import open_bell
from microblog.core.errors import SettingError
from microblog.database import Database, open_database
from microblog.edge import logs
from microblog.log_settings import LogSettings
from microblog.queries import schema
from microblog.settings import Settings


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    """Open a database whose tables are right; what is written wakes the servers.

    Raises SettingError, with what to run, where the tables are not those of this program.
    """
    logs.configure(LogSettings(log_level="warning"))  # beside a server, whose file it is not
    database, bell = open_database(settings), open_bell(settings)
    rings: set[asyncio.Future[Any]] = set()

    def ring() -> "asyncio.Future[Any]":
        ringing = asyncio.ensure_future(bell.ring())
        rings.add(ringing)
        ringing.add_done_callback(rings.discard)
        return ringing

    database.ring = ring
    try:
        async with database.read() as read:
            problem = await schema.problem(read)
        if problem is not None:
            raise SettingError(str(problem))
        yield database
    finally:
        # Closing would silence them, and a process that listens to Redis would wait for its poll.
        await asyncio.gather(*rings, return_exceptions=True)
        await bell.close()
        await database.close()
