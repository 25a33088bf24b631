"""The database that a copy goes into: what may be there, and making it ready. For `cli.copying`."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from microblog.actions import copying as writing
from microblog.cli.backup_files import BackupError
from microblog.cli.migrations import make_database, upgrade_to_head
from microblog.database import Database, open_database
from microblog.models import Model, mariadb
from microblog.models.search import INDEX_TABLES
from microblog.queries import copying
from microblog.queries.schema import UNFINISHED
from microblog.settings import Settings
from microblog.variables import Origin

T = TypeVar("T")

OURS = {*Model.metadata.tables, *mariadb.METADATA.tables, *INDEX_TABLES, "alembic_version"}
ALWAYS = {"alembic_version", "history", "user", "post"}
CUT_OFF = "migration_under_way"  # on MariaDB, after a migration that was cut off


def settings_of(settings: Settings, address: str) -> Settings:
    """Return the same settings with another database; raises SettingError, naming `--to`."""
    origins = {**settings.origins, "database_url": Origin("--to", "command line")}
    target = replace(settings, database_url=address, bell="auto", origins=origins)
    if _is_same(settings, target):
        raise BackupError(f"{shown(target)} is the database that is to be copied.")
    return target


def shown(settings: Settings) -> str:
    """Return a database's address without its password."""
    return settings.database.render_as_string(hide_password=True)


def prepare(target: Settings) -> None:
    """Make the database and its tables, empty; raises BackupError where people are in it.

    What a copy left that was cut off is taken away. Other programs' tables stay.
    """
    make_database(target)
    with_database(target, _require_room)
    upgrade_to_head(target)
    with_database(target, _begin)


def with_database(settings: Settings, work: Callable[[Database], Coroutine[Any, Any, T]]) -> T:
    """Open a database for as long as `work` takes."""

    async def do() -> T:
        database = open_database(settings)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(do())


async def _require_room(database: Database) -> None:
    async with database.read() as read:
        names = await copying.names(read)
        present = names & OURS
        # Looked at first: a half that was being taken away may lack any of its tables.
        is_half = "alembic_version" in present and await copying.revision(read) == UNFINISHED
        is_ready = present <= {"alembic_version"} or CUT_OFF in names  # to be migrated
        if not is_half and not is_ready and not present >= ALWAYS:
            told = ", ".join(sorted(present))
            raise BackupError(f"There are tables, but not a Microblog's: {told}.")
        if not is_half and not is_ready:
            _require_nobody(await copying.people(read))
    if is_half:
        async with database.write() as tx:
            await writing.drop_everything(tx)


async def _begin(database: Database) -> None:
    async with database.write() as tx:
        # Once more: of what had to be migrated first nothing was known.
        _require_nobody(await copying.people(tx))
        await writing.begin(tx)


def _require_nobody(people: int) -> None:
    if people:
        told = "1 person" if people == 1 else f"{people:,} people"
        raise BackupError(
            f"There is a microblog with {told} already, and nothing is copied over it. "
            "Give the address of an empty database."
        )


def _is_same(one: Settings, other: Settings) -> bool:
    if one.database.get_backend_name() == other.database.get_backend_name() == "sqlite":
        paths = [Path(str(settings.database.database)).resolve() for settings in (one, other)]
        return paths[0] == paths[1]
    return one.database == other.database
