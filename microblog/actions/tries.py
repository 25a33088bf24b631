"""Counting tries at a door, in the database, so that many processes count together."""

import math
from datetime import datetime, timedelta

from sqlalchemy import delete

from microblog.core.errors import TooManyTries
from microblog.core.tokens import digest
from microblog.database import Tx
from microblog.models import Try
from microblog.queries import access


async def count(tx: Tx, name: str, limit: int, window: timedelta, now: datetime) -> None:
    """Count one try; raises TooManyTries, with the waiting time, where the limit is reached.

    A refused try is not counted, so that waiting helps even while somebody else keeps trying.
    """
    key = digest(name)
    await tx.lock_name(key)
    tries, earliest = await access.tries_since(tx, key, now - window)
    if tries >= limit and earliest is not None:
        seconds = math.ceil((earliest + window - now).total_seconds())
        raise TooManyTries(max(1, seconds), limit)
    tx.add(Try(key=key, created_at=now))
    await tx.flush()


async def forgive(tx: Tx, name: str) -> None:
    """Forget the tries under a name, after one that succeeded."""
    await tx.execute(delete(Try).where(Try.key == digest(name)))
