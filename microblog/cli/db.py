"""`microblog db`: making, migrating, backing up, restoring and moving the database."""

import asyncio

import click

from microblog.cli.backups import backup, begin_anew, restore
from microblog.cli.copying import copy
from microblog.cli.migrations import difference, make_database, upgrade_to_head, write_migration
from microblog.cli.plainly import PlainGroup, given_settings
from microblog.models import REVISION


@click.group(cls=PlainGroup)
def db() -> None:
    """Make, upgrade, check, back up, restore and copy the database."""


db.add_command(backup)
db.add_command(copy)
db.add_command(restore)


@db.command()
def init() -> None:
    """Make the database if there is none, and its tables. Running it again changes nothing."""
    settings = given_settings()
    if make_database(settings):
        click.echo(f"Made the database {settings.database.database}.")
    upgrade_to_head(settings)
    click.echo(f"The database is ready (revision {REVISION}).")


@db.command()
def upgrade() -> None:
    """Upgrade the tables to what this program needs."""
    upgrade_to_head(given_settings())
    click.echo(f"The database is at revision {REVISION}.")


@db.command()
def check() -> None:
    """Tell whether the tables are what this program needs; status 1 if not."""
    problem = difference(given_settings())
    if problem is not None:
        raise click.ClickException(f"{problem} Run: microblog db upgrade")


@db.command()
def new_history() -> None:
    """Begin another history, after data were put back by other means than `db restore`.

    Every client loads anew, and everybody signs in again.
    """
    asyncio.run(begin_anew(given_settings()))
    click.echo("Another history has begun. Everybody has to sign in again.")


@db.command()
@click.option("-m", "--message", required=True, help="What the migration does, in a few words.")
@click.option("--rev-id", help="Its number; default: the next one.")
def migrate(message: str, rev_id: str | None) -> None:
    """Write a new migration from the difference between models and database (for developers)."""
    write_migration(given_settings(), message, rev_id or f"{int(REVISION) + 1:04d}")
