"""A bell within one process."""

import asyncio


class MemoryBell:
    """Wakes the tail of its own process."""

    name = "memory"

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    async def open(self) -> None:
        return None

    async def ring(self) -> None:
        self._rung.set()

    async def wait(self) -> None:
        await self._rung.wait()
        self._rung.clear()

    async def is_ready(self) -> bool:
        return True

    async def close(self) -> None:
        return None
