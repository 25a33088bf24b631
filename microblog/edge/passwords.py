"""Password work at the door: slow by design, so it runs in a thread, two at a time at most."""

import asyncio

from microblog.core import passwords
from microblog.runtime import runtime


async def hash_password(password: str) -> str:
    """Hash a checked password."""
    rounds = runtime().settings.bcrypt_rounds
    async with runtime().hashing:
        return await asyncio.to_thread(passwords.hash_password, password, rounds)


async def verify(password: str, hashed: str | None) -> bool:
    """Compare a password; the same work is done where there is no account (`hashed` None)."""
    rounds = runtime().settings.bcrypt_rounds
    async with runtime().hashing:
        # Made at the first log-in of a process, whoever it is: the next one has it ready.
        nobody = await asyncio.to_thread(passwords.dummy_hash, rounds)
        matches = await asyncio.to_thread(passwords.verify, password, hashed or nobody)
    return matches and hashed is not None
