"""A bell within one process."""

import asyncio

from microblog.backends.bell.whispers import Whispers


class MemoryBell:
    """Wakes the tail of its own process."""

    name = "memory"

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self.whispers = Whispers()

    async def open(self) -> None:
        return None

    async def ring(self) -> None:
        self._rung.set()

    async def whisper(self, words: str) -> None:
        self.whispers.say(words)

    async def wait(self) -> None:
        await self._rung.wait()
        self._rung.clear()

    async def is_ready(self) -> bool:
        return True

    async def close(self) -> None:
        return None
