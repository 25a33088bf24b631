"""A program on `/live` with its access token, beside its calls over HTTP: all on real sockets."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import update
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from microblog.core.tokens import digest
from microblog.database import Database
from microblog.models import History, RefreshToken
from microblog.render.frames import JSON_FORM
from microblog.settings import Settings
from tests.conftest import both_databases
from tests.live.clients import listening, turned_away
from tests.people import PASSWORD, MakePost, MakeUser, access_token, session_cookie
from tests.serving import Serving, serving

SESSION_ENDED = 4001


def caller(server: Serving, token: str | None = None) -> httpx.AsyncClient:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(base_url=server.url, headers=headers, trust_env=False)


async def log_in(server: Serving, username: str) -> dict[str, Any]:
    async with caller(server) as http:
        answer = await http.post("/api/tokens", auth=(username, PASSWORD))
    assert answer.status_code == 200
    pair: dict[str, Any] = answer.json()
    return pair


async def publish(server: Serving, token: str, body: str) -> dict[str, Any]:
    async with caller(server, token) as http:
        answer = await http.post("/api/posts", json={"body": body})
    assert answer.status_code == 201
    post: dict[str, Any] = answer.json()
    return post


@both_databases
@pytest.mark.smoke
async def test_program_receives_posts_made_through_the_api_and_resumes_where_it_was(
    server: Serving, make_user: MakeUser
) -> None:
    for name in ("mina", "june"):
        await make_user(name)
    mina = (await log_in(server, "mina"))["token"]
    june = (await log_in(server, "june"))["token"]
    async with caller(server, mina) as http:
        assert (await http.put("/api/me/following/june")).status_code == 204
    async with listening(server.live_url, topics="home", token=mina) as socket:
        made = await publish(server, june, "first")
        received = await socket.item("post.published")
        assert received["id"] == made["id"]
        assert received["html"] == made["html"]
    missed = [(await publish(server, june, f"missed {n}"))["id"] for n in range(3)]
    async with listening(
        server.live_url, topics="home", token=mina, since=socket.cursor, epoch=socket.epoch
    ) as again:
        got = [(await again.item("post.published"))["id"] for _ in missed]
        live = await publish(server, june, "live again")
        assert (await again.item("post.published"))["id"] == live["id"]
    assert got == missed
    shown = [item["id"] for item in again.items if item["kind"] == "post.published"]
    assert shown == [*missed, live["id"]]


@both_databases
async def test_program_with_a_position_that_is_too_old_is_told_to_resync(
    server: Serving, make_user: MakeUser, make_post: MakePost, database: Database
) -> None:
    mina = await make_user("mina")
    for _ in range(3):
        post = await make_post(mina)
    token = (await log_in(server, "mina"))["token"]
    async with database.write() as tx:
        await tx.execute(update(History).values(pruned_to=post.id))
    async with listening(server.live_url, topics="home", token=token, since="1") as socket:
        assert (await socket.frame())["reason"] == "expired"
        made = await publish(server, token, "goes on")
        assert (await socket.item("post.published"))["id"] == made["id"]


async def test_program_with_a_position_in_another_history_is_told_to_resync(
    server: Serving, make_user: MakeUser, make_post: MakePost
) -> None:
    post = await make_post(await make_user("mina"))
    token = (await log_in(server, "mina"))["token"]
    foreign = {"since": str(post.id), "epoch": "foreign"}
    async with listening(server.live_url, token=token, **foreign) as socket:
        assert (await socket.frame())["reason"] == "epoch"


@both_databases
async def test_giving_the_tokens_back_closes_their_sockets_and_no_others(
    server: Serving, make_user: MakeUser
) -> None:
    await make_user("mina")
    given, kept = [(await log_in(server, "mina"))["token"] for _ in range(2)]
    async with (
        listening(server.live_url, topics="explore", token=kept) as other,
        listening(server.live_url, token=given) as socket,
    ):
        async with caller(server, given) as http:
            assert (await http.delete("/api/tokens")).status_code == 204
        assert await socket.close_code() == SESSION_ENDED
        made = await publish(server, kept, "still here")
        assert (await other.item("post.published"))["id"] == made["id"]


@pytest.mark.S12
@both_databases
async def test_reused_refresh_token_closes_the_sockets_of_its_family(
    server: Serving, make_user: MakeUser, database: Database
) -> None:
    await make_user("mina")
    pair = await log_in(server, "mina")
    spent = {"refresh_token": pair["refresh_token"]}
    async with caller(server) as http:
        successor = (await http.put("/api/tokens", json=spent)).json()
        async with listening(server.live_url, token=successor["token"]) as socket:
            async with database.write() as tx:
                await tx.execute(
                    update(RefreshToken)
                    .where(RefreshToken.token_digest == digest(pair["refresh_token"]))
                    .values(spent_at=datetime.now(UTC) - timedelta(seconds=31))
                )
            assert (await http.put("/api/tokens", json=spent)).status_code == 401
            assert await socket.close_code() == SESSION_ENDED


async def test_revoked_token_opens_no_socket(server: Serving, make_user: MakeUser) -> None:
    await make_user("mina")
    token = (await log_in(server, "mina"))["token"]
    async with caller(server, token) as http:
        await http.delete("/api/tokens")
    await refused(server.live_url, 401, subprotocols=[f"bearer.{token}", JSON_FORM])


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
async def test_made_up_token_opens_no_socket(server: Serving, token: str) -> None:
    await refused(server.live_url, 401, subprotocols=[f"bearer.{token}", JSON_FORM])


@pytest.mark.S7
@both_databases
@pytest.mark.parametrize("protocol", ["bearer.", "bearer.x"])
async def test_page_of_another_site_cannot_use_the_cookie_by_naming_a_token(
    server: Serving, make_user: MakeUser, database: Database, protocol: str
) -> None:
    cookie = await session_cookie(database, server.app, await make_user("mina"))
    await refused(
        server.live_url,
        401,
        subprotocols=[protocol, JSON_FORM],
        additional_headers={"Cookie": f"session={cookie}"},
        origin=Origin("https://elsewhere.example"),
    )


async def test_sockets_that_one_person_may_open_by_token_are_limited(
    settings: Settings, database: Database, make_user: MakeUser
) -> None:
    mina = await make_user("mina")
    narrow = replace(settings, sockets_per_person=1)
    token = await access_token(database, settings, mina)
    async with serving(narrow) as server, listening(server.live_url, token=token):
        assert await turned_away(server.live_url, token=token) == 1013


async def refused(url: str, status: int, **how: Any) -> None:
    """Hold a handshake against the status it must be refused with."""
    with pytest.raises(InvalidStatus) as refusal:
        async with asyncio.timeout(5), connect(url, compression=None, **how):
            pass
    assert refusal.value.response.status_code == status
