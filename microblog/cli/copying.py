"""`microblog db copy`: a whole community into another database, of whatever kind.

What is copied is what the database held at one moment; servers may go on, but what is written
after it stays behind. Every row is written as it is, read back and compared; only then does the
copy count as a database.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass

import click
from sqlalchemy import Table
from sqlalchemy.exc import DBAPIError

from microblog.actions import copying as writing
from microblog.cli import copy_target
from microblog.cli.backup_files import BackupError, Progress, shown
from microblog.cli.opening import opened
from microblog.cli.plainly import PlainCommand, given_settings, reason
from microblog.core.errors import Unavailable
from microblog.core.tallies import Tally
from microblog.database import Database, Read, open_database
from microblog.jobs import search
from microblog.queries import copying, events
from microblog.queries.events import Head
from microblog.settings import Settings

Tallies = Mapping[Table, Tally]


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy holds, and how many events were told in the original meanwhile."""

    tallies: Tallies
    missed: int


@click.command(cls=PlainCommand)
@click.option(
    "--to",
    "address",
    metavar="URL",
    required=True,
    envvar="MICROBLOG_COPY_TO",
    help="The address of an empty database, as in DATABASE_URL (or: MICROBLOG_COPY_TO).",
)
def copy(address: str) -> None:
    """Copy the whole microblog into another database: SQLite, PostgreSQL or MariaDB.

    Stop the servers before, so that nothing is written that stays behind. A copy that was cut off
    is begun anew by running the command again.
    """
    settings = given_settings()
    target = copy_target.settings_of(settings, address)
    where = copy_target.shown(target)
    asyncio.run(_require_right(settings))
    with _told(where):
        copy_target.prepare(target)
        copied = asyncio.run(_copy(settings, target))
    _print_table(copied.tallies)
    click.echo(f"Counts and checksums of all {len(copied.tallies)} tables agree.")
    if copied.missed:
        times = "was 1 event" if copied.missed == 1 else f"were {copied.missed:,} events"
        click.echo(
            f"Meanwhile there {times} in the original, which the copy has not, and in the copy "
            "everybody has to sign in again. To move: stop the servers and copy again, into an "
            "empty database."
        )
    click.echo(f"{where} is ready: give its address to the servers, as DATABASE_URL.")


async def _require_right(settings: Settings) -> None:
    async with opened(settings):
        pass


async def _copy(settings: Settings, target: Settings) -> Copied:
    async with AsyncExitStack() as stack:
        source = await stack.enter_async_context(opened(settings))
        made = open_database(target)
        stack.push_async_callback(made.close)
        async with source.read() as read:
            await copying.hold_view(read)
            begun = await events.head(read)
            totals = {each: await copying.count(read, each) for each in copying.TABLES}
            with shown("Copying") as progress:
                written = await _load(read, made, sum(totals.values()), progress)
        with shown("Checking") as progress:
            await _check(made, written, progress)
        with shown("Indexing") as progress:
            await _index(made, progress)
        missed = await _finish(source, made, begun)
    async with opened(target) as database:  # sees that all is right, and wakes who waits for it
        if database.ring is not None:
            await database.ring()
    return Copied(written, missed)


async def _load(read: Read, made: Database, total: int, progress: Progress) -> Tallies:
    tallies = {each: Tally() for each in copying.TABLES}
    done = 0
    for each, tally in tallies.items():
        async for page in copying.pages(read, each):
            async with made.write() as tx:
                await writing.put(tx, each, page)
            for row in page:
                tally.add(tuple(row.values()))
            done += len(page)
            progress(done, total)
    return tallies


async def _check(made: Database, written: Tallies, progress: Progress) -> None:
    """Read everything back; raises BackupError where it is not what was written."""
    total, done = sum(tally.rows for tally in written.values()), 0
    async with made.read() as read:
        await copying.hold_view(read)
        for each, expected in written.items():
            found = Tally()
            async for page in copying.pages(read, each):
                for row in page:
                    found.add(tuple(row.values()))
                done += len(page)
                progress(done, total)
            if found != expected:
                raise BackupError(
                    f"The table {each.name} has other rows than the original: {found.rows:,} of "
                    f"{expected.rows:,}. The copy is not used: run the command again."
                )


async def _index(made: Database, progress: Progress) -> None:
    async def tell(percent: int) -> None:
        progress(percent, 100)

    await search.fill(made, None, tell)


async def _finish(source: Database, made: Database, begun: Head) -> int:
    """Let the copy be a database of its own; return how many events it has not."""
    async with source.read() as read:
        ended, last = await events.head(read), await copying.numbers(read)
    missed = ended.cursor - begun.cursor if ended.epoch == begun.epoch else ended.cursor
    last["event"] = log_end = max(last["event"], ended.cursor) + 1
    async with made.write() as tx:
        await writing.number_on(tx, last)
    async with made.write() as tx:
        await writing.finish(tx, log_end, signs_out=bool(missed))
    return missed


def _print_table(tallies: Tallies) -> None:
    width = max(len(each.name) for each in tallies)
    for each, tally in tallies.items():
        if tally.rows:
            click.echo(f"{each.name:<{width}}  {tally.rows:>9,}  {tally.checksum}")


@contextmanager
def _told(where: str) -> Iterator[None]:
    try:
        yield
    except (DBAPIError, Unavailable, OSError) as error:
        cause = (
            reason(error.__cause__ or error) if isinstance(error, Unavailable) else reason(error)
        )
        raise BackupError(
            f"The copy into {where} was cut off: {cause}. Run the command again: it begins anew."
        ) from None
