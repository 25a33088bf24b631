"""What `microblog doctor` asks others: the database, the bell, the servers of search and mail."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from microblog.backends.bell import open_bell
from microblog.backends.mailer import Undelivered, open_mailer
from microblog.backends.search import open_search
from microblog.cli.findings import Finding, fail, ok, warn
from microblog.cli.plainly import reason
from microblog.core.errors import Unavailable
from microblog.database import Read, open_database
from microblog.queries import health, schema, search_index
from microblog.settings import Settings

OWN_INDEX = "sql"  # as `jobs.search` calls it
OF_THE_DATABASE = {"sqlite", "postgres"}  # bells that are away where it is
BELL_SECONDS = 2.0
MAIL_SECONDS = 10
SKEW_SECONDS, TOO_MUCH_SKEW_SECONDS = 2.0, 60.0
OVERDUE_SECONDS = 60.0
MANY_EVENTS = 1_000
OLDEST_SQLITE = (3, 35)


async def elsewhere(settings: Settings) -> AsyncIterator[Finding]:
    """Yield how all that the server speaks to is."""
    is_there = True
    async for finding in _database(settings):
        is_there &= finding.name != "database" or finding.state == "ok"
        yield finding
    if is_there or settings.bell_in_use not in OF_THE_DATABASE:
        yield await _bell(settings)
    if settings.elasticsearch_url is not None:
        yield await _search_server(settings)
    yield await _mail(settings)


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    shown = settings.database.render_as_string(hide_password=True)
    is_file = settings.database.get_backend_name() == "sqlite"
    if is_file and not _exists(settings):
        mend = "It is made by: microblog serve (or: microblog db init)"
        yield warn("database", f"{shown} is not there yet.", mend)
        return
    database = open_database(settings)
    try:
        async with database.read() as read:
            if (problem := await schema.problem(read)) is not None:
                yield fail("database", f"{shown} is not what is needed.", str(problem))
                return
            yield ok("database", f"{shown} has the tables that are needed.")
            yield await (_sqlite(read) if is_file else _server(read))
            yield await _texts(read)
            yield await _clock(read)
            yield await _jobs(read)
            yield await _index(read, settings)
    except (Unavailable, DBAPIError) as error:
        cause = reason(error.__cause__ or error)
        mend = f"Is it running, and is {settings.spelling('database_url')} right?"
        yield fail("database", f"{shown} is out of reach: {cause}.", mend)
    finally:
        await database.close()


def _exists(settings: Settings) -> bool:
    return Path(str(settings.database.database)).exists()


async def _sqlite(read: Read) -> Finding:
    found, mode = await health.version(read), await health.journal_mode(read)
    says = f"SQLite {found}, journal mode {mode}."
    if tuple(map(int, found.split(".")[:2])) < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        return fail("sqlite", says, f"Use a Python whose SQLite is {oldest} or later.")
    if not await health.has_fts5(read):
        return fail("sqlite", f"{says} FTS5 is missing.", "Use a Python whose SQLite has FTS5.")
    if mode != "wal":
        mend = "Put the file on a local disk: WAL does not work on network drives."
        return warn("sqlite", says, mend)
    return ok("sqlite", f"{says[:-1]}, FTS5.")


async def _server(read: Read) -> Finding:
    return ok("version", f"{read.vendor} {await health.version(read)}.")


async def _texts(read: Read) -> Finding:
    encoding, collation = await health.texts(read)
    says = f"Texts are {encoding}, compared by {collation}."
    wanted = "utf8mb4" if read.vendor == "mysql" else "utf8"
    if encoding.lower().replace("-", "") != wanted:
        mend = "Make a new database in UTF-8 and move what there is: docs/backups.md"
        return fail("texts", says, mend)
    if read.vendor == "mysql" and not collation.endswith("_bin"):
        mend = "Texts must be compared by their bytes: make the tables anew in a new database."
        return fail("texts", says, mend)
    return ok("texts", says)


async def _clock(read: Read) -> Finding:
    before = datetime.now(UTC)
    theirs = await health.clock(read)
    after = datetime.now(UTC)
    if theirs is None:
        return ok("clock", "The database is a file here: there is one clock.")
    off = max((before - theirs).total_seconds(), (theirs - after).total_seconds(), 0.0)
    says = f"The clock of the database and ours are {off:.1f} s apart."
    mend = "Let both machines keep the time by NTP."
    if off > TOO_MUCH_SKEW_SECONDS:
        return fail("clock", says, mend)
    return warn("clock", says, mend) if off > SKEW_SECONDS else ok("clock", says)


async def _jobs(read: Read) -> Finding:
    now = datetime.now(UTC)
    found = await health.waiting(read, now)
    says = f"{found.waiting} wait, {found.running} run, {found.dead} failed for good."
    since = found.overdue_since
    if since is not None and (late := (now - since).total_seconds()) > OVERDUE_SECONDS:
        mend = "Start a server, or: microblog jobs"
        return warn("jobs", f"{says} The oldest has waited {late:.0f} s: nobody works.", mend)
    if found.dead:
        mend = "Look at them: microblog jobs list --dead; then: microblog jobs retry ID"
        return warn("jobs", says, mend)
    return ok("jobs", says)


async def _index(read: Read, settings: Settings) -> Finding:
    """Look how far the index of the database, or of the search server, has come."""
    store = OWN_INDEX if settings.elasticsearch_url is None else "elastic"
    at = await search_index.position(read, store)
    behind = await search_index.head(read) - (at or 0)
    if at is None:
        mend = "A server does it; or: microblog search reindex"
        return warn("index", "The search index has to be filled.", mend)
    held = await health.indexed(read) if store == OWN_INDEX else None
    says = f"It is {behind:,} events behind" + (f" and has {held[0]:,} posts." if held else ".")
    if behind > MANY_EVENTS:
        return warn("index", says, "Start a server, or: microblog jobs")
    if held and not behind and held[0] < held[1]:
        return warn(
            "index", f"{says} There are {held[1]:,}.", "Make it anew: microblog search reindex"
        )
    return ok("index", says)


async def _bell(settings: Settings) -> Finding:
    bell = open_bell(settings)
    shown = f"By {bell.name}"
    if bell.name == "memory":
        await bell.close()
        return ok("bell", f"{shown}: other processes see what happens up to 1 s later.")
    try:
        await bell.open()
        async with asyncio.timeout(BELL_SECONDS):
            while not await bell.is_ready():
                await asyncio.sleep(0.05)
    except TimeoutError:
        asked = "redis_url" if bell.name == "redis" else "database_url"
        mend = f"Is it running, and is {settings.spelling(asked)} right?"
        return warn("bell", f"{shown}: it does not answer; all is seen up to 1 s later.", mend)
    finally:
        await bell.close()
    return ok("bell", f"{shown}: it reaches the other processes.")


async def _search_server(settings: Settings) -> Finding:
    server = open_search(settings)
    if server is None:
        return ok("search", "The database is searched.")
    try:
        if await server.is_made():
            return ok("search", "The search server has its indexes.")
        mend = "A server makes them; or: microblog search reindex"
        return warn("search", "The search server has no index yet.", mend)
    except Unavailable:
        mend = f"Is it running, and is {settings.spelling('elasticsearch_url')} right?"
        return fail("search", "The search server is out of reach.", mend)
    finally:
        await server.close()


async def _mail(settings: Settings) -> Finding:
    mailer = open_mailer(settings)
    if mailer is None:
        return ok("mail", "None is sent: who forgets a password asks you.")
    try:
        async with asyncio.timeout(MAIL_SECONDS):
            await mailer.reach()
    except (Undelivered, TimeoutError) as error:
        says = f"The mail server does not take us: {error or 'no answer in time'}."
        mend = f"See {settings.spelling('mail_server')}, its port, TLS and the log-in: docs/mail.md"
        return fail("mail", says, mend)
    if mailer.name == "console":
        return warn("mail", "It is printed instead of sent.", "Set MAIL_SERVER for real mail.")
    return ok("mail", f"{settings.mail_server} takes us.")
