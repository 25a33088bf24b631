"""A microblog made ready for a benchmark: a migrated SQLite file with an author and an audience.

Everyone in the audience follows the author and has a session of their own, whose cookie the
crowd presents; the author has an access token for the API. Nobody's password is ever hashed.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from microblog import create_app
from microblog.actions import accounts, sessions, tokens
from microblog.actions.accounts import NewAccount
from microblog.actions.tokens import Grant
from microblog.cli.migrations import upgrade_to_head
from microblog.core.access_tokens import Access, AccessKeys
from microblog.core.tokens import digest, random_token
from microblog.database import Tx, open_database
from microblog.edge import auth
from microblog.models import Follow, Session, User
from microblog.settings import Settings

NO_PASSWORD = "!"
LIFE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Stage:
    """The file to copy for each run, the server's secret, and what lets people in."""

    database: Path
    secret: str
    author_token: str
    cookies: list[str]
    author_id: int


@dataclass(frozen=True, slots=True)
class Pass:
    """What lets one person in: the cookie of a session, and an access token of the API."""

    cookie: str
    token: str


async def prepare(folder: Path, audience: int) -> Stage:
    """Make the file `microblog.db` in a folder."""
    settings = Settings(data_dir=folder, secret_key=secrets.token_hex(32))
    database = open_database(settings)
    secret, now = settings.secret_key or "", datetime.now(UTC)
    session_tokens = [random_token() for _ in range(audience)]
    async with database.write() as tx:
        account = NewAccount("author", "author@example.org", NO_PASSWORD)
        author = await accounts.register(tx, account, now)
        grant = await tokens.issue(tx, author.id, now, life=LIFE, device="benchmark")
        await _seat(tx, author.id, session_tokens, now)
    await database.close()
    token = _access_token(secret, grant, now)
    cookies = _cookies(settings, session_tokens)
    cookies = _cookies(settings, session_tokens)
    return Stage(folder / "microblog.db", secret, token, cookies, author.id)


async def admit(folder: Path, secret: str, user_ids: Sequence[int]) -> list[Pass]:
    """Open a session and a family of tokens for each of these people, who are there already."""
    settings = Settings(data_dir=folder, secret_key=secret)
    database, now = open_database(settings), datetime.now(UTC)
    session_tokens, access_tokens = [], []
    async with database.write() as tx:
        for user_id in user_ids:
            opened = await sessions.open_session(
                tx, user_id, now, life=LIFE, remembered=False, device="benchmark"
            )
            session_tokens.append(opened)
            grant = await tokens.issue(tx, user_id, now, life=LIFE, device="benchmark")
            access_tokens.append(_access_token(secret, grant, now))
    await database.close()
    cookies = _cookies(settings, session_tokens)
    return [Pass(c, t) for c, t in zip(cookies, access_tokens, strict=True)]


def _access_token(secret: str, grant: Grant, now: datetime) -> str:
    return AccessKeys.of_secrets([secret]).sign(
        Access(grant.user_id, grant.family_id),
        issued_at=int(now.timestamp()),
        ttl_seconds=int(LIFE.total_seconds()),
    )


def _cookies(settings: Settings, session_tokens: Sequence[str]) -> list[str]:
    app = create_app(settings)
    app.secret_key = settings.secret_key
    auth.configure(app, settings)
    (cookie,) = app.extensions["QUART_AUTH"]
    return [f"session={cookie.dump_token(text, app=app)}" for text in session_tokens]


def migrate(folder: Path) -> None:
    """Make the tables. Apart from `prepare`, for Alembic runs an event loop of its own."""
    upgrade_to_head(Settings(data_dir=folder))


async def _seat(tx: Tx, author_id: int, session_tokens: list[str], now: datetime) -> None:
    """Write the audience, row by row as the actions would, but in three statements."""
    ids = range(author_id + 1, author_id + 1 + len(session_tokens))
    names = {number: f"reader{number}" for number in ids}
    people = [
        {
            "id": number,
            "username": name,
            "username_key": name,
            "email": f"{name}@example.org",
            "email_key": f"{name}@example.org",
            "password_hash": NO_PASSWORD,
            "first_seen": now,
            "last_seen": now,
            "following_count": 1,
        }
        for number, name in names.items()
    ]
    follows = [{"follower_id": n, "followed_id": author_id, "created_at": now} for n in ids]
    sessions = [
        {
            "user_id": number,
            "token_digest": digest(token),
            "created_at": now,
            "used_at": now,
            "expires_at": now + LIFE,
            "remembered": False,
        }
        for number, token in zip(ids, session_tokens, strict=True)
    ]
    await tx.execute(insert(User), people)
    await tx.execute(insert(Follow), follows)
    await tx.execute(insert(Session), sessions)
