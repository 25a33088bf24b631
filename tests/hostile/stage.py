"""A small place where everybody asks for everything, put back as it was after each request.

What a request changed is read from the file itself, and undone by copying the file's first state
over it: so no request sees what another did, and no order matters.
"""

import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from quart import Quart
from quart.testing.connections import WebsocketResponseError
from sqlalchemy import func, select, update

from microblog import create_app
from microblog.actions import tokens
from microblog.api.openapi import JSON
from microblog.core.access_tokens import Access, AccessKeys
from microblog.database import Database
from microblog.models import Model, Session, User
from microblog.render.frames import JSON_FORM
from microblog.runtime import EXTENSION
from microblog.settings import Settings
from tests.hostile import good
from tests.hostile.asking import LOG_IN, SOCKET, Answer, Way
from tests.people import PASSWORD, Browser, MakePost, MakeUser, access_token, session_cookie
from tests.web.scene import Scene, set_up

ROLES = ("anonymous", "other", "owner", "admin", "deactivated", "expired", "members")
BY_ITSELF = {"last_seen", "used_at"}  # what reading may write, later and for many at once
OURS: Any = {"subprotocols": [JSON_FORM]}
DAY = timedelta(days=1)

Rows = dict[str, dict[Any, dict[str, Any]]]


@dataclass(frozen=True)
class Proofs:
    """What somebody shows: a page's cookie, a program's token."""

    cookie: str | None = None
    token: str | None = None


@dataclass
class Stage:
    """The place, its people's proofs, and the file's first state.

    Mina owns what the scene is about; June has nothing to do with her, but a post of her own.
    """

    apps: dict[str, Quart]
    scene: Scene
    june: User
    post_of_june: int
    proofs: dict[str, Proofs]
    refresh_token: str
    file: sqlite3.Connection
    first: sqlite3.Connection

    def __post_init__(self) -> None:
        self._pages: dict[str, tuple[str, str]] = {}
        self._document: dict[str, Any] = {}
        self.file.backup(self.first)
        self._before = self.rows()
        self._seen = self._version()

    @property
    def app(self) -> Quart:
        return self.apps["open"]

    # --- Asking --------------------------------------------------------------------------------

    async def ask(
        self, way: Way, role: str, *, address: str | None = None, **body: Any
    ) -> tuple[Answer, Rows, Rows]:
        """Ask as somebody, by a good request where no `form` or `json` is given.

        Return the answer, and all rows as they were and as they were afterwards.
        """
        app = self.apps["members" if role == "members" else "open"]
        runtime = app.extensions[EXTENSION]
        runtime.limiters.clear()
        path = address or self.address(way)
        if way.method == SOCKET:
            answer = await self._shake_hands(app, role, path)
        else:
            how = await self._how(way, role, body or await self.body(way))
            client = await self._client(app, role, way)
            made = await client.open(path, method=way.method, **how)
            text = (await made.get_data()).decode("utf-8", "replace")
            answer = Answer(made.status_code, made.headers.get("Location", ""), text)
        if self._version() == self._seen:
            return answer, self._before, self._before
        after = self.rows()
        self.first.backup(self.file)
        self._seen = self._version()
        for cache in (runtime.articles, runtime.encoded, runtime.frames):
            cache.clear()
        return replace(answer, wrote=True), self._before, after

    def parts(self, way: Way) -> dict[str, str]:
        """Return examples for the parts of a route's address."""
        return self.scene.values(way.rule) | good.PARTS.get(way.name, {})

    def address(self, way: Way, **other: str) -> str:
        """Return an address of a route; where something is looked for, with what it is."""
        looks = re.search("search|suggest", way.path) and way.method == "GET"
        address = self.scene.address(way.rule, self.parts(way) | other)
        return address + ("?q=rain" if looks else "")

    async def _shake_hands(self, app: Quart, role: str, path: str) -> Answer:
        client = app.test_client()
        cookie = self.proofs[role].cookie
        headers = {"Cookie": f"session={cookie}"} if cookie else {}
        try:
            async with client.websocket(path, headers=headers, scope_base=OURS) as socket:
                return Answer(101, body=str(await socket.receive()))
        except WebsocketResponseError as refused:
            return Answer(refused.response.status_code)

    async def _client(self, app: Quart, role: str, way: Way) -> Any:
        """Open a browser that has seen a page; for programs one without cookies."""
        client: Any = app.test_client(use_cookies=not way.is_api)
        if not way.is_api:
            client.set_cookie("localhost", "form", (await self._page(role))[0])
            if (cookie := self.proofs[role].cookie) is not None:
                client.set_cookie("localhost", "session", cookie)
        return client

    async def _how(self, way: Way, role: str, body: Mapping[str, Any]) -> dict[str, Any]:
        token = self.proofs[role].token
        if way.rule.endpoint == "api.tokens.take":
            return {"auth": ("bora", PASSWORD), **body}
        if way.is_api:
            proof = {"Authorization": f"Bearer {token}"} if token else {}
            return {"headers": proof | good.HEADERS.get(way.name, {}), **body}
        if way.is_safe:
            return dict(body)
        page_token = (await self._page(role))[1]
        if "form" in body:
            return {"form": {"csrf_token": page_token} | body["form"]}
        return {"headers": {"X-CSRF-Token": page_token}, **body}

    async def _page(self, role: str) -> tuple[str, str]:
        """Return the `form` cookie of a browser that has opened a page, and the page's token."""
        which = "members" if role == "members" else "open"
        if which not in self._pages:
            client: Any = self.apps[which].test_client()
            token = await Browser(client).token(LOG_IN)
            (cookie,) = [each for each in client.cookie_jar if each.name == "form"]
            self._pages[which] = cookie.value, token
        return self._pages[which]

    # --- Good bodies ---------------------------------------------------------------------------

    async def body(self, way: Way) -> dict[str, Any]:
        """Return the body of a good request."""
        if way.is_safe:
            return {}
        if not way.is_api:
            return {"form": self.scene.form(way.rule)}
        if way.name in good.FILES:
            return {"data": good.FILES[way.name]}
        example = await self._example(way)
        if example is None:
            return {}
        mine = {"token": self.scene.links["reset"], "refresh_token": self.refresh_token}
        known = self.scene.fields | mine | {"new_password": PASSWORD}
        filled = {name: known.get(name, value) for name, value in example.items()}
        return {"json": filled | good.FIELDS.get(way.name, {})}

    async def _example(self, way: Way) -> dict[str, Any] | None:
        """Return the body that the API's own document gives as an example; None where none is."""
        if not self._document:
            client = self.apps["open"].test_client()
            self._document = await (await client.get("/api/openapi.json")).get_json()
        path = way.path.replace("<", "{").replace(">", "}")
        body = self._document["paths"][path][way.method.lower()].get("requestBody", {})
        found: dict[str, Any] | None = body.get("content", {}).get(JSON, {}).get("example")
        return found

    # --- Rows ----------------------------------------------------------------------------------

    def _version(self) -> int:
        """Return a number that changes when anybody else has written to the file."""
        found: int = self.file.execute("PRAGMA data_version").fetchone()[0]
        return found

    def rows(self) -> Rows:
        """Return every row by its table and primary key."""
        found: Rows = {}
        for table in Model.metadata.sorted_tables:
            names = [column.name for column in table.columns]
            keys = [column.name for column in table.primary_key]
            rows = self.file.execute(f'SELECT {", ".join(map(_quoted, names))} FROM "{table.name}"')
            found[table.name] = {}
            for row in rows:
                values = dict(zip(names, row, strict=True))
                key = tuple(values[name] for name in keys)
                kept = {name: each for name, each in values.items() if name not in BY_ITSELF}
                found[table.name][key] = kept
        return found


def _quoted(name: str) -> str:
    return f'"{name}"'


@asynccontextmanager
async def staged(
    settings: Settings,
    database: Database,
    make_user: MakeUser,
    make_post: MakePost,
    change: Callable[[Quart], None] | None = None,
) -> AsyncIterator[Stage]:
    """Open the place, once for everybody and once for members only; `change` alters the apps."""
    many = {"login_tries": 10**6, "sign_ups_per_hour": 10**6, "resets_per_hour": 10**6}
    plain = replace(settings, jobs_concurrency=0, translations_per_hour=10**6, **many)
    apps = {"open": create_app(plain), "members": create_app(replace(plain, members_only=True))}
    async with AsyncExitStack() as open_now:
        for app in apps.values():
            if change is not None:
                change(app)
            await open_now.enter_async_context(app.test_app())
        scene = await set_up(apps["open"], database, make_user, make_post)
        june, ruth = await make_user("june"), await make_user("ruth", role="admin")
        post = await make_post(june, "Snow")
        people = {"owner": scene.mina, "other": june, "admin": ruth}
        people |= {"deactivated": await make_user("olga"), "expired": scene.mina}
        proofs, refresh = await _proofs(apps["open"], database, plain, people)
        path = plain.data_dir / "microblog.db"
        file = open_now.enter_context(closing(sqlite3.connect(path)))
        first = open_now.enter_context(closing(sqlite3.connect(":memory:")))
        yield Stage(apps, scene, june, post.id, proofs, refresh, file, first)


async def _proofs(
    app: Quart, database: Database, settings: Settings, people: Mapping[str, User]
) -> tuple[dict[str, Proofs], str]:
    """Let people in, and then let two of those proofs go bad."""
    proofs = {"anonymous": Proofs(), "members": Proofs()}
    for role, user in people.items():  # the owner first: hers are session 1 and family 1
        token = await access_token(database, settings, user)
        proofs[role] = Proofs(await session_cookie(database, app, user), token)
    now = datetime.now(UTC)
    mina, olga = people["expired"].id, people["deactivated"].id
    async with database.write() as tx:
        old = await tx.scalar(select(func.max(Session.id)).where(Session.user_id == mina))
        await tx.change(update(Session).where(Session.id == old).values(expires_at=now - DAY))
        await tx.change(update(User).where(User.id == olga).values(deactivated_at=now))
        grant = await tokens.issue(tx, mina, now, life=DAY, device="test")
    expired = AccessKeys.of_secrets([settings.secret_key or ""]).sign(
        Access(mina, grant.family_id),
        issued_at=int((now - DAY).timestamp()),
        ttl_seconds=600,
    )
    proofs["expired"] = replace(proofs["expired"], token=expired)
    return proofs, grant.refresh_token
