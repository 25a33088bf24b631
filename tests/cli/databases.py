"""The database of a test of commands, looked at between two of them."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from microblog.database import Database, open_database
from microblog.settings import Settings

T = TypeVar("T")


def on(settings: Settings, work: Callable[[Database], Coroutine[Any, Any, T]]) -> T:
    """Do something with the test's database between two commands."""

    async def do() -> T:
        database = open_database(settings)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(do())
