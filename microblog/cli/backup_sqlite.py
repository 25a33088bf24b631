"""Backups of an SQLite file, made and brought back while servers have it open.

`cli.backups` calls this. Pages are copied by SQLite's own backup interface
(https://sqlite.org/backup.html), which is one transaction on the side that is written.
"""

import asyncio
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from microblog.actions import histories
from microblog.cli.backup_files import BackupError, Contents, Progress, whole_or_absent
from microblog.cli.migrations import upgrade_to_head
from microblog.database import open_database
from microblog.file_store import prepare_file
from microblog.settings import Settings

SUFFIX = ".db"
MAGIC = b"SQLite format 3\0"
COPIED_PAGES = 1024
# The first step must not be the last: between the two the lock is ours. The empty tables alone
# have 45 pages.
BROUGHT_PAGES = 16
PATIENCE_SECONDS = 30.0


def copy(settings: Settings, target: Path, progress: Progress) -> None:
    """Copy the file as it is at one moment, while others write."""
    live = _file(settings)
    if not live.exists():
        raise BackupError(f"There is no database {live}.")
    with _told(f"The database {live} cannot be copied"), closing(_open(live, "rw")) as source:
        _require_ours(source, live)
        _take_view(source)
        with closing(_open(target, "rw")) as made:
            made.execute("PRAGMA synchronous=OFF")  # who gives the file its name syncs it
            source.backup(
                made,
                pages=COPIED_PAGES,
                progress=lambda _, left, total: progress(total - left, total),
            )
            made.execute("PRAGMA journal_mode=DELETE")  # one file, also where nothing is writable
            # Should somebody copy the file into place by hand, clients still find another history.
            made.execute("UPDATE history SET epoch = ?", (uuid4().hex,))


def _take_view(source: sqlite3.Connection) -> None:
    """Keep the file as it is now in view, for the copy to show.

    Without this each commit of another process makes the copy begin again: under load, for ever.
    """
    source.execute("BEGIN")
    source.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()


def contents(file: Path, progress: Progress) -> Contents:
    """Check every page, index and reference of a backup, and say what it holds."""
    with _told(f"{file} is not a whole backup"), closing(_open(file, "ro")) as backup:
        progress(0, 3)
        _require_ours(backup, file)
        pages, size = (_number(backup, f"PRAGMA {what}") for what in ("page_count", "page_size"))
        if pages * size != file.stat().st_size:  # SQLite reads on where a page is cut off
            raise BackupError(f"{file} is not a whole backup: some of it is missing.")
        problem = backup.execute("PRAGMA integrity_check(1)").fetchone()[0]
        progress(2, 3)
        if problem != "ok" or backup.execute("PRAGMA foreign_key_check").fetchone() is not None:
            raise BackupError(f"{file} is not a whole backup: it is damaged.")
        return Contents(
            str(backup.execute("SELECT version_num FROM alembic_version").fetchone()[0]),
            _number(backup, 'SELECT count(*) FROM "user"'),
            _number(backup, "SELECT count(*) FROM post WHERE deleted_at IS NULL"),
        )


def _number(connection: sqlite3.Connection, statement: str) -> int:
    return int(connection.execute(statement).fetchone()[0])


def bring_in(settings: Settings, file: Path, kept: Path | None, progress: Progress) -> bool:
    """Prepare the backup beside the database, then put its pages in the place of all others."""
    live = _file(settings)
    if live.exists() and live.samefile(file):
        raise BackupError(f"{file} is the database itself.")
    prepare_file(settings.database)
    with (
        _told(f"The backup cannot be put in the place of {live}"),
        # In the same folder: the disk that must have room for it is this one.
        tempfile.TemporaryDirectory(prefix=".restoring-", dir=live.parent) as folder,
    ):
        aside = replace(settings, data_dir=Path(folder), database_url=None)
        prepared = _file(aside)
        prepared.touch(0o600)
        with closing(_open(file, "ro")) as source, closing(_open(prepared, "rw")) as made:
            source.backup(made)
        upgrade_to_head(aside)
        asyncio.run(_begin_anew(aside))
        return _put_in_place(settings, prepared, live, kept, progress)


async def _begin_anew(aside: Settings) -> None:
    database = open_database(aside)
    try:
        async with database.write() as tx:
            await histories.begin_anew(tx, uuid4().hex)
    finally:
        await database.close()


def _put_in_place(
    settings: Settings, prepared: Path, live: Path, kept: Path | None, progress: Progress
) -> bool:
    """Write all pages in one transaction; tell whether there was anything to be replaced.

    Who has the file open reads the old data until the commit, and the new ones after it.
    """
    with closing(_open(prepared, "rw")) as source, closing(_open(live, "rwc")) as target:
        target.execute("PRAGMA journal_mode=WAL")
        _take_page_size(source, target)
        replaced = None

        def step(status: int, left: int, total: int) -> None:
            nonlocal replaced
            if status in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise BackupError(f"The database {live} is locked. Nothing was changed.")
            if replaced is None:
                # After the first step nobody else can write, and nothing is committed yet: what
                # is kept is all there is, and no number that was given out is missed.
                replaced = _settle_with_present(settings, source, live, kept)
            progress(total - left, total)

        source.backup(target, pages=BROUGHT_PAGES, progress=step, sleep=0.02)
        target.execute("PRAGMA wal_checkpoint(PASSIVE)")  # or the next who writes has to do it
        return bool(replaced)


def _take_page_size(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Give the prepared file the page size of the database, which cannot change any more."""
    source.execute("PRAGMA journal_mode=DELETE")
    size = _number(target, "PRAGMA page_size")
    if _number(source, "PRAGMA page_size") != size:
        source.execute(f"PRAGMA page_size={size}")
        source.execute("VACUUM")


def _settle_with_present(
    settings: Settings, source: sqlite3.Connection, live: Path, kept: Path | None
) -> bool:
    """Keep what is about to be replaced, and go on numbering where it ends.

    `source` is the connection whose pages are being copied: what it changes is copied too.
    """
    with closing(_open(live, "ro")) as present:
        if not _tables(present):
            _number_on(source, {})
            return False
        _require_ours(present, live)
        _number_on(source, dict(present.execute("SELECT name, seq FROM sqlite_sequence")))
    if kept is not None:
        with whole_or_absent(kept) as part:
            copy(settings, part, lambda done, total: None)
    return True


def _number_on(source: sqlite3.Connection, given: dict[str, int]) -> None:
    """Let no id come again that was given out in either history.

    A cursor of the former history is then always below the end of this one, and counts as pruned
    even where the client does not say its epoch.
    """
    with source:
        source.execute("BEGIN")
        numbers = dict(source.execute("SELECT name, seq FROM sqlite_sequence"))
        for table in numbers.keys() | given.keys() | {"event"}:
            last = max(numbers.get(table, 0), given.get(table, 0)) + (table == "event")
            source.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
            source.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, last))
            if table == "event":
                source.execute("UPDATE history SET pruned_to = ?", (last,))


def _file(settings: Settings) -> Path:
    return Path(str(settings.database.database))


def _open(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.resolve().as_uri()}?mode={mode}",
        uri=True,
        timeout=PATIENCE_SECONDS,
        isolation_level=None,
    )


def _tables(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
    return {str(name) for (name,) in rows}


def _require_ours(connection: sqlite3.Connection, path: Path) -> None:
    if not {"alembic_version", "history", "user", "post"} <= _tables(connection):
        raise BackupError(f"{path} is an SQLite file, but not a Microblog's.")


@contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise BackupError(f"{what}: {error}.") from None
