"""API tokens: families that begin with a password, rotate at each refresh, and fall together.

Refresh tokens rotate as RFC 9700, section 4.14.2, asks for: a token that is spent twice, later
than a lost answer or a second tab explains, was stolen, and its whole family is revoked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update

from microblog.actions.sessions import LONGEST_DEVICE
from microblog.core import events
from microblog.core.tokens import digest, random_token, successor
from microblog.database import Tx
from microblog.models import RefreshToken, TokenFamily
from microblog.queries import access

GRACE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a client may hold: its family and the refresh token to spend next."""

    user_id: int
    family_id: int
    refresh_token: str


async def issue(tx: Tx, user_id: int, now: datetime, *, life: timedelta, device: str) -> Grant:
    """Begin a family of tokens for a person who proved their password."""
    family = TokenFamily(
        user_id=user_id, created_at=now, used_at=now, device=device[:LONGEST_DEVICE]
    )
    tx.add(family)
    await tx.flush()
    token = random_token()
    _keep(tx, family.id, token, now + life, now)
    return Grant(user_id, family.id, token)


async def refresh(
    tx: Tx, token: str, now: datetime, *, life: timedelta, secrets: Sequence[str]
) -> Grant | None:
    """Spend a refresh token and return its successor; None where the token is no good.

    For thirty seconds the same token gives the same successor. After that, or when the successor
    was spent as well, its reuse revokes the family and closes its sockets: the caller must let
    the transaction commit. `secrets` are the server's, the one in force first.
    """
    await tx.lock_name(digest(token))
    known = await access.refresh_token(tx, token)
    if known is None:
        return None
    row, family = known
    if family.revoked_at is not None or row.expires_at <= now:
        return None
    if row.spent_at is not None:
        heir = await _heir(tx, token, secrets) if now - row.spent_at <= GRACE else None
        if heir is None:
            await revoke(tx, family.user_id, family.id, now)
            return None
        return Grant(family.user_id, family.id, heir)
    following = successor(secrets[0], token)
    row.spent_at = now
    family.used_at = now
    _keep(tx, family.id, following, now + life, now)
    await tx.flush()
    return Grant(family.user_id, family.id, following)


async def _heir(tx: Tx, token: str, secrets: Sequence[str]) -> str | None:
    """Return the token that followed a spent one, if it was not spent itself."""
    for secret in secrets:
        following = successor(secret, token)
        heir = await access.refresh_token(tx, following)
        if heir is not None and heir[0].spent_at is None:
            return following
    return None


async def revoke(tx: Tx, user_id: int, family_id: int, now: datetime) -> bool:
    """Revoke a family of tokens and close its sockets, on every process; False for none."""
    theirs = TokenFamily.id == family_id, TokenFamily.user_id == user_id
    live = TokenFamily.revoked_at.is_(None)
    if not await tx.change(update(TokenFamily).where(*theirs, live).values(revoked_at=now)):
        return False
    tx.announce(events.tokens_revoked(user_id, family_id))
    return True


def _keep(tx: Tx, family_id: int, token: str, expires_at: datetime, now: datetime) -> None:
    row = RefreshToken(
        token_digest=digest(token), family_id=family_id, created_at=now, expires_at=expires_at
    )
    tx.add(row)
