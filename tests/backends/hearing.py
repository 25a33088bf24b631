"""How the tests listen to a bell: what is heard within a bound, and when it is still."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from microblog.backends.bell import Bell, open_bell
from microblog.settings import Settings

HEARD_SECONDS = 0.3
STILL_SECONDS = 0.3
PATIENCE_SECONDS = 10.0


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


async def seconds_of_a_ring(bell: Bell) -> float:
    began = time.monotonic()
    await bell.ring()
    return time.monotonic() - began
