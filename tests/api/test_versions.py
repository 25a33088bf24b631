"""`If-Match`: who changes what they have read changes nothing that they have not."""

import asyncio
from typing import Any

import pytest

from tests.api.conftest import OpenProgram
from tests.api.programs import Program
from tests.conftest import both_databases
from tests.people import MakePost, MakeUser

OLD = {"headers": {"If-Match": 'W/"0123456789abcdef.0123456789abcdef"'}}


@pytest.fixture
async def mina(program: OpenProgram, make_user: MakeUser) -> Program:
    return await program(await make_user("mina"))


async def tag(client: Program, path: str) -> str:
    """Return the ETag of what is there now."""
    return (await client.call("GET", path)).headers["ETag"]


@both_databases
@pytest.mark.parametrize(
    ("method", "path"), [("PATCH", "/api/me"), ("PUT", "/api/me"), ("PUT", "/api/users/mina")]
)
async def test_profile_is_changed_by_who_has_seen_it(mina: Program, method: str, path: str) -> None:
    seen = await tag(mina, path.replace("/me", "/users/mina"))
    assert seen == await tag(mina, "/api/me")
    how: dict[str, Any] = {"json": {"about_me": "Seoul"}}
    await mina.problem(method, path, 412, **how, **OLD)
    answer = await mina.call(method, path, **how, headers={"If-Match": f'"x", {seen}'})
    assert answer.status_code == 200
    assert answer.headers["ETag"] == await tag(mina, "/api/me")
    await mina.problem(method, path, 412, **how, headers={"If-Match": seen})
    await mina.json(method, path, json={"about_me": "Busan"}, headers={"If-Match": "*"})
    await mina.json(method, path, json={"about_me": "Jeju"})


@both_databases
async def test_version_of_a_profile_stays_while_others_follow_and_one_writes(
    mina: Program, program: OpenProgram, make_user: MakeUser
) -> None:
    seen = await tag(mina, "/api/me")
    june = await program(await make_user("june"))
    await june.json("PUT", "/api/me/following/mina", 204)
    assert await tag(mina, "/api/me") != seen
    await mina.json("PATCH", "/api/me", json={"about_me": "x"}, headers={"If-Match": seen})


@both_databases
async def test_of_two_who_change_the_same_version_at_once_one_is_told(mina: Program) -> None:
    held = {"If-Match": await tag(mina, "/api/me")}
    answers = await asyncio.gather(
        *(mina.call("PATCH", "/api/me", json={"about_me": f"{n}"}, headers=held) for n in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]


async def test_post_is_deleted_by_who_has_seen_it(
    mina: Program, make_user: MakeUser, make_post: MakePost, program: OpenProgram
) -> None:
    june = await make_user("june")
    author = await program(june)
    post = await make_post(june)
    path = f"/api/posts/{post.id}"
    seen = await tag(author, path)
    await author.json("PATCH", path, json={"body": "Hi"}, headers={"If-Match": seen})
    await author.problem("DELETE", path, 412, headers={"If-Match": seen})
    await mina.problem("DELETE", path, 404, headers={"If-Match": "*"})
    await author.json("DELETE", path, 204, headers={"If-Match": await tag(author, path)})


@both_databases
async def test_draft_is_replaced_and_taken_away_by_who_has_seen_it(mina: Program) -> None:
    path = "/api/drafts/post"
    await mina.problem("PUT", path, 412, json={"body": "x"}, headers={"If-Match": "*"})
    await mina.json("PUT", path, json={"body": "Good mor"})
    first = await tag(mina, path)
    answer = await mina.call("PUT", path, json={"body": "Good day"}, headers={"If-Match": first})
    assert answer.headers["ETag"] == await tag(mina, path) != first
    for method, how in (("PUT", {"json": {"body": "Good night"}}), ("DELETE", {})):
        await mina.problem(method, path, 412, headers={"If-Match": first}, **how)
    await mina.json("DELETE", path, 204, headers={"If-Match": await tag(mina, path)})


async def test_call_without_versions_refuses_all_but_any(mina: Program) -> None:
    await mina.problem("POST", "/api/posts", 412, json={"body": "x"}, **OLD)
    await mina.json("POST", "/api/posts", 201, json={"body": "x"}, headers={"If-Match": "*"})


async def test_edit_of_a_post_without_a_version_is_asked_for_one(
    program: OpenProgram, make_user: MakeUser, make_post: MakePost
) -> None:
    june = await make_user("june")
    post = await make_post(june)
    told = await (await program(june)).problem(
        "PATCH", f"/api/posts/{post.id}", 428, json={"body": "Hi"}
    )
    assert "If-Match" in told["detail"]
