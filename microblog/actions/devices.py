"""Devices that somebody logged in from: remembered by marks, so that a new one is noticed."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete, update

from microblog.core.tokens import digest
from microblog.database import Tx
from microblog.models import KnownDevice
from microblog.queries import mail


async def recognise(
    tx: Tx, user_id: int, marks: Sequence[bytes], now: datetime, former: Iterable[bytes] = ()
) -> bool:
    """Remember a device by its marks; tell whether it is new to somebody who has others.

    `former` are the marks that it had under former secrets of the server.
    """
    await tx.lock_name(digest(f"devices:{user_id}"))
    known = await mail.known_marks(tx, user_id, [*marks, *former])
    is_news = not known and await mail.has_devices(tx, user_id)
    rows = [{"user_id": user_id, "mark": m, "seen_at": now} for m in marks if m not in known]
    await tx.insert(KnownDevice, *rows)
    if known:
        await tx.execute(
            update(KnownDevice)
            .where(KnownDevice.user_id == user_id, KnownDevice.mark.in_(known))
            .values(seen_at=now)
        )
    return is_news


async def forget_unseen(tx: Tx, before: datetime) -> None:
    """Forget devices that nobody has logged in from since then."""
    await tx.execute(delete(KnownDevice).where(KnownDevice.seen_at < before))
