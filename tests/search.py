"""What search tests share: the index brought up to date at once, as the jobs do."""

from microblog.actions import search_index
from microblog.backends.search import SearchServer
from microblog.core import search_tokens
from microblog.core.cursors import GREATEST
from microblog.core.search_plan import Plan
from microblog.core.search_tokens import Term
from microblog.database import Database
from microblog.jobs import search as jobs
from microblog.queries import search_index as queries
from microblog.queries.search import SQL


async def index(database: Database, server: SearchServer | None = None) -> None:
    """Put everything that the log tells into the index."""
    store = SQL if server is None else server.name
    async with database.read() as read:
        position = await queries.position(read, store)
    if position is None:
        position = await jobs.fill(database, server, _tell_nobody)
    if server is not None:
        await jobs.feed_server(database, server, position)
        return
    while True:
        async with database.write() as tx:
            reached = await search_index.catch_up(tx, store, position, 500)
        if reached == position:
            return
        position = reached


async def _tell_nobody(_percent: int) -> None:
    return


async def ids_of(database: Database) -> list[int]:
    """Return the ids of the posts that stand in the database's index."""
    async with database.read() as read:
        every = Plan((Term((search_tokens.EVERY,)),))
        return await queries.source(read, "post", every, None)(GREATEST, 100)
