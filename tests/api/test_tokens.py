"""Taking, renewing and giving back tokens."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from quart import Quart
from sqlalchemy import func, select, update

from microblog import create_app
from microblog.core import passwords
from microblog.core.tokens import digest
from microblog.database import Database
from microblog.models import RefreshToken, TokenFamily, Try, User
from microblog.settings import Settings
from tests.api.conftest import OpenProgram
from tests.api.programs import Program
from tests.conftest import all_databases, both_databases
from tests.people import PASSWORD, MakeUser, access_token, session_cookie


async def count(database: Database, model: type[Any]) -> int:
    async with database.read() as read:
        return int(await read.scalar(select(func.count()).select_from(model)))


async def spent_ago(database: Database, token: str, ago: timedelta) -> None:
    """Move the moment at which a refresh token was spent into the past."""
    async with database.write() as tx:
        await tx.execute(
            update(RefreshToken)
            .where(RefreshToken.token_digest == digest(token))
            .values(spent_at=datetime.now(UTC) - ago)
        )


async def renew(program: Program, token: str, status: int = 200) -> Any:
    return await program.json("PUT", "/api/tokens", status, json={"refresh_token": token})


@both_databases
@pytest.mark.smoke
@pytest.mark.parametrize("name", ["mina", "MINA", " mina@example.org "])
async def test_password_gives_tokens_that_open_the_api(
    stranger: Program, make_user: MakeUser, name: str
) -> None:
    await make_user("mina")
    pair = await stranger.log_in(name)
    assert pair["token"] == pair["access_token"]
    assert pair["token_type"] == "Bearer"
    assert pair["expires_in"] == 600
    assert (await stranger.json("GET", "/api/timelines/home"))["items"] == []


async def test_tokens_are_for_no_cache_and_only_digests_are_stored(
    stranger: Program, make_user: MakeUser, database: Database
) -> None:
    await make_user("mina")
    answer = await stranger.call("POST", "/api/tokens", auth=("mina", PASSWORD))
    assert answer.headers["Cache-Control"] == "no-store"
    refresh = (await answer.get_json())["refresh_token"]
    async with database.read() as read:
        (stored,) = await read.scalars(select(RefreshToken.token_digest))
    assert stored == digest(refresh)


@both_databases
async def test_refusal_and_work_tell_nobody_who_has_an_account(
    stranger: Program, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_user("mina")
    compared: list[str] = []
    real = passwords.verify

    def verify(password: str, hashed: str) -> bool:
        compared.append(hashed[:7])
        return real(password, hashed)

    monkeypatch.setattr(passwords, "verify", verify)
    told = []
    for name in ("mina", "nobody", "mi\0na", "", "é" * 300):
        answer = await stranger.call("POST", "/api/tokens", auth=(name, "not the password"))
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
        told.append((answer.status_code, await answer.get_data()))
    assert told[0][0] == 401
    assert set(told) == {told[0]}
    assert compared == ["$2b$04$"] * 5


@pytest.mark.parametrize("header", ["", "Basic", "Basic !!!", "Basic bWluYQ==", "Bearer x", "x y"])
async def test_request_without_a_password_is_asked_for_one(
    stranger: Program, make_user: MakeUser, header: str
) -> None:
    await make_user("mina")
    headers = {"Authorization": header} if header else {}
    answer = await stranger.call("POST", "/api/tokens", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


@both_databases
async def test_eleventh_wrong_password_must_wait_and_so_must_the_right_one(
    stranger: Program, make_user: MakeUser
) -> None:
    await make_user("mina")
    for _ in range(10):
        await stranger.problem("POST", "/api/tokens", 401, auth=("mina", "wrong"))
    for password in ("wrong", PASSWORD):
        answer = await stranger.call("POST", "/api/tokens", auth=("mina", password))
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 300
        assert answer.headers["RateLimit-Remaining"] == "0"
        assert answer.headers["RateLimit-Reset"] == answer.headers["Retry-After"]


async def test_right_password_forgives_the_tries_of_the_account(
    stranger: Program, make_user: MakeUser, database: Database
) -> None:
    await make_user("mina")
    await stranger.problem("POST", "/api/tokens", 401, auth=("mina", "wrong"))
    await stranger.log_in()
    # Both tries of the address stay counted.
    assert await count(database, Try) == 2


@both_databases
async def test_renewing_spends_the_refresh_token(stranger: Program, make_user: MakeUser) -> None:
    await make_user("mina")
    first = await stranger.log_in()
    second = await renew(stranger, first["refresh_token"])
    assert second["refresh_token"] != first["refresh_token"]
    stranger.token = second["token"]
    await stranger.json("GET", "/api/timelines/home")
    third = await renew(stranger, second["refresh_token"])
    assert third["refresh_token"] not in {first["refresh_token"], second["refresh_token"]}


@pytest.mark.S12
@all_databases
async def test_twenty_renewals_at_once_are_one_and_get_the_same_successor(
    stranger: Program, make_user: MakeUser, database: Database
) -> None:
    await make_user("mina")
    first = (await stranger.log_in())["refresh_token"]
    pairs = await asyncio.gather(*(renew(stranger, first) for _ in range(20)))
    assert len({pair["refresh_token"] for pair in pairs}) == 1
    assert await count(database, RefreshToken) == 2


@pytest.mark.S12
@both_databases
async def test_lost_answer_can_be_had_again_for_thirty_seconds(
    stranger: Program, make_user: MakeUser, database: Database
) -> None:
    await make_user("mina")
    first = (await stranger.log_in())["refresh_token"]
    second = await renew(stranger, first)
    await spent_ago(database, first, timedelta(seconds=25))
    again = await renew(stranger, first)
    assert again["refresh_token"] == second["refresh_token"]


@pytest.mark.S12
@all_databases
async def test_later_reuse_revokes_the_whole_family_and_nothing_else(
    stranger: Program, make_user: MakeUser, database: Database
) -> None:
    await make_user("mina")
    first = await stranger.log_in()
    second = await renew(stranger, first["refresh_token"])
    other = Program(stranger._app)
    await other.log_in()
    await spent_ago(database, first["refresh_token"], timedelta(seconds=31))

    await stranger.problem(
        "PUT", "/api/tokens", 401, json={"refresh_token": first["refresh_token"]}
    )
    for pair in (first, second):
        stranger.token = pair["token"]
        await stranger.problem("GET", "/api/timelines/home", 401)
        await stranger.problem(
            "PUT", "/api/tokens", 401, json={"refresh_token": pair["refresh_token"]}
        )
    await other.json("GET", "/api/timelines/home")
    async with database.read() as read:
        revoked = list(await read.scalars(select(TokenFamily.revoked_at).order_by(TokenFamily.id)))
    assert [at is not None for at in revoked] == [True, False]


@pytest.mark.S12
async def test_older_reuse_within_thirty_seconds_revokes_too(
    stranger: Program, make_user: MakeUser
) -> None:
    await make_user("mina")
    first = await stranger.log_in()
    second = await renew(stranger, first["refresh_token"])
    await renew(stranger, second["refresh_token"])
    await stranger.problem(
        "PUT", "/api/tokens", 401, json={"refresh_token": first["refresh_token"]}
    )
    await stranger.problem("GET", "/api/timelines/home", 401)


async def test_expired_refresh_token_is_no_good(
    stranger: Program, make_user: MakeUser, database: Database
) -> None:
    await make_user("mina")
    first = (await stranger.log_in())["refresh_token"]
    async with database.write() as tx:
        await tx.execute(update(RefreshToken).values(expires_at=datetime.now(UTC)))
    await stranger.problem("PUT", "/api/tokens", 401, json={"refresh_token": first})


@pytest.mark.parametrize("token", ["", "x", "\0", "\ud800", "x" * 10_000])
async def test_made_up_refresh_token_is_no_good(stranger: Program, token: str) -> None:
    await stranger.problem("PUT", "/api/tokens", 401, json={"refresh_token": token})


@both_databases
async def test_given_back_tokens_are_no_good(stranger: Program, make_user: MakeUser) -> None:
    await make_user("mina")
    pair = await stranger.log_in()
    answer = await stranger.call("DELETE", "/api/tokens")
    assert (answer.status_code, await answer.get_data()) == (204, b"")
    await stranger.problem("DELETE", "/api/tokens", 401)
    await stranger.problem("GET", "/api/timelines/home", 401)
    await stranger.problem("PUT", "/api/tokens", 401, json={"refresh_token": pair["refresh_token"]})


async def test_cookie_of_a_browser_counts_for_nothing(
    app: Quart, database: Database, make_user: MakeUser
) -> None:
    mina = await make_user("mina")
    client = app.test_client()
    client.set_cookie("localhost", "session", await session_cookie(database, app, mina))
    assert (await client.get("/edit_profile")).status_code == 200
    assert (await client.get("/api/timelines/home")).status_code == 401
    answer = await client.post("/api/posts", json={"body": "Hello"})
    assert answer.status_code == 401


async def test_deactivated_person_is_not_let_in(
    program: OpenProgram, make_user: MakeUser, database: Database
) -> None:
    mina = await make_user("mina")
    client = await program(mina)
    async with database.write() as tx:
        await tx.execute(update(User).values(deactivated_at=datetime.now(UTC)))
    await client.problem("GET", "/api/timelines/home", 401)
    await client.problem("POST", "/api/tokens", 401, auth=("mina", PASSWORD))


async def test_each_token_has_its_own_allowance_of_calls(
    settings: Settings, database: Database, make_user: MakeUser
) -> None:
    mina = await make_user("mina")
    app = create_app(replace(settings, calls_per_minute=3))
    async with app.test_app():
        one, other = [Program(app, await access_token(database, settings, mina)) for _ in range(2)]
        left = []
        for _ in range(3):
            answer = await one.call("GET", "/api/me")
            assert answer.headers["RateLimit-Limit"] == "3"
            left.append(answer.headers["RateLimit-Remaining"])
        assert left == ["2", "1", "0"]
        refused = await one.call("GET", "/api/users")  # where a token is welcome, not asked for
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["Retry-After"]) <= 20
        assert refused.headers["RateLimit-Remaining"] == "0"
        assert (await other.call("GET", "/api/me")).status_code == 200
        assert (await Program(app).call("GET", "/api/users")).status_code == 200
        post = await other.call("POST", "/api/posts", json={"body": "Hello"})
        assert post.headers["RateLimit-Limit"] == str(settings.posts_per_minute)
