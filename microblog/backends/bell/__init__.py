"""The bell wakes the tails of the log. It carries no content: a lost or forged ring costs a read.

`realtime.tail` waits for it; `database` rings it after a commit. Where a bell is heard in its own
process only, other processes find new events by their poll, once a second.

By the same services processes whisper to one another (`whispers`): a few letters that are kept
nowhere and that nobody misses. A ring stays a ring: whispers have a way of their own beside it.
"""

from typing import Protocol

from microblog.backends.bell.memory import MemoryBell
from microblog.backends.bell.sqlite import SqliteBell
from microblog.backends.bell.whispers import Whispers
from microblog.settings import Settings


class Bell(Protocol):
    """Something that wakes every tail of one microblog."""

    name: str
    whispers: Whispers

    async def open(self) -> None:
        """Begin to listen. Never fails because the service is away: it tries again by itself."""

    async def ring(self) -> None:
        """Wake all who wait. Gives up quietly after a quarter of a second."""

    async def whisper(self, words: str) -> None:
        """Let every process hear a few ASCII letters now, or never: nothing is tried again."""

    async def wait(self) -> None:
        """Return at the first ring since the last return."""

    async def is_ready(self) -> bool:
        """Whether a ring reaches the other processes now."""

    async def close(self) -> None:
        """Stop listening."""


def open_bell(settings: Settings) -> Bell:
    """Make the bell that the settings ask for; connects to nothing yet."""
    match settings.bell_in_use:
        case "redis":
            from microblog.backends.bell.redis import RedisBell

            return RedisBell(str(settings.redis_url))
        case "postgres":
            from microblog.backends.bell.postgres import PostgresBell

            return PostgresBell(settings.database)
        case "sqlite":
            return SqliteBell(str(settings.database.database))
    return MemoryBell()
