"""Password work at the door: slow by design, so it runs apart, two at a time at most."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

from microblog.core import passwords
from microblog.edge.threads import step_back
from microblog.runtime import runtime

T = TypeVar("T")
AT_ONCE = 2


async def hash_password(password: str) -> str:
    """Hash a checked password."""
    return await _apart(passwords.hash_password, password, runtime().settings.bcrypt_rounds)


async def verify(password: str, hashed: str | None) -> bool:
    """Compare a password; the same work is done where there is no account (`hashed` None)."""
    # Made at the first log-in of a process, whoever it is: the next one has it ready.
    nobody = await _apart(passwords.dummy_hash, runtime().settings.bcrypt_rounds)
    matches = await _apart(passwords.verify, password, hashed or nobody)
    return matches and hashed is not None


async def _apart(work: Callable[..., T], *arguments: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(_threads(), work, *arguments)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, "password", initializer=step_back)
