"""Feeding the search index: what the log tells, soon after it was told; everything where it is new.

Who publishes leaves one `FeedSearch` for all who publish meanwhile. How far the index is stands
beside it (`search_position`), so a worker that dies loses nothing, and a server that was away is
told what it missed.
"""

from collections.abc import Awaitable, Callable

from microblog.actions import search_index
from microblog.backends.search import SearchServer
from microblog.core.cursors import GREATEST
from microblog.core.errors import Unavailable
from microblog.core.search_plan import SUBJECTS, Subject
from microblog.core.tasks import FeedSearch, TendSearch
from microblog.database import Database
from microblog.jobs.work import Job, NotNow
from microblog.queries import search_index as queries
from microblog.queries.search import SQL

BATCH = 50
AWAY_SECONDS = 2.0
"""Until a search server that was away is tried again."""

Progress = Callable[[int], Awaitable[None]]


async def feed(job: Job, _task: FeedSearch | TendSearch) -> None:
    """Bring the index up to date."""
    database, server = job.runtime.database, job.runtime.search
    store = SQL if server is None else server.name
    async with database.read() as read:
        position = await queries.position(read, store)
    try:
        if position is None or (server is not None and not await server.is_made()):
            position = await fill(database, server, job.progress)
        if server is not None:
            await feed_server(database, server, position)
            return
    except Unavailable as away:
        if server is None:
            raise
        raise NotNow("The search server is out of reach.", AWAY_SECONDS) from away
    await _feed_tables(job, position)


async def _feed_tables(job: Job, position: int) -> None:
    """Put in what the log tells; the last of it, nearly always all, ends the job with it."""
    database = job.runtime.database
    while True:
        async with database.read() as read:
            changes = await queries.changes(read, position, BATCH)
        if changes.count < BATCH:
            break
        async with database.write() as tx:
            position = await search_index.catch_up(tx, SQL, position, BATCH)
    async with job.write() as tx:
        await search_index.catch_up(tx, SQL, position, BATCH)


async def feed_server(database: Database, server: SearchServer, position: int) -> None:
    """Tell a server what the log tells after its position."""
    while True:
        async with database.read() as read:
            changes = await queries.changes(read, position, BATCH)
            found = {
                subject: (ids, await queries.documents(read, subject, ids))
                for subject, ids in changes.ids.items()
            }
        if changes.upto == position:
            return
        for subject, (ids, documents) in found.items():
            await server.put(subject, ids, documents)
        position = changes.upto
        async with database.write() as tx:
            await search_index.advance(tx, server.name, position)


async def fill(database: Database, server: SearchServer | None, told: Progress) -> int:
    """Put everything in while people write and search; return the event it is up to date with.

    In the database the rows are made anew one after the other; on a server a new index is filled
    beside the one that is searched, and takes its place at the end. What is published
    meanwhile comes after the returned event.
    """
    async with database.read() as read:
        position = await queries.head(read)
        totals = {subject: await queries.count(read, subject) for subject in SUBJECTS}
    total, done = max(1, sum(totals.values())), 0

    async def put_in(count: int) -> None:
        nonlocal done
        done += count
        await told(min(99, 100 * done // total))

    for subject in SUBJECTS:
        if server is None:
            await _fill_table(database, subject, put_in)
        else:
            await _fill_server(database, server, subject, position, put_in)
    async with database.write() as tx:
        await search_index.advance(tx, SQL if server is None else server.name, position)
    return position


async def _fill_table(database: Database, subject: Subject, put_in: Progress) -> None:
    after = -1
    while True:
        async with database.read() as read:
            ids = await queries.next_ids(read, subject, after, BATCH)
            documents = await queries.documents(read, subject, ids)
        # The last range is open: rows of what is gone go. What came meanwhile comes again.
        upto = ids[-1] if len(ids) == BATCH else GREATEST
        async with database.write() as tx:
            await search_index.replace_between(tx, subject, after, upto, documents)
        await put_in(len(ids))
        if upto == GREATEST:
            return
        after = upto


async def _fill_server(
    database: Database, server: SearchServer, subject: Subject, position: int, put_in: Progress
) -> None:
    name, after = await server.begin_anew(subject), -1
    while True:
        async with database.read() as read:
            ids = await queries.next_ids(read, subject, after, BATCH)
            documents = await queries.documents(read, subject, ids)
        await server.fill(name, documents)
        await put_in(len(ids))
        if len(ids) < BATCH:
            break
        after = ids[-1]
    more = True
    while more:  # what others told the index that is searched until now
        async with database.read() as read:
            changes = await queries.changes(read, position, BATCH)
            documents = await queries.documents(read, subject, changes.ids[subject])
        await server.fill(name, documents)
        position, more = changes.upto, changes.count == BATCH
    await server.swap(subject, name)
