"""Oneself through the API: changed, signed out elsewhere, gone for good."""

from typing import Any

import pytest

from microblog.database import Database
from microblog.queries import users
from tests.api.conftest import OpenProgram
from tests.api.programs import Program
from tests.conftest import both_databases
from tests.people import PASSWORD, MakePost, MakeUser

NEW = "another long sentence"


@both_databases
async def test_what_is_sent_changes_and_the_rest_stays(
    program: OpenProgram, make_user: MakeUser
) -> None:
    client = await program(await make_user("mina"))
    before = await client.json("GET", "/api/me")
    assert before["email"] == "mina@example.org"
    told = await client.json("PATCH", "/api/me", json={"about_me": "Seoul"})
    assert told == before | {"about_me": "Seoul"}
    told = await client.json("PUT", "/api/me", json={"display_name": "Mina", "username": "mina_k"})
    assert (told["username"], told["display_name"]) == ("mina_k", "Mina")
    assert told["about_me"] == "Seoul"
    told = await client.json("PUT", "/api/users/Mina_K", json={"about_me": ""})
    assert told == await client.json("GET", "/api/me")
    assert told["about_me"] == ""
    assert (await client.json("GET", "/api/users/mina"))["username"] == "mina_k"


@both_databases
async def test_new_password_needs_the_old_one_and_ends_all_other_tokens(
    app: Any, program: OpenProgram, make_user: MakeUser
) -> None:
    mina = await make_user("mina")
    here, there = await program(mina), await program(mina)
    for wrong in ({}, {"old_password": "a wrong password"}):
        told = await here.problem("PATCH", "/api/me", 422, json={"password": NEW} | wrong)
        assert set(told["errors"]) == {"old_password"}
    change = {"password": NEW, "old_password": PASSWORD}
    await here.json("PATCH", "/api/me", json=change)
    await here.json("GET", "/api/me")
    await there.problem("GET", "/api/me", 401)
    fresh = Program(app)
    await fresh.problem("POST", "/api/tokens", 401, auth=("mina", PASSWORD))
    await fresh.log_in("mina", NEW)


async def test_new_address_needs_the_password(program: OpenProgram, make_user: MakeUser) -> None:
    client = await program(await make_user("mina"))
    change = {"email": "mina@example.net"}
    await client.problem("PATCH", "/api/me", 422, json=change)
    told = await client.json("PATCH", "/api/me", json=change | {"old_password": PASSWORD})
    assert told["email"] == "mina@example.net"


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"username": "mi", "display_name": "x" * 51, "about_me": "x" * 501}, 3),
        ({"email": "mina", "password": "short"}, 2),
        ({"role": "admin", "id": "1", "password_hash": "x", "deactivated_at": None}, 4),
        ({"username": None}, 1),
        ({"username": "jun"}, 1),
    ],
)
async def test_all_that_is_wrong_is_told_and_nothing_changes(
    change: dict[str, Any], fields: int, program: OpenProgram, make_user: MakeUser
) -> None:
    await make_user("jun")
    client = await program(await make_user("mina"))
    before = await client.json("GET", "/api/me")
    told = await client.problem("PATCH", "/api/me", 422, json=change)
    assert len(told["errors"]) == fields
    assert await client.json("GET", "/api/me") == before


async def test_name_is_kept_for_a_week(program: OpenProgram, make_user: MakeUser) -> None:
    client = await program(await make_user("mina"))
    await client.json("PATCH", "/api/me", json={"username": "mina_k"})
    answer = await client.call("PATCH", "/api/me", json={"username": "mina_l"})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 6 * 86_400


async def test_nobody_else_can_be_changed(program: OpenProgram, make_user: MakeUser) -> None:
    jun = await make_user("jun")
    client = await program(await make_user("mina"))
    change = {"about_me": "Forged"}
    absent = await client.problem("PUT", "/api/users/nobody", 404, json=change)
    for who in ("jun", str(jun.id)):
        assert await client.problem("PUT", f"/api/users/{who}", 404, json=change) == absent


@both_databases
async def test_account_is_deleted_with_the_password(
    app: Any,
    program: OpenProgram,
    make_user: MakeUser,
    make_post: MakePost,
    database: Database,
) -> None:
    mina = await make_user("mina")
    post = await make_post(mina)
    client, there, stranger = await program(mina), await program(mina), Program(app)
    await client.problem("DELETE", "/api/me", 422, json={"password": "a wrong password"})
    await client.problem("DELETE", "/api/me", 422, json={})
    answer = await client.call("DELETE", "/api/me", json={"password": PASSWORD})
    assert answer.status_code == 202
    for one in (client, there):
        await one.problem("GET", "/api/me", 401)
    await stranger.problem("GET", "/api/users/mina", 404)
    await stranger.problem("GET", f"/api/users/{mina.id}", 404)
    await stranger.problem("GET", f"/api/posts/{post.id}", 404)
    assert (await stranger.json("GET", "/api/timelines/public"))["items"] == []
    await stranger.problem("POST", "/api/tokens", 401, auth=("mina", PASSWORD))
    async with database.read() as read:
        assert await users.is_taken(read, "mina")


async def test_last_administrator_is_not_deleted(program: OpenProgram, make_user: MakeUser) -> None:
    client = await program(await make_user("boss", role="admin"))
    told = await client.problem("DELETE", "/api/me", 409, json={"password": PASSWORD})
    assert "no other administrator" in told["detail"]
    await client.json("GET", "/api/me")


@both_databases
async def test_programs_are_listed_and_signed_out(
    program: OpenProgram, make_user: MakeUser
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    here, there, other = await program(mina), await program(mina), await program(jun)
    items = (await here.json("GET", "/api/tokens"))["items"]
    assert len(items) == 2
    assert [one["current"] for one in items].count(True) == 1
    assert {one["device"] for one in items} == {"test"}
    away = next(one["_links"]["self"] for one in items if not one["current"])
    absent = await here.problem("DELETE", "/api/tokens/999999", 404)
    assert await other.problem("DELETE", away, 404) == absent
    await here.json("DELETE", away, 204)
    await there.problem("GET", "/api/me", 401)
    assert await here.problem("DELETE", away, 404) == absent
    assert len((await here.json("GET", "/api/tokens"))["items"]) == 1
