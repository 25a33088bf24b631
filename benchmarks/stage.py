"""A microblog made ready for a benchmark: a migrated SQLite file with an author and an audience.

Everyone in the audience follows the author and has a session of their own, whose cookie the
crowd presents; the author has an access token for the API. Nobody's password is ever hashed.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from microblog import create_app
from microblog.actions import accounts, tokens
from microblog.actions.accounts import NewAccount
from microblog.cli.migrations import upgrade_to_head
from microblog.core.tokens import Access, digest, random_token, sign_access
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
    app = create_app(settings)
    app.secret_key = secret
    auth.configure(app, settings)
    (cookie,) = app.extensions["QUART_AUTH"]
    token = sign_access(
        secret,
        Access(author.id, grant.family_id),
        issued_at=int(now.timestamp()),
        ttl_seconds=int(LIFE.total_seconds()),
    )
    cookies = [f"session={cookie.dump_token(text, app=app)}" for text in session_tokens]
    return Stage(folder / "microblog.db", secret, token, cookies)


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
