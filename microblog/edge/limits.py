"""How much one may do. Log-ins, sign-ups and translations count in the database, for all processes
together; quicker things by the generic cell rate algorithm (ITU-T I.371), in this process.
"""

import math
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from microblog.actions import addresses, tries
from microblog.core.errors import TooManyTries
from microblog.database import Read, Tx
from microblog.edge.request import network
from microblog.queries import users
from microblog.runtime import runtime

LOGIN_WINDOW = timedelta(minutes=5)
SIGN_UP_WINDOW = timedelta(hours=1)
TRANSLATION_WINDOW = timedelta(hours=1)
RESET_WINDOW = timedelta(hours=1)
MOST_NAMES = 100_000
DRAFTS_PER_MINUTE = 120
MESSAGES_PER_MINUTE = 30
MOST_PICTURES, PICTURES_SECONDS = 12, 600


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a limit: how many at once, and the seconds until all of it is back."""

    limit: int
    remaining: int
    reset_seconds: int


class RateLimiter:
    """Lets `limit` things through in `window_seconds`, evenly, with the whole limit as a burst."""

    def __init__(self, limit: int, window_seconds: float) -> None:
        self._limit = limit
        self._step = window_seconds / limit
        self._burst = window_seconds - self._step
        self._due: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        """Return of how many names something is remembered."""
        return len(self._due)

    def take(self, name: str, now: float | None = None) -> Allowance:
        """Count one thing under `name` and return what is left.

        Raises TooManyTries with the seconds to wait.
        """
        now = time.monotonic() if now is None else now
        due = max(self._due.get(name, now), now)
        wait = due - self._burst - now
        if wait > 0:
            raise TooManyTries(math.ceil(wait), self._limit)
        due += self._step
        self._due[name] = due
        self._due.move_to_end(name)
        self._forget(now)
        remaining = self._limit - math.ceil((due - now) / self._step - 1e-6)
        return Allowance(self._limit, remaining, math.ceil(due - now))

    def _forget(self, now: float) -> None:
        """Forget the two that were longest unseen, where all of their limit is back."""
        for name in list(islice(self._due, 2)):
            if self._due[name] <= now or len(self._due) > MOST_NAMES:
                del self._due[name]


async def count_login(name: str) -> None:
    """Count a try to log in, by account and by network; raises TooManyTries."""
    limit = runtime().settings.login_tries
    async with runtime().database.write() as tx:
        names = [await _account(tx, name), f"login network {network()}"]
        await _count(tx, names, limit, LOGIN_WINDOW)


async def forgive_login(name: str) -> None:
    """Forget the tries of an account after a log-in; the network's stay counted."""
    async with runtime().database.write() as tx:
        await tries.forgive(tx, await _account(tx, name))


async def count_sign_up() -> None:
    """Count a sign-up, by network; raises TooManyTries."""
    limit = runtime().settings.sign_ups_per_hour
    async with runtime().database.write() as tx:
        await _count(tx, [f"sign-up network {network()}"], limit, SIGN_UP_WINDOW)


async def count_translation(user_id: int) -> None:
    """Count a text that is sent to a translation service; raises TooManyTries."""
    limit = runtime().settings.translations_per_hour
    async with runtime().database.write() as tx:
        await _count(tx, [f"translation account {user_id}"], limit, TRANSLATION_WINDOW)


async def count_reset(email: str) -> None:
    """Count a request for a new password, by e-mail address and by network; raises TooManyTries."""
    limit = runtime().settings.resets_per_hour
    async with runtime().database.write() as tx:
        await _count(tx, [f"reset address {email.lower()}"], limit, RESET_WINDOW)
        await _count(tx, [f"reset network {network()}"], 4 * limit, RESET_WINDOW)


async def count_confirmation(user_id: int, email: str) -> None:
    """Count a link that is to be mailed to an address, by account too; raises TooManyTries."""
    limit, window = addresses.MOST_MAILS, addresses.MAILS_WINDOW
    async with runtime().database.write() as tx:
        await _count(tx, [f"confirm account {user_id}"], limit, window)
        await addresses.count(tx, email, datetime.now(UTC))


async def _account(read: Read, name: str) -> str:
    """Name an account once, whether it is called by its username or its e-mail address."""
    user = await users.by_login(read, name)
    return f"login account {name.strip().lower() if user is None else user.username_key}"


async def _count(tx: Tx, names: list[str], limit: int, window: timedelta) -> None:
    for name in names:
        await tries.count(tx, name, limit, window, datetime.now(UTC))


def count_call(family_id: int) -> Allowance:
    """Count a call of the API with a token, and return what is left; raises TooManyTries."""
    return _take("calls", runtime().settings.calls_per_minute, family_id)


def count_post(user_id: int) -> Allowance:
    """Count a post that somebody writes and return what is left; raises TooManyTries."""
    return _take("posts", runtime().settings.posts_per_minute, user_id)


def count_draft(user_id: int) -> Allowance:
    """Count that a draft is saved, which scripts do about once a second; raises TooManyTries."""
    return _take("drafts", DRAFTS_PER_MINUTE, user_id)


def count_message(user_id: int) -> Allowance:
    """Count a private message likewise."""
    return _take("messages", MESSAGES_PER_MINUTE, user_id)


def _take(what: str, per_minute: int, owner_id: int) -> Allowance:
    limiters = runtime().limiters
    if what not in limiters:
        limiters[what] = RateLimiter(per_minute, 60)
    allowance: Allowance = limiters[what].take(str(owner_id))
    return allowance


def count_picture(user_id: int) -> None:
    """Count a picture that somebody sends; raises TooManyTries."""
    limiters = runtime().limiters
    if "pictures" not in limiters:
        limiters["pictures"] = RateLimiter(MOST_PICTURES, PICTURES_SECONDS)
    limiters["pictures"].take(str(user_id))
