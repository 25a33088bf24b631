"""What mail is about: links that were mailed, devices that are known, whom an address is about."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select

from microblog.core.leaving import Left
from microblog.core.tokens import digest
from microblog.database import Read
from microblog.models import KnownDevice, MailedLink, User

MOST_ACCOUNTS = 10
"""Of one address that nobody has proved, in one mail."""

_MAY_LOG_IN = or_(User.deactivated_at.is_(None), User.left_because == Left.SELF)
"""Who left by themselves comes back by logging in, and may have forgotten the password."""


async def link(
    read: Read, token: str, purpose: str, now: datetime
) -> tuple[MailedLink, User] | None:
    """Return an unspent link of that purpose with its person, who may log in, or None."""
    statement = (
        select(MailedLink, User)
        .join(User, User.id == MailedLink.user_id)
        .where(
            MailedLink.token_digest == digest(token),
            MailedLink.purpose == purpose,
            MailedLink.expires_at > now,
            _MAY_LOG_IN,
        )
    )
    row = (await read.execute(statement)).one_or_none()
    return None if row is None else (row[0], row[1])


async def owner(read: Read, email: str) -> User | None:
    """Return the active person who proved that an address is theirs, or None."""
    found: User | None = await read.scalar(
        select(User)
        .where(
            User.email_key == email.lower(),
            User.email_confirmed_at.is_not(None),
            User.deactivated_at.is_(None),
        )
        .limit(1)
    )
    return found


async def claimants(read: Read, email: str) -> list[User]:
    """Return whom an address is about: who proved it and is there, else ten at most who gave it.

    Those who are there come first, then those who can come back.
    """
    if (proved := await owner(read, email)) is not None:
        return [proved]
    statement = (
        select(User)
        .where(User.email_key == email.lower(), _MAY_LOG_IN)
        .order_by(User.deactivated_at.is_not(None), User.id)
        .limit(MOST_ACCOUNTS)
    )
    return list(await read.scalars(statement))


async def known_marks(read: Read, user_id: int, marks: Sequence[bytes]) -> set[bytes]:
    """Return those of `marks` by which one of a person's devices was recognised before."""
    statement = select(KnownDevice.mark).where(
        KnownDevice.user_id == user_id, KnownDevice.mark.in_(marks)
    )
    return set(await read.scalars(statement))


async def has_devices(read: Read, user_id: int) -> bool:
    """Tell whether any device of a person is known."""
    statement = select(KnownDevice.user_id).where(KnownDevice.user_id == user_id).limit(1)
    return await read.scalar(statement) is not None
