"""How much one may do. Log-ins, sign-ups and resets count in the database, for all processes
together; quicker things by the generic cell rate algorithm (ITU-T I.371), in this process.
"""

import math
import time
from collections import OrderedDict
from datetime import UTC, datetime, timedelta

from microblog.actions import tries
from microblog.core.errors import TooManyTries
from microblog.edge.request import network
from microblog.runtime import runtime

LOGIN_WINDOW = timedelta(minutes=5)
SIGN_UP_WINDOW = timedelta(hours=1)
MOST_NAMES = 100_000


class RateLimiter:
    """Lets `limit` things through in `window_seconds`, evenly, with the whole limit as a burst."""

    def __init__(self, limit: int, window_seconds: float) -> None:
        self._step = window_seconds / limit
        self._burst = window_seconds - self._step
        self._due: OrderedDict[str, float] = OrderedDict()

    def take(self, name: str, now: float | None = None) -> None:
        """Count one thing under `name`; raises TooManyTries with the seconds to wait."""
        now = time.monotonic() if now is None else now
        due = max(self._due.get(name, now), now)
        wait = due - self._burst - now
        if wait > 0:
            raise TooManyTries(math.ceil(wait))
        self._due[name] = due + self._step
        self._due.move_to_end(name)
        if len(self._due) > MOST_NAMES:
            self._due.popitem(last=False)


async def count_login(name: str) -> None:
    """Count a try to log in, by account and by network; raises TooManyTries."""
    limit = runtime().settings.login_tries
    await _count([_account(name), f"login network {network()}"], limit, LOGIN_WINDOW)


async def forgive_login(name: str) -> None:
    """Forget the tries of an account after a log-in; the network's stay counted."""
    async with runtime().database.write() as tx:
        await tries.forgive(tx, _account(name))


async def count_sign_up() -> None:
    """Count a sign-up, by network; raises TooManyTries."""
    limit = runtime().settings.sign_ups_per_hour
    await _count([f"sign-up network {network()}"], limit, SIGN_UP_WINDOW)


def _account(name: str) -> str:
    return f"login account {name.strip().lower()}"


async def _count(names: list[str], limit: int, window: timedelta) -> None:
    async with runtime().database.write() as tx:
        for name in names:
            await tries.count(tx, name, limit, window, datetime.now(UTC))


def count_post(user_id: int) -> None:
    """Count a post that somebody writes; raises TooManyTries."""
    limiters = runtime().limiters
    if "posts" not in limiters:
        limiters["posts"] = RateLimiter(runtime().settings.posts_per_minute, 60)
    limiters["posts"].take(str(user_id))
