"""Tokens that people make for programs: what each scope opens, and what none does."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from quart import Quart
from quart.testing.connections import WebsocketResponseError
from sqlalchemy import select, update

from microblog.actions import program_tokens, retention
from microblog.api.openapi import PATH_PARAMETERS
from microblog.core.errors import Invalid
from microblog.core.scopes import ADMIN, LIVE, PASSWORD, PREFIX, READ, SCOPES, WRITE
from microblog.core.tokens import digest
from microblog.database import Database
from microblog.models import TokenFamily, User
from microblog.render.frames import JSON_FORM
from microblog.runtime import EXTENSION
from tests.api.programs import Program
from tests.conftest import all_databases, both_databases
from tests.people import MakePost, MakeUser

HOME = "/api/timelines/home"


class MakeToken:
    """Makes a token: `await make_token(mina, "read", "live")`."""

    def __init__(self, app: Quart, database: Database) -> None:
        self._app = app
        self._database = database

    async def __call__(self, user: User, *scopes: str, days: int = 0) -> Program:
        async with self._database.write() as tx:
            _row, token = await program_tokens.make(
                tx, user, "bot", list(scopes), days, datetime.now(UTC)
            )
        return Program(self._app, token)


@pytest.fixture
def make_token(app: Quart, database: Database) -> MakeToken:
    return MakeToken(app, database)


async def refused_for(program: Program, method: str, path: str, **how: Any) -> str | None:
    """Return the scope for which a call is refused, None where it is not."""
    answer = await program.call(method, path, **how)
    challenge = answer.headers.get("WWW-Authenticate", "")
    if 'error="insufficient_scope"' not in challenge:
        return None
    assert answer.status_code == 403
    told = await answer.get_json()
    scope = challenge.partition('scope="')[2].rstrip('"')
    assert scope in told["detail"]
    return scope


@all_databases
async def test_made_token_opens_what_it_is_for(
    make_user: MakeUser, make_token: MakeToken, database: Database
) -> None:
    mina = await make_user("mina")
    reader = await make_token(mina, READ)
    assert (reader.token or "").startswith(PREFIX)
    assert (await reader.json("GET", HOME))["items"] == []
    assert (await reader.json("GET", "/api/me"))["username"] == "mina"
    assert await refused_for(reader, "POST", "/api/posts", json={"body": "no"}) == WRITE
    writer = await make_token(mina, WRITE)
    await writer.json("POST", "/api/posts", 201, json={"body": "written by a program"})
    assert await refused_for(writer, "GET", HOME) == READ
    async with database.read() as read:
        rows = list(await read.scalars(select(TokenFamily).order_by(TokenFamily.id)))
    assert rows[0].token_digest == digest(reader.token or "")
    assert (reader.token or "") not in repr([vars(row) for row in rows])


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if any("bearer" in way for way in operation["security"]):
                yield method.upper(), path, operation


async def test_every_call_takes_the_scope_that_the_document_names(
    app: Quart, make_user: MakeUser, make_token: MakeToken
) -> None:
    ruth = await make_user("ruth", role="admin")
    none = [await make_token(ruth, *(s for s in SCOPES if s != left)) for left in SCOPES]
    lacking = dict(zip(SCOPES, none, strict=True))
    everything = await make_token(ruth, *SCOPES)
    document = await (await app.test_client().get("/api/openapi.json")).get_json()
    seen: dict[Any, int] = {}
    for method, path, operation in operations(document):
        (named,) = [way["bearer"] for way in operation["security"] if "bearer" in way]
        scope = named[0] if named else None
        seen[scope] = seen.get(scope, 0) + 1
        if scope is None:
            continue  # it ends the token that asks
        address = path.format_map(dict.fromkeys(PATH_PARAMETERS, "1") | {"context": "post"})
        address += "?q=rain" if "search" in path else ""
        how: dict[str, Any] = {"json": {}} if method not in {"GET", "HEAD"} else {}
        expected = {each: each if each == scope else None for each in SCOPES}
        told = {each: await refused_for(lacking[each], method, address, **how) for each in SCOPES}
        if scope == PASSWORD:
            expected = dict.fromkeys(SCOPES, PASSWORD)
            assert await refused_for(everything, method, address, **how) == PASSWORD
        assert told == expected, (method, path)
        assert "403" in operation["responses"], (method, path)
    assert seen[None] == 1
    assert seen[PASSWORD] == 3
    assert seen[ADMIN] == 2
    assert seen[READ] > 10
    assert seen[WRITE] > 10


async def test_no_made_token_takes_the_account_over(
    make_user: MakeUser, make_token: MakeToken
) -> None:
    program = await make_token(await make_user("mina"), READ, WRITE, LIVE)
    for change in (
        {"username": "other"},
        {"email": "other@example.org", "old_password": "x"},
        {"password": "a new long sentence", "old_password": "x"},
    ):
        for method, path in (("PATCH", "/api/me"), ("PUT", "/api/me"), ("PUT", "/api/users/mina")):
            assert await refused_for(program, method, path, json=change) == PASSWORD
    changed = await program.json("PATCH", "/api/me", json={"about_me": "has a bot"})
    assert changed["about_me"] == "has a bot"


@both_databases
async def test_token_ends_at_its_time_by_itself_or_when_it_is_revoked(
    make_user: MakeUser, make_token: MakeToken, database: Database
) -> None:
    mina = await make_user("mina")
    short, kept, returned = [await make_token(mina, READ, days=7) for _ in range(3)]
    assert await returned.json("DELETE", "/api/tokens", 204) is None
    await returned.problem("GET", HOME, 401)
    ended = datetime.now(UTC) - timedelta(seconds=1)
    async with database.write() as tx:
        own = TokenFamily.token_digest == digest(short.token or "")
        await tx.execute(update(TokenFamily).where(own).values(expires_at=ended))
    await short.problem("GET", HOME, 401)
    async with database.write() as tx:
        await retention.prune(tx, datetime.now(UTC), keep_days=7, keep_events=1000)
    async with database.read() as read:
        revoked = list(await read.scalars(select(TokenFamily.revoked_at).order_by(TokenFamily.id)))
    assert [each is not None for each in revoked] == [True, False, True]
    await kept.json("GET", HOME)


async def test_wrong_tokens_of_this_kind_open_nothing(
    app: Quart, make_user: MakeUser, make_token: MakeToken
) -> None:
    good = (await make_token(await make_user("mina"), READ)).token or ""
    for wrong in (PREFIX, good[:-1], good + "x", good.upper(), PREFIX + "\0", good[len(PREFIX) :]):
        assert (await Program(app, wrong).call("GET", HOME)).status_code == 401


async def test_stream_and_socket_take_live(
    app: Quart, make_user: MakeUser, make_token: MakeToken
) -> None:
    mina = await make_user("mina")
    reader, listener = await make_token(mina, READ), await make_token(mina, READ, LIVE)
    stream = {"headers": {"Accept": "text/event-stream"}}
    assert await refused_for(reader, "GET", "/api/events", **stream) == LIVE
    assert (await reader.call("GET", "/api/events")).status_code == 200
    client: Any = app.test_client()
    offered = [JSON_FORM, f"bearer.{reader.token}"]
    with pytest.raises(WebsocketResponseError) as refused:
        async with client.websocket("/live", scope_base={"subprotocols": offered}) as socket:
            await socket.receive()
    assert refused.value.response.status_code == 403
    offered = [JSON_FORM, f"bearer.{listener.token}"]
    async with client.websocket("/live", scope_base={"subprotocols": offered}) as socket:
        assert '"hello"' in await socket.receive()


async def test_administrators_token_suspends_and_restores(
    make_user: MakeUser, make_token: MakeToken, make_post: MakePost
) -> None:
    ruth, mina = await make_user("ruth", role="admin"), await make_user("mina")
    await make_post(mina, "unwanted advertising")
    guard = await make_token(ruth, ADMIN)
    reason = {"json": {"reason": "advertising"}}
    for who in ("mina", str(mina.id)):
        await guard.json("PUT", f"/api/users/{who}/suspension", 204, **reason)
        await guard.problem("PUT", f"/api/users/{who}/suspension", 409, **reason)
        await guard.json("DELETE", f"/api/users/{who}/suspension", 204, **reason)
    await guard.problem("DELETE", "/api/users/mina/suspension", 409, **reason)
    told = await guard.problem("PUT", "/api/users/mina/suspension", 422, json={"reason": " "})
    assert list(told["errors"]) == ["reason"]
    await guard.problem("PUT", "/api/users/nobody/suspension", 404, **reason)
    with pytest.raises(Invalid):
        await make_token(mina, ADMIN)
    plain = await make_token(mina, READ, WRITE)
    assert await refused_for(plain, "PUT", "/api/users/ruth/suspension", **reason) == ADMIN


async def test_list_names_made_tokens_with_their_scopes(
    stranger: Program, make_user: MakeUser, make_token: MakeToken, app: Quart
) -> None:
    mina = await make_user("mina")
    made = await make_token(mina, WRITE, READ, days=30)
    await stranger.log_in("mina")
    await app.extensions[EXTENSION].presence.write(
        app.extensions[EXTENSION].database, datetime.now(UTC)
    )
    own, other = (await stranger.json("GET", "/api/tokens"))["items"]
    assert (own["name"], own["expires_at"], own["current"]) == (None, None, True)
    assert own["scopes"] == list(SCOPES)
    assert (other["name"], other["scopes"], other["current"]) == ("bot", [READ, WRITE], False)
    assert other["expires_at"].startswith(f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}")
    await stranger.json("DELETE", other["_links"]["self"], 204)
    await made.problem("GET", HOME, 401)
