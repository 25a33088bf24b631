"""All bells keep the same promises; each of them with its real service, or its real file."""

import asyncio
import json
import os
import shutil
import signal
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from microblog.backends.bell import open_bell
from microblog.core.errors import SettingError
from microblog.settings import Settings
from tests.backends.hearing import (
    HEARD_SECONDS,
    PATIENCE_SECONDS,
    is_heard,
    is_still,
    listening,
    seconds_of_a_ring,
)
from tests.conftest import require
from tests.processes import Server
from tests.services import Postgres, Redis

ROOT = Path(__file__).parents[2]
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
async def other_process(settings: Settings) -> AsyncIterator[Callable[..., Awaitable[float]]]:
    """Start another process; each call lets it commit and ring, and says when it had committed.

    A call with words lets it whisper them instead.
    """
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.backends.ringing"), stdin=PIPE, stdout=PIPE, cwd=ROOT
    )
    assert program.stdin is not None
    assert program.stdout is not None
    told = {name: getattr(settings, name) for name in ("database_url", "redis_url", "bell")}
    told["data_dir"] = str(settings.data_dir)
    program.stdin.write(json.dumps(told).encode() + b"\n")
    assert await program.stdout.readline() == b"ready\n"

    async def commit(words: str = "") -> float:
        assert program.stdin is not None
        assert program.stdout is not None
        program.stdin.write(f"{words}\n".encode())
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
async def test_commit_and_whisper_of_another_process_are_heard(bell_settings: Settings) -> None:
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
        whispered: asyncio.Queue[str] = asyncio.Queue()
        bell.whispers.heard = whispered.put_nowait
        await commit("psst")
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await whispered.get() == "psst"


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


# --- Which bell --------------------------------------------------------------------------------

POSTGRES, MARIADB = "postgresql://localhost/blog", "mariadb://localhost/blog"
REDIS = "redis://localhost"


@pytest.mark.parametrize(
    ("bell", "database_url", "redis_url", "used"),
    [
        ("auto", None, None, "sqlite"),
        ("auto", POSTGRES, None, "postgres"),
        ("auto", None, REDIS, "redis"),
        ("auto", POSTGRES, REDIS, "redis"),
        ("auto", MARIADB, REDIS, "redis"),
        ("auto", MARIADB, None, "memory"),
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
    [
        *(("redis", None), ("sqlite", POSTGRES), ("postgres", None), ("gong", None)),
        *(("postgres", MARIADB), ("sqlite", MARIADB)),
    ],
)
def test_bell_that_cannot_be_heard_is_one_sentence(bell: str, database_url: str | None) -> None:
    with pytest.raises(SettingError) as refused:
        Settings(bell=bell, database_url=database_url)
    assert str(refused.value).startswith("MICROBLOG_BELL")
    assert str(refused.value).count("\n") == 0
