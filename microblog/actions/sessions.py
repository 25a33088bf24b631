"""Browser sessions: opened by a log-in, extended while used, revoked at once everywhere."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import delete, update

from microblog.core import events
from microblog.core.tokens import digest, random_token
from microblog.database import Tx
from microblog.models import RefreshToken, Session, TokenFamily

LONGEST_DEVICE = 200


async def open_session(
    tx: Tx, user_id: int, now: datetime, *, life: timedelta, remembered: bool, device: str
) -> str:
    """Open a session that lasts `life` and return its token, for the cookie."""
    token = random_token()
    tx.add(
        Session(
            user_id=user_id,
            token_digest=digest(token),
            created_at=now,
            used_at=now,
            expires_at=now + life,
            remembered=remembered,
            device=device[:LONGEST_DEVICE],
        )
    )
    await tx.flush()
    return token


async def extend(tx: Tx, session_ids: dict[int, datetime], now: datetime) -> None:
    """Let sessions that are in use last until the given times."""
    for session_id, expires_at in sorted(session_ids.items()):
        await tx.execute(
            update(Session)
            .where(Session.id == session_id)
            .values(used_at=now, expires_at=expires_at)
        )


async def revoke(tx: Tx, user_id: int, session_id: int) -> bool:
    """End one session and close its sockets, on every process; False where there is none."""
    theirs = Session.id == session_id, Session.user_id == user_id
    if not await tx.change(delete(Session).where(*theirs)):
        return False
    tx.announce(events.session_revoked(user_id, session_id))
    return True


async def used(tx: Tx, session_ids: Collection[int], now: datetime) -> None:
    """Keep that these sessions were in use."""
    for session_id in sorted(session_ids):
        await tx.execute(update(Session).where(Session.id == session_id).values(used_at=now))


async def revoke_others(
    tx: Tx,
    user_id: int,
    now: datetime,
    *,
    session_id: int | None = None,
    family_id: int | None = None,
) -> None:
    """End all sessions and families of tokens of a person but this one."""
    others = Session.user_id == user_id, Session.id != (session_id or 0)
    for ended in await tx.change_telling(delete(Session).where(*others), Session.id):
        tx.announce(events.session_revoked(user_id, ended))
    live = TokenFamily.user_id == user_id, TokenFamily.revoked_at.is_(None)
    statement = update(TokenFamily).where(*live, TokenFamily.id != (family_id or 0))
    for revoked in await tx.change_telling(statement.values(revoked_at=now), TokenFamily.id):
        tx.announce(events.tokens_revoked(user_id, revoked))


async def revoke_all(tx: Tx, user_id: int, now: datetime) -> None:
    """End every session and every token of a person, and close all their sockets."""
    await tx.execute(delete(Session).where(Session.user_id == user_id))
    families = TokenFamily.user_id == user_id
    await tx.execute(
        update(TokenFamily).where(families, TokenFamily.revoked_at.is_(None)).values(revoked_at=now)
    )
    tx.announce(events.session_revoked(user_id))


async def delete_expired(tx: Tx, now: datetime) -> None:
    """Forget sessions and refresh tokens whose time is over."""
    await tx.execute(delete(Session).where(Session.expires_at <= now))
    await tx.execute(delete(RefreshToken).where(RefreshToken.expires_at <= now))
