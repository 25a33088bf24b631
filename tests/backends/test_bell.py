"""All bells keep the same promises; each of them with its real service, or its real file."""

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from microblog.backends.bell import Bell, open_bell
from microblog.backends.bell.sqlite import LOOK_SECONDS, SqliteBell
from microblog.core.errors import SettingError
from microblog.core.events import relations_changed
from microblog.database import open_database
from microblog.settings import Settings
from tests.conftest import require
from tests.processes import Server
from tests.services import Postgres, Redis

ROOT = Path(__file__).parents[2]
HEARD_SECONDS = 0.3
STILL_SECONDS = 0.3
PATIENCE_SECONDS = 10.0
BELLS = ("memory", "sqlite", "postgres", "redis")

all_bells = pytest.mark.parametrize("bell_settings", BELLS, indirect=True)
bells_for_many = pytest.mark.parametrize("bell_settings", BELLS[1:], indirect=True)


@pytest.fixture
def bell_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of an empty microblog with a certain bell, on the shared services."""
    name: str = request.param
    found = Settings(data_dir=tmp_path, bell="memory", log_level="error")
    if name == "postgres":
        server: Postgres = request.getfixturevalue("postgres_server")
        made = server.create_database(request.getfixturevalue("migrated_postgres"))
        yield replace(found, database_url=made, bell="postgres")
        server.drop_database(made)
        return
    shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "microblog.db")
    url = request.getfixturevalue("redis_server").url if name == "redis" else None
    yield replace(found, redis_url=url, bell=name)


@asynccontextmanager
async def listening(settings: Settings) -> AsyncIterator[Bell]:
    """Open a bell, and wait until it hears and is still."""
    bell = open_bell(settings)
    await bell.open()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await bell.is_ready():
                await asyncio.sleep(0.01)
            while not await is_still(bell):
                pass
        yield bell
    finally:
        await bell.close()


async def is_still(bell: Bell) -> bool:
    """Tell whether nobody rings for a while."""
    return not await is_heard(bell, STILL_SECONDS)


async def is_heard(bell: Bell, seconds: float = HEARD_SECONDS) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await bell.wait()
    except TimeoutError:
        return False
    return True


@asynccontextmanager
async def other_process(settings: Settings) -> AsyncIterator[Callable[[], Awaitable[float]]]:
    """Start another process; each call lets it commit and ring, and says when it had committed."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.backends.ringing"), stdin=PIPE, stdout=PIPE, cwd=ROOT
    )
    assert program.stdin is not None
    assert program.stdout is not None
    told = {name: getattr(settings, name) for name in ("database_url", "redis_url", "bell")}
    told["data_dir"] = str(settings.data_dir)
    program.stdin.write(json.dumps(told).encode() + b"\n")
    assert await program.stdout.readline() == b"ready\n"

    async def commit() -> float:
        assert program.stdin is not None
        assert program.stdout is not None
        program.stdin.write(b"\n")
        return float(await program.stdout.readline())

    try:
        yield commit
    finally:
        program.stdin.close()
        assert await program.wait() == 0


# --- What all bells promise --------------------------------------------------------------------


@all_bells
async def test_own_ring_is_heard_at_once(bell_settings: Settings) -> None:
    async with listening(bell_settings) as bell:
        for _ in range(3):
            ringing = asyncio.ensure_future(bell.ring())
            assert await is_heard(bell)
            await ringing


@all_bells
async def test_rings_before_anybody_waits_are_one(bell_settings: Settings) -> None:
    async with listening(bell_settings) as bell:
        await asyncio.gather(*(bell.ring() for _ in range(20)))
        assert await is_heard(bell)
        while not await is_still(bell):
            pass  # what came back over the service
        assert await bell.is_ready()


@bells_for_many
async def test_commit_of_another_process_is_heard(bell_settings: Settings) -> None:
    async with listening(bell_settings) as bell, other_process(bell_settings) as commit:
        while not await is_still(bell):
            pass
        for _ in range(5):
            waiting = asyncio.ensure_future(bell.wait())
            committed = await commit()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await waiting
            assert time.monotonic() - committed <= HEARD_SECONDS
            while not await is_still(bell):
                pass


async def test_memory_bell_is_not_heard_by_another_process(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    """The control: what is heard above came by the bell."""
    shutil.copy(migrated_sqlite, tmp_path / "microblog.db")
    settings = Settings(data_dir=tmp_path, bell="memory")
    async with listening(settings) as bell, other_process(settings) as commit:
        await commit()
        assert await is_still(bell)


# --- Services that are killed, frozen, and come back --------------------------------------------


@dataclass
class Killed:
    """A bell's service of its own, and the bell's settings."""

    settings: Settings
    server: Server

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self.server.process is not None
        os.killpg(self.server.process.pid, number)


@pytest.fixture(params=["postgres", "redis"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Killed:
    settings = Settings(data_dir=tmp_path, log_level="error")
    if request.param == "redis":
        require("redis-server")
        redis: Redis = request.getfixturevalue("own_redis")
        return Killed(replace(settings, redis_url=redis.url, bell="redis"), redis)
    postgres: Postgres = request.getfixturevalue("own_postgres")
    return Killed(replace(settings, database_url=postgres.url, bell="postgres"), postgres)


async def seconds_of_a_ring(bell: Bell) -> float:
    began = time.monotonic()
    await bell.ring()
    return time.monotonic() - began


async def test_killed_service_slows_no_ring_and_is_heard_again_after_it(service: Killed) -> None:
    async with listening(service.settings) as here, listening(service.settings) as there:
        await asyncio.to_thread(service.server.kill)
        assert max([await seconds_of_a_ring(here) for _ in range(3)]) <= 0.3
        assert await is_heard(here)  # within the process the way is short
        assert not await there.is_ready()
        await asyncio.to_thread(service.server.start)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await there.wait()  # what was missed is looked for
            while not (await there.is_ready() and await here.is_ready()):
                await asyncio.sleep(0.01)
        while not await is_still(there):
            pass
        await here.ring()
        assert await is_heard(there)


async def test_frozen_service_slows_no_ring(service: Killed) -> None:
    async with listening(service.settings) as here, listening(service.settings) as there:
        service.freeze()
        try:
            assert max([await seconds_of_a_ring(here) for _ in range(3)]) <= 0.3
        finally:
            service.thaw()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await here.is_ready():
                await asyncio.sleep(0.01)
        while not await is_still(there):
            pass
        await here.ring()
        assert await is_heard(there)


async def test_bell_that_begins_without_its_service_hears_when_it_comes(service: Killed) -> None:
    await asyncio.to_thread(service.server.kill)
    bell = open_bell(service.settings)
    await bell.open()
    try:
        assert not await bell.is_ready()
        await asyncio.to_thread(service.server.start)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await bell.is_ready():
                await asyncio.sleep(0.01)
    finally:
        await bell.close()


# --- The file ----------------------------------------------------------------------------------


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


# --- Which bell --------------------------------------------------------------------------------

POSTGRES, REDIS = "postgresql://localhost/blog", "redis://localhost"


@pytest.mark.parametrize(
    ("bell", "database_url", "redis_url", "used"),
    [
        ("auto", None, None, "sqlite"),
        ("auto", POSTGRES, None, "postgres"),
        ("auto", None, REDIS, "redis"),
        ("auto", POSTGRES, REDIS, "redis"),
        ("memory", POSTGRES, REDIS, "memory"),
        ("Postgres", POSTGRES, REDIS, "postgres"),
    ],
)
def test_bell_is_chosen_by_what_there_is(
    bell: str, database_url: str | None, redis_url: str | None, used: str
) -> None:
    settings = Settings(bell=bell, database_url=database_url, redis_url=redis_url)
    assert settings.bell_in_use == used
    assert open_bell(settings).name == used


@pytest.mark.parametrize(
    ("bell", "database_url"),
    [("redis", None), ("sqlite", POSTGRES), ("postgres", None), ("gong", None)],
)
def test_bell_that_cannot_be_heard_is_one_sentence(bell: str, database_url: str | None) -> None:
    with pytest.raises(SettingError) as refused:
        Settings(bell=bell, database_url=database_url)
    assert str(refused.value).startswith("MICROBLOG_BELL")
    assert str(refused.value).count("\n") == 0
