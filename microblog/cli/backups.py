"""`microblog db backup` and `microblog db restore`, also while servers run.

Which kind of database it is decides the way: `cli.backup_sqlite` or `cli.backup_postgres`.
"""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import click

from microblog.actions import histories
from microblog.cli import backup_postgres, backup_sqlite
from microblog.cli.backup_files import (
    BackupError,
    Contents,
    Way,
    free_path,
    shown,
    size,
    whole_or_absent,
)
from microblog.cli.opening import opened
from microblog.cli.plainly import PlainCommand, given_settings
from microblog.models import REVISION, mariadb
from microblog.settings import Settings

FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(cls=PlainCommand)
@click.argument("file", type=FILE, required=False)
@click.option("--to", type=FOLDER, help="The folder for it, instead of the working folder.")
def backup(file: Path | None, to: Path | None) -> None:
    """Copy all data into FILE, while the servers go on.

    Without FILE its name is made of the time, in UTC. An existing file is never overwritten.
    """
    settings = given_settings()
    way = _way(settings)
    folder = to or Path()
    path = folder / file if file else free_path(folder, datetime.now(UTC), way.SUFFIX)
    with whole_or_absent(path) as part:
        with shown("Copying") as progress:
            way.copy(settings, part, progress)
        with shown("Checking") as progress:
            held = way.contents(part, progress)
        size_bytes = part.stat().st_size
    click.echo(f"{path} holds {held}, in {size(size_bytes)}.")


@click.command(cls=PlainCommand)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option("--keep/--no-keep", default=True, help="Keep what is replaced as a backup, or not.")
def restore(file: Path, yes: bool, keep: bool) -> None:
    """Replace all data by those of the backup FILE, also while servers run.

    Servers go on with the restored data, open pages load anew, and everybody signs in again.
    """
    settings = given_settings()
    way = _way(settings)
    where = settings.database.render_as_string(hide_password=True)
    held = _checked(way, file)
    click.echo(f"{file} holds {held}.")
    if not yes:
        click.confirm(f"Replace all data of {where} by it?", abort=True)
    kept = _kept(settings, way) if keep else None
    with shown("Restoring") as progress:
        replaced = way.bring_in(settings, file, kept, progress)
    asyncio.run(_ring(settings))
    click.echo(f"Restored {held}.")
    click.echo("Everybody has to sign in again, with the password they had in that backup.")
    if replaced and kept is not None:
        click.echo(f"What was there before is kept in {kept}")


def _way(settings: Settings) -> Way:
    vendor = settings.database.get_backend_name()
    if vendor == mariadb.VENDOR:
        raise BackupError(
            "Backups of MariaDB and MySQL are made by mariadb-dump (or mysqldump), and put back by "
            "mariadb (or mysql) and: microblog db new-history"
        )
    return backup_sqlite if vendor == "sqlite" else backup_postgres


def _checked(way: Way, file: Path) -> Contents:
    """Say what a backup holds that this program can restore; raises BackupError."""
    try:
        with file.open("rb") as opened_file:
            begin = opened_file.read(16)
    except OSError as error:
        raise BackupError(f"{file} cannot be read: {error.strerror}.") from None
    kinds = {backup_sqlite.MAGIC: "an SQLite", backup_postgres.MAGIC: "a PostgreSQL"}
    kind = next((kind for magic, kind in kinds.items() if begin.startswith(magic)), None)
    if kind is None:
        raise BackupError(f"{file} is not a backup made by: microblog db backup")
    if not begin.startswith(way.MAGIC):
        raise BackupError(f"{file} is the backup of {kind} database, and DATABASE_URL is another.")
    with shown("Checking") as progress:
        held = way.contents(file, progress)
    if held.revision > REVISION:
        raise BackupError(
            f"{file} is of a newer Microblog (revision {held.revision}, this program knows "
            f"{REVISION}). Update the program first."
        )
    return held


def _kept(settings: Settings, way: Way) -> Path:
    """Say where to keep what is replaced: in the data folder, which outlives a container."""
    folder = settings.data_dir.resolve()
    return free_path(folder, datetime.now(UTC), way.SUFFIX, "microblog-before-restore")


async def begin_anew(settings: Settings) -> None:
    """Let another history begin with the data that are there, and tell the servers."""
    async with opened(settings) as database:
        async with database.write() as tx:
            await histories.begin_anew(tx, uuid4().hex)
        if database.ring is not None:
            await database.ring()


async def _ring(settings: Settings) -> None:
    """Wake the servers, and see that the program is content with what it finds."""
    async with opened(settings) as database:
        if database.ring is not None:
            await database.ring()
