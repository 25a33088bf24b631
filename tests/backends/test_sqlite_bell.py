"""The bell of a file: replaced, away, locked, and not rung twice by its own process."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from microblog.backends.bell.sqlite import LOOK_SECONDS, SqliteBell
from microblog.core.events import relations_changed
from microblog.database import open_database
from microblog.settings import Settings
from tests.backends.hearing import (
    HEARD_SECONDS,
    PATIENCE_SECONDS,
    is_heard,
    is_still,
    listening,
    seconds_of_a_ring,
)


@pytest.fixture
async def file(tmp_path: Path) -> AsyncIterator[tuple[Path, SqliteBell]]:
    """A file and the bell that watches it, still."""
    path = tmp_path / "some file?.db"
    change(path, "PRAGMA journal_mode=WAL", "CREATE TABLE t (n)")
    bell = SqliteBell(str(path))
    await bell.open()
    while not await is_still(bell):
        pass
    yield path, bell
    await bell.close()


def change(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


async def test_file_that_another_takes_the_place_of_is_followed(
    file: tuple[Path, SqliteBell],
) -> None:
    path, bell = file
    change(path.with_name("other.db"), "PRAGMA journal_mode=WAL", "CREATE TABLE t (n)")
    path.with_name("other.db").replace(path)
    assert await is_heard(bell, 1)
    while not await is_still(bell):
        pass
    change(path, "INSERT INTO t VALUES (1)")
    assert await is_heard(bell)


async def test_file_that_is_away_for_a_while_is_followed(file: tuple[Path, SqliteBell]) -> None:
    path, bell = file
    content = path.read_bytes()
    path.unlink()
    assert await is_heard(bell)
    assert not await bell.is_ready()
    assert not path.exists()  # looking makes no file
    path.write_bytes(content)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await bell.is_ready():
            await bell.wait()
    while not await is_still(bell):
        pass
    change(path, "INSERT INTO t VALUES (1)")
    assert await is_heard(bell)


async def test_file_that_somebody_has_for_himself_rings_and_slows_nobody(
    file: tuple[Path, SqliteBell],
) -> None:
    path, bell = file
    await bell.close()  # or nobody could have it for himself
    change(path, "PRAGMA journal_mode=DELETE")
    await bell.open()
    owner = sqlite3.connect(path, isolation_level=None)
    owner.execute("BEGIN EXCLUSIVE")
    assert await is_heard(bell)
    assert await seconds_of_a_ring(bell) <= HEARD_SECONDS
    assert not await bell.is_ready()
    owner.execute("COMMIT")
    owner.close()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await bell.is_ready():
            await bell.wait()


async def test_own_commit_is_hardly_ever_heard_twice(tmp_path: Path, migrated_sqlite: Path) -> None:
    """Twice only where the look falls between the commit and the ring, a millisecond later."""
    shutil.copy(migrated_sqlite, tmp_path / "microblog.db")
    settings = Settings(data_dir=tmp_path)
    database = open_database(settings)
    async with listening(settings) as bell:
        database.ring = bell.ring
        twice = 0
        for _ in range(10):
            async with database.write() as tx:
                tx.announce(relations_changed(1))
            assert await is_heard(bell)
            twice += await is_heard(bell, 3 * LOOK_SECONDS)
        assert twice <= 5
    await database.close()
