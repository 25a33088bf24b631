"""People for tests: accounts, their posts, and browsers without JavaScript."""

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from quart import Quart
from quart.typing import TestClientProtocol

from microblog.actions import accounts, posts, sessions, tokens
from microblog.actions.accounts import NewAccount
from microblog.actions.posts import Draft
from microblog.core import passwords
from microblog.core.access_tokens import Access, AccessKeys
from microblog.database import Database
from microblog.models import User
from microblog.queries.rows import PostRow
from microblog.settings import Settings

PASSWORD = "a long enough sentence"
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@cache
def hashed(password: str) -> str:
    """Hash a password at the least cost, once."""
    return passwords.hash_password(password, 4)


class MakeUser:
    """Makes people."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(
        self, username: str = "mina", *, role: str = "member", language: str | None = None
    ) -> User:
        account = NewAccount(
            username, f"{username}@example.org", hashed(PASSWORD), language=language, role=role
        )
        async with self._database.write() as tx:
            return await accounts.register(tx, account, datetime.now(UTC))


class MakePost:
    """Publishes posts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(
        self,
        author: User,
        body: str = "Hello",
        *,
        language: str | None = None,
        reply_to: int | None = None,
        title: str | None = None,
    ) -> PostRow:
        draft = Draft(body, language=language, reply_to=reply_to, title=title)
        async with self._database.write() as tx:
            return await posts.publish(tx, author, draft, datetime.now(UTC))


async def session_cookie(database: Database, app: Quart, user: User) -> str:
    """Sign a person in and return the value of the cookie."""
    async with database.write() as tx:
        token = await sessions.open_session(
            tx,
            user.id,
            datetime.now(UTC),
            life=timedelta(hours=24),
            remembered=False,
            device="test",
        )
    (cookie,) = app.extensions["QUART_AUTH"]
    value: str = cookie.dump_token(token, app=app)
    return value


async def access_token(database: Database, settings: Settings, user: User) -> str:
    """Return an access token of the API."""
    now = datetime.now(UTC)
    async with database.write() as tx:
        grant = await tokens.issue(tx, user.id, now, life=timedelta(days=1), device="test")
    access = Access(user.id, grant.family_id)
    keys = AccessKeys.of_secrets([settings.secret_key or ""])
    return keys.sign(access, issued_at=int(now.timestamp()), ttl_seconds=600)


class Browser:
    """A browser without JavaScript: it fills in forms with the token of the page it has seen."""

    def __init__(self, client: TestClientProtocol) -> None:
        self.client = client

    async def get(self, path: str, **how: Any) -> Any:
        return await self.client.get(path, **how)

    async def text(self, path: str) -> str:
        """Return a page, which must be there."""
        response = await self.client.get(path)
        assert response.status_code == 200, response.status
        return str(await response.get_data(as_text=True))

    async def token(self, path: str = "/explore") -> str:
        """Return the CSRF token of a page."""
        response = await self.client.get(path)
        found = _TOKEN.search(await response.get_data(as_text=True))
        assert found is not None, "the page has no form"
        return found[1]

    async def post(
        self, path: str, form: dict[str, str] | None = None, *, page: str = "/explore", **how: Any
    ) -> Any:
        """Send a form from a page."""
        fields = {"csrf_token": await self.token(page)} | (form or {})
        return await self.client.post(path, form=fields, **how)


class Visit:
    """Opens browsers, signed in or not."""

    def __init__(self, app: Quart, database: Database) -> None:
        self._app = app
        self._database = database

    async def __call__(self, user: User | None = None) -> Browser:
        client = self._app.test_client()
        if user is not None:
            value = await session_cookie(self._database, self._app, user)
            client.set_cookie("localhost", "session", value)
        return Browser(client)
