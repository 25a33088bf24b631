"""That somebody is writing a message, told to the other's connections in every process.

It is a whisper: stored nowhere, replayed to nobody, and dropped wherever there is more to do.
"""

import re
from functools import partial

from microblog.core.errors import TooManyTries, Unavailable
from microblog.edge.limits import RateLimiter
from microblog.queries import correspondents
from microblog.realtime.hub import Hub
from microblog.render import frames
from microblog.runtime import Runtime

TYPING = "typing"
MOST, WINDOW_SECONDS = 20, 40.0  # whispers of one person; our page sends one in three seconds
_WORDS = re.compile(rf"{TYPING} ([0-9]{{1,19}}) ([0-9]{{1,19}})", re.ASCII)


def listen(opened: Runtime) -> None:
    """Let this process's connections have what is whispered in any process."""
    opened.bell.whispers.heard = partial(_hear, opened.hub)


def _hear(hub: Hub, words: str) -> None:
    if found := _WORDS.fullmatch(words):
        writer_id, reader_id = int(found[1]), int(found[2])
        hub.whisper(reader_id, frames.typing(writer_id))


async def tell_of_typing(opened: Runtime, writer_id: int, reader_id: int) -> None:
    """Whisper to `reader_id` that somebody is writing to them, where both let it be known.

    Does nothing where it was said too often, or while the database has more to do.
    """
    limiter = opened.limiters.setdefault(TYPING, RateLimiter(MOST, WINDOW_SECONDS))
    try:
        limiter.take(str(writer_id))
        if opened.catching_up.locked():
            return
        async with opened.catching_up, opened.database.read() as read:
            may = await correspondents.may_whisper(read, writer_id, reader_id)
    except (TooManyTries, Unavailable):
        return
    if may:
        await opened.bell.whisper(f"{TYPING} {writer_id} {reader_id}")
