"""Who is at the door: browser sessions, families of API tokens, counted tries."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, bindparam, func, or_, select

from microblog.core.tokens import digest
from microblog.database import Read
from microblog.models import IdempotencyKey, RefreshToken, Session, TokenFamily, Try, User, table

_SESSION = (
    select(Session, User)
    .join(User, User.id == Session.user_id)
    .where(
        Session.token_digest == bindparam("digest"),
        Session.expires_at > bindparam("now"),
        User.deactivated_at.is_(None),
    )
)
_FAMILY = (
    select(User)
    .join(TokenFamily, TokenFamily.user_id == User.id)
    .where(
        TokenFamily.id == bindparam("family"),
        TokenFamily.revoked_at.is_(None),
        User.id == bindparam("person"),
        User.deactivated_at.is_(None),
    )
)
_PROGRAM_TOKEN = (
    select(TokenFamily, User)
    .join(User, User.id == TokenFamily.user_id)
    .where(
        TokenFamily.token_digest == bindparam("digest"),
        TokenFamily.revoked_at.is_(None),
        or_(TokenFamily.expires_at.is_(None), TokenFamily.expires_at > bindparam("now")),
        User.deactivated_at.is_(None),
    )
)
_key = table(IdempotencyKey)
_SPENT_KEY = select(_key.c.request_digest, _key.c.ref_id).where(
    _key.c.user_id == bindparam("person"), _key.c.key == bindparam("key")
)


_SPENT_SINCE = (
    select(_key.c.request_digest, _key.c.ref_id)
    .where(_key.c.created_at > bindparam("since"), _key.c.key == bindparam("key"))
    .limit(1)
)


class SpentKey(NamedTuple):
    """The digest of the request that an idempotency key was used for, and what it made."""

    request_digest: bytes
    ref_id: int


async def session(read: Read, token: str, now: datetime) -> tuple[Session, User] | None:
    """Return the live session of a cookie's token with its active person, or None."""
    row = (await read.execute(_SESSION, {"digest": digest(token), "now": now})).one_or_none()
    return None if row is None else (row[0], row[1])


async def family(read: Read, family_id: int, user_id: int) -> User | None:
    """Return the active person of a family of tokens that was not revoked, or None."""
    found = await read.execute(_FAMILY, {"family": family_id, "person": user_id})
    user: User | None = found.scalar_one_or_none()
    return user


async def refresh_token(read: Read, token: str) -> tuple[RefreshToken, TokenFamily] | None:
    """Return an active person's refresh token, spent or not, with its family, or None."""
    statement = (
        select(RefreshToken, TokenFamily)
        .join(TokenFamily, TokenFamily.id == RefreshToken.family_id)
        .join(User, User.id == TokenFamily.user_id)
        .where(RefreshToken.token_digest == digest(token), User.deactivated_at.is_(None))
    )
    row = (await read.execute(statement)).one_or_none()
    return None if row is None else (row[0], row[1])


async def tries_since(read: Read, key: bytes, since: datetime) -> tuple[int, datetime | None]:
    """Return how many tries of `key` were counted since then, and the earliest of them."""
    statement = select(func.count(), func.min(Try.created_at)).where(
        Try.key == key, Try.created_at > since
    )
    count, earliest = (await read.execute(statement)).one()
    return int(count), earliest


async def spent_key(read: Read, user_id: int, key: str) -> SpentKey | None:
    """Return what a person's idempotency key was used for, or None."""
    row = (await read.execute(_SPENT_KEY, {"person": user_id, "key": key})).one_or_none()
    return None if row is None else SpentKey(*row)


async def spent_since(read: Read, key: str, since: datetime) -> SpentKey | None:
    """Return what anybody's idempotency key was used for since then, or None."""
    row = (await read.execute(_SPENT_SINCE, {"since": since, "key": key})).one_or_none()
    return None if row is None else SpentKey(*row)


class Door(NamedTuple):
    """A way in that is open: a browser's session, or a family of tokens; a token that the person
    made has a name.
    """

    id: int
    device: str
    created_at: datetime
    used_at: datetime
    name: str | None = None
    scopes: str | None = None
    expires_at: datetime | None = None


async def sessions_of(read: Read, user_id: int, now: datetime) -> list[Door]:
    """Return a person's live browser sessions, the last used first."""
    live = Session.user_id == user_id, Session.expires_at > now
    columns = Session.id, Session.device, Session.created_at, Session.used_at
    found = await read.execute(
        select(*columns).where(*live).order_by(Session.used_at.desc(), Session.id.desc())
    )
    return [Door(*row) for row in found]


async def program_token(read: Read, token: str, now: datetime) -> tuple[TokenFamily, User] | None:
    """Return a token that somebody made for a program, with the active person, or None."""
    found = await read.execute(_PROGRAM_TOKEN, {"digest": digest(token), "now": now})
    row = found.one_or_none()
    return None if row is None else (row[0], row[1])


async def families_of(read: Read, user_id: int, now: datetime) -> list[Door]:
    """Return a person's sign-ins that can still be renewed, and the tokens that they made for
    programs and that are still good; the last used first.
    """
    renewable = (
        select(RefreshToken.family_id)
        .where(
            RefreshToken.family_id == TokenFamily.id,
            RefreshToken.spent_at.is_(None),
            RefreshToken.expires_at > now,
        )
        .exists()
    )
    ends = TokenFamily.expires_at
    made = and_(TokenFamily.token_digest.is_not(None), or_(ends.is_(None), ends > now))
    live = TokenFamily.user_id == user_id, TokenFamily.revoked_at.is_(None), or_(renewable, made)
    columns = TokenFamily.id, TokenFamily.device, TokenFamily.created_at, TokenFamily.used_at
    made_columns = TokenFamily.name, TokenFamily.scopes, ends
    found = await read.execute(
        select(*columns, *made_columns)
        .where(*live)
        .order_by(TokenFamily.used_at.desc(), TokenFamily.id.desc())
    )
    return [Door._make(row) for row in found]
