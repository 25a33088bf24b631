"""A bell across processes and machines that share a PostgreSQL, by LISTEN and NOTIFY.

It has two connections of its own: one listens for ever, one rings. So a ring is never part of a
post's transaction, and a dead connection slows nobody.
"""

import asyncio
import contextlib
from typing import Any

import asyncpg
import structlog
from sqlalchemy import URL

from microblog.backends.bell.whispers import Whispers

CHANNEL = "microblog_bell"
WHISPERS = "microblog_whispers"
RING_SECONDS = 0.25
CONNECT_SECONDS = 2.0
CHECK_SECONDS = 30.0  # a connection that died without a word is noticed by then
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 2.0

log = structlog.get_logger(__name__)


class PostgresBell:
    """Rings by NOTIFY and listens by LISTEN, reconnecting for as long as it is open."""

    name = "postgres"

    def __init__(self, url: URL) -> None:
        self._how = _connect_arguments(url)
        self._speaker: asyncpg.Connection | None = None
        self._speaking = asyncio.Lock()
        self._asked = self._told = 0
        self._rung = asyncio.Event()
        self.whispers = Whispers()
        self._listening = False
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        self._task = asyncio.create_task(self._listen(), name="bell")

    async def ring(self) -> None:
        self._rung.set()  # this process needs no way round
        await self._speak()

    async def whisper(self, words: str) -> None:
        handed = self.whispers.say(words)
        if handed is None or not self._listening or self._speaking.locked():
            return  # rings go first
        try:
            async with asyncio.timeout(RING_SECONDS), self._speaking:
                speaker = await self._connected()
                await speaker.execute("SELECT pg_notify($1, $2)", WHISPERS, handed)
        except Exception:  # noqa: BLE001 - a driver that is cut off says it in many ways
            self._hang_up()

    async def wait(self) -> None:
        await self._rung.wait()
        self._rung.clear()

    async def is_ready(self) -> bool:
        return self._listening and await self._speak()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._hang_up()

    async def _speak(self) -> bool:
        """Wake the others; tell whether that worked. One NOTIFY serves all who wait to send it."""
        self._asked += 1
        mine = self._asked
        try:
            async with asyncio.timeout(RING_SECONDS), self._speaking:
                if self._told < mine:
                    await self._notify()
        except Exception as error:  # noqa: BLE001 - a driver that is cut off says it in many ways
            log.warning("bell.not_rung", reason=type(error).__name__)
            return False
        return True

    async def _notify(self) -> None:
        told = self._asked
        try:
            speaker = await self._connected()
            await speaker.execute(f"NOTIFY {CHANNEL}")
        except BaseException:
            self._hang_up()  # also when it only took too long: what it said last is not known
            raise
        self._told = told

    async def _connected(self) -> asyncpg.Connection:
        if self._speaker is None:
            self._speaker = await asyncpg.connect(**self._how)
        return self._speaker

    def _hang_up(self) -> None:
        if self._speaker is not None:
            self._speaker.terminate()
            self._speaker = None

    async def _listen(self) -> None:
        pause = SHORTEST_PAUSE_SECONDS
        while True:
            try:
                await self._hear()
            except Exception as error:  # noqa: BLE001 - whatever it was, it is tried again
                if self._listening:
                    log.warning("bell.lost", reason=type(error).__name__)
                    pause = SHORTEST_PAUSE_SECONDS
            self._listening = False
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _hear(self) -> None:
        """Listen until the connection is lost; raises what it was lost by."""
        lost = asyncio.Event()
        connection = await asyncpg.connect(timeout=CONNECT_SECONDS, **self._how)
        try:
            connection.add_termination_listener(lambda *_: lost.set())
            await connection.add_listener(CHANNEL, lambda *_: self._rung.set())
            await connection.add_listener(WHISPERS, lambda *told: self.whispers.hear(told[3]))
            self._listening = True
            self._rung.set()  # whatever rang while nobody listened is found by a read now
            while True:
                try:
                    async with asyncio.timeout(CHECK_SECONDS):
                        await lost.wait()
                    raise ConnectionResetError
                except TimeoutError:
                    await connection.execute("SELECT 1", timeout=CONNECT_SECONDS)
        finally:
            connection.terminate()


def _connect_arguments(url: URL) -> dict[str, Any]:
    """Return what asyncpg needs of an address; what SQLAlchemy alone knows is left out."""
    _, found = url.get_dialect()().create_connect_args(url)
    return {key: value for key, value in found.items() if not key.startswith("prepared_statement")}
