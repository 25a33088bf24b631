"""People through the API: signing up, and being looked up."""

from dataclasses import replace
from typing import Any

import pytest

from microblog import create_app
from microblog.settings import Settings
from tests.api.conftest import OpenProgram
from tests.api.programs import Program
from tests.conftest import all_databases, both_databases
from tests.people import PASSWORD, MakePost, MakeUser

MINA = {"username": "mina", "email": "mina@example.org", "password": PASSWORD}


@both_databases
@pytest.mark.smoke
async def test_newcomer_signs_up_and_takes_tokens(stranger: Program) -> None:
    profile = {"display_name": " Mina  Kim ", "about_me": "Seoul"}
    answer = await stranger.call("POST", "/api/users", json=MINA | profile)
    made = await answer.get_json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/users/{made['id']}"
    assert made["username"] == "mina"
    assert made["display_name"] == "Mina Kim"
    assert made["about_me"] == "Seoul"
    assert made["email"] == "mina@example.org"
    await stranger.log_in("mina")
    assert await stranger.json("GET", answer.headers["Location"]) == made


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"username": "mi na", "email": "mina", "password": "short"}, "email password username"),
        ({"username": "a\0b"}, "username"),
        ({"username": "\ud800bc"}, "username"),
        ({"username": "mіna"}, "username"),
        ({"username": "admin"}, "username"),
        ({"email": "a\0b@example.org"}, "email"),
        ({"password": "half a \ud800 character"}, "password"),
        ({"display_name": "x" * 51, "about_me": "x" * 501}, "about_me display_name"),
        ({"username": 5, "password": ["x"], "email": None}, "email password username"),
        ({"username": "mi na", "password": "short", "id": 1}, "id password username"),
        ({"username": 5, "email": "mina", "about_me": "x" * 501}, "about_me email username"),
        ({"role": "admin", "id": 1, "password_hash": "x"}, "id password_hash role"),
    ],
)
async def test_all_that_is_wrong_with_a_sign_up_is_told_at_once(
    stranger: Program, changes: dict[str, Any], fields: str
) -> None:
    told = await stranger.problem("POST", "/api/users", 422, json=MINA | changes)
    assert sorted(told["errors"]) == fields.split()
    assert all(found for found in told["errors"].values())
    assert (await stranger.json("GET", "/api/users"))["items"] == []


@both_databases
async def test_taken_name_is_refused_and_whether_an_address_is_known_is_not_told(
    stranger: Program, make_user: MakeUser
) -> None:
    await make_user("mina")
    told = await stranger.problem(
        "POST", "/api/users", 422, json=MINA | {"username": "MINA", "email": "Mina@Example.org"}
    )
    assert sorted(told["errors"]) == ["username"]


async def test_closed_sign_up_makes_no_account(settings: Settings) -> None:
    app = create_app(replace(settings, sign_up_open=False))
    async with app.test_app():
        await Program(app).problem("POST", "/api/users", 403, json=MINA)
        assert (await Program(app).json("GET", "/api/users"))["items"] == []


async def test_sign_ups_of_one_address_are_limited(settings: Settings) -> None:
    app = create_app(replace(settings, sign_ups_per_hour=1))
    async with app.test_app():
        await Program(app).json("POST", "/api/users", 201, json=MINA)
        june = {"username": "june", "email": "june@example.org", "password": PASSWORD}
        answer = await Program(app).call("POST", "/api/users", json=june)
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 3600


@both_databases
async def test_person_is_found_by_id_and_by_name_in_any_case(
    stranger: Program, make_user: MakeUser
) -> None:
    mina = await make_user("mina")
    by_id = await stranger.json("GET", f"/api/users/{mina.id}")
    assert by_id["id"] == str(mina.id)
    assert await stranger.json("GET", "/api/users/MiNa") == by_id


@both_databases
@pytest.mark.parametrize("who", ["nobody", "0", "9" * 18, "9" * 40, "%00", "mi%00na", "%ED%A0%80"])
async def test_person_who_is_not_there_is_not_found(stranger: Program, who: str) -> None:
    await stranger.problem("GET", f"/api/users/{who}", 404)
    assert (await stranger.call("GET", f"/api/users/{who}")).content_type.startswith("appl")


async def test_email_address_is_told_to_its_owner_alone(
    stranger: Program, program: OpenProgram, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, june = await make_user("mina"), await make_user("june")
    await make_post(mina)
    for client in (stranger, await program(june)):
        for path in ("/api/users/mina", f"/api/users/{mina.id}", "/api/posts"):
            answer = await client.call("GET", path)
            assert "mina@example.org" not in await answer.get_data(as_text=True)
    caller = await program(mina)
    own = await caller.json("GET", "/api/users")
    assert [each.get("email") for each in own["items"]] == ["mina@example.org", None]
    for path in ("/api/users/mina", f"/api/users/{mina.id}"):
        assert (await caller.json("GET", path))["email"] == "mina@example.org"


@all_databases
async def test_numbered_pages_lead_to_one_another(stranger: Program, make_user: MakeUser) -> None:
    names = ["ann", "bob", "cem", "dee", "eve"]
    for name in names:
        await make_user(name)
    seen: list[str] = []
    path: str | None = "/api/users?per_page=2"
    while path is not None:
        page = await stranger.json("GET", path)
        seen += [each["username"] for each in page["items"]]
        path = page["_links"]["next"]
    assert seen == names
    assert page["_meta"] == {"page": 3, "per_page": 2, "total_pages": 3, "total_items": 5}
    assert page["_links"]["prev"] == "/api/users?page=2&per_page=2"
    beyond = await stranger.json("GET", "/api/users?page=9&per_page=2")
    assert beyond["items"] == []
    assert beyond["_links"]["prev"] == "/api/users?page=3&per_page=2"


async def test_members_only_microblog_shows_nothing_to_strangers(
    settings: Settings, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user("mina")
    post = await make_post(mina)
    reads = (
        "/api/users",
        "/api/users/mina",
        "/api/users/nobody",
        "/api/posts",
        f"/api/posts/{post.id}",
        "/api/timelines/public",
        "/api/timelines/home",
    )
    app = create_app(replace(settings, members_only=True))
    async with app.test_app():
        client = Program(app)
        for path in reads:
            await client.problem("GET", path, 401)
        await client.log_in()
        for path in reads:
            assert (await client.call("GET", path)).status_code == (
                404 if "nobody" in path else 200
            )
