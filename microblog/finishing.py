"""Work that is done to its end, whoever waits for it. Whatever talks to the database uses it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def finished(work: Coroutine[Any, Any, T]) -> T:
    """Do some work with the database to its end, also when who waits for it is cancelled.

    A connection that is torn out of a statement is lost; SQLite has only one that writes.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:  # perhaps not the last one
            cancelled = error
    if cancelled is None:
        return task.result()
    if not task.cancelled():
        task.exception()  # nobody is left to hear of it
    raise cancelled
