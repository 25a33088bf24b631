"""What one bell whispers the others hear, at once or never; from another process: `test_bell`."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from microblog.backends.bell import Bell, open_bell
from microblog.backends.bell.whispers import LONGEST
from microblog.settings import Settings
from tests.backends.hearing import PATIENCE_SECONDS, listening
from tests.backends.test_bell import bell_settings, bells_for_many
from tests.services import Redis

__all__ = ["bell_settings"]  # the fixture


class Ear:
    """Keeps what a bell's process hears."""

    def __init__(self, bell: Bell) -> None:
        self.heard: asyncio.Queue[str] = asyncio.Queue()
        bell.whispers.heard = self.heard.put_nowait

    async def next(self) -> str:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.heard.get()


@asynccontextmanager
async def two(settings: Settings) -> AsyncIterator[tuple[Bell, Ear, Bell, Ear]]:
    async with listening(settings) as here, listening(settings) as there:
        yield here, Ear(here), there, Ear(there)


@bells_for_many
async def test_whisper_is_heard_once_here_and_once_there(bell_settings: Settings) -> None:
    async with two(bell_settings) as (here, ear_here, there, ear_there):
        for words in ("typing 1 2", "typing 3 4"):
            await here.whisper(words)
            assert await ear_here.next() == await ear_there.next() == words
        await there.whisper("back")
        assert await ear_here.next() == await ear_there.next() == "back"
        assert ear_here.heard.empty()
        assert ear_there.heard.empty()


@bells_for_many
async def test_what_is_no_whisper_is_not_said(bell_settings: Settings) -> None:
    async with two(bell_settings) as (here, ear_here, _there, ear_there):
        for words in ("x" * (LONGEST + 1), "비밀"):
            await here.whisper(words)
        await here.whisper("said")
        assert await ear_here.next() == await ear_there.next() == "said"


async def test_file_of_a_process_that_was_killed_is_cleared_away(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    shutil.copy(migrated_sqlite, tmp_path / "microblog.db")
    folder = tmp_path / "microblog.db-whispers"
    async with two(Settings(data_dir=tmp_path, bell="sqlite")) as (here, _, __, ear_there):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as killed:
            killed.bind(str(folder / "killed.sock"))
        await here.whisper("hello")
        assert await ear_there.next() == "hello"
    assert list(folder.iterdir()) == []


@pytest.fixture
def gone(own_redis: Redis, tmp_path: Path) -> tuple[Settings, Redis]:
    settings = Settings(data_dir=tmp_path, log_level="error")
    return replace(settings, redis_url=own_redis.url, bell="redis"), own_redis


async def test_dead_service_slows_no_whisper_and_is_heard_within_the_process(
    gone: tuple[Settings, Redis],
) -> None:
    settings, redis = gone
    async with listening(settings) as bell:
        ear = Ear(bell)
        await asyncio.to_thread(redis.kill)
        async with asyncio.timeout(PATIENCE_SECONDS):
            for _ in range(5):
                await bell.whisper("still here")
                assert await ear.next() == "still here"
    bell = open_bell(settings)
    await bell.whisper("before it was opened")
    await bell.close()
