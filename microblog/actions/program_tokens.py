"""Tokens that people make for their programs: with a name, scopes and an end."""

from datetime import datetime, timedelta

from sqlalchemy import select, update

from microblog.actions import tokens
from microblog.core import scopes
from microblog.core.errors import Conflict, message
from microblog.core.tokens import digest
from microblog.database import Tx
from microblog.models import TokenFamily, User
from microblog.queries import access


async def make(
    tx: Tx, user: User, name: str, asked: list[str], days: int, now: datetime
) -> tuple[TokenFamily, str]:
    """Make a token and return it with its row: nobody can read it a second time.

    Raises Invalid for what is not right, Conflict where there are too many.
    """
    name, allowed = scopes.check(name, asked, days, is_admin=user.is_admin)
    await tx.lock_name(digest(f"program tokens:{user.id}"))
    doors = await access.families_of(tx, user.id, now)
    if sum(each.name is not None for each in doors) >= scopes.MOST_TOKENS:
        raise Conflict(message("You have very many tokens already. Revoke one first."))
    token = scopes.new_token()
    row = TokenFamily(
        user_id=user.id,
        created_at=now,
        used_at=now,
        device="",
        name=name,
        scopes=" ".join(allowed),
        token_digest=digest(token),
        expires_at=now + timedelta(days=days) if days else None,
    )
    tx.add(row)
    await tx.flush()
    return row, token


async def revoke_expired(tx: Tx, now: datetime) -> None:
    """Revoke the tokens whose time is over, so that what they opened is closed."""
    over = TokenFamily.expires_at <= now, TokenFamily.revoked_at.is_(None)
    found = await tx.execute(select(TokenFamily.user_id, TokenFamily.id).where(*over))
    for user_id, family_id in found.all():
        await tokens.revoke(tx, user_id, family_id, now)


async def used(tx: Tx, family_ids: set[int], now: datetime) -> None:
    """Keep that these tokens were in use."""
    for family_id in sorted(family_ids):
        await tx.execute(update(TokenFamily).where(TokenFamily.id == family_id).values(used_at=now))
