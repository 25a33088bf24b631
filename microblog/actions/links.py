"""Links that are mailed: made for an address, spent once, gone after their time."""

from datetime import datetime, timedelta

from sqlalchemy import delete

from microblog.core.tokens import digest, link_token, random_token
from microblog.database import Tx
from microblog.models import MailedLink, User
from microblog.queries import mail


async def make(
    tx: Tx, secret: str, purpose: str, user: User, email: str, now: datetime, life: timedelta
) -> str:
    """Make a link for a person that is to be mailed to `email`; return its nonce.

    The token is derived of the nonce when the mail is made (`core.tokens.link_token`).
    """
    nonce = random_token()
    row = MailedLink(
        token_digest=digest(link_token(secret, nonce)),
        purpose=purpose,
        user_id=user.id,
        email=email,
        created_at=now,
        expires_at=now + life,
    )
    tx.add(row)
    await tx.flush()
    return nonce


async def spend(tx: Tx, token: str, purpose: str, now: datetime) -> tuple[MailedLink, User] | None:
    """Spend a link; None where it is unknown, late or spent. One of many at once succeeds."""
    await tx.lock_name(digest(token))
    found = await mail.link(tx, token, purpose, now)
    if found is not None:
        await tx.execute(delete(MailedLink).where(MailedLink.token_digest == digest(token)))
    return found


async def forget(tx: Tx, user_id: int, purpose: str | None = None) -> None:
    """Let no link of a person open anything more, or none of one purpose."""
    theirs = delete(MailedLink).where(MailedLink.user_id == user_id)
    await tx.execute(theirs if purpose is None else theirs.where(MailedLink.purpose == purpose))


async def delete_expired(tx: Tx, now: datetime) -> None:
    """Forget links whose time is over."""
    await tx.execute(delete(MailedLink).where(MailedLink.expires_at <= now))
