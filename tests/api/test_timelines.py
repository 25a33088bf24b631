"""Timelines through the API, and the following that decides what is in them."""

from typing import Any

import pytest

from tests.api.conftest import OpenProgram
from tests.api.programs import Program
from tests.conftest import both_databases
from tests.people import MakePost, MakeUser


def bodies(page: dict[str, Any]) -> list[str]:
    return [each["body"] for each in page["items"]]


@both_databases
@pytest.mark.smoke
async def test_followed_people_are_in_the_home_feed_until_unfollowed(
    program: OpenProgram, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, june, anna = [await make_user(name) for name in ("mina", "june", "anna")]
    for author in (mina, june, anna):
        await make_post(author, f"by {author.username}")
    client = await program(mina)
    assert bodies(await client.json("GET", "/api/timelines/home")) == ["by mina"]
    for _ in range(2):
        await client.json("PUT", f"/api/me/following/{june.id}", 204)
    assert bodies(await client.json("GET", "/api/timelines/home")) == ["by june", "by mina"]
    assert (await client.json("GET", "/api/users/june"))["follower_count"] == 1
    assert (await client.json("GET", "/api/users/mina"))["following_count"] == 1
    for _ in range(2):
        await client.json("DELETE", "/api/me/following/june", 204)
    assert bodies(await client.json("GET", "/api/timelines/home")) == ["by mina"]
    assert (await client.json("GET", "/api/users/june"))["follower_count"] == 0


async def test_nobody_follows_themselves_or_nobody(
    program: OpenProgram, stranger: Program, make_user: MakeUser
) -> None:
    mina = await make_user("mina")
    client = await program(mina)
    await client.problem("PUT", "/api/me/following/mina", 409)
    for method in ("PUT", "DELETE"):
        await client.problem(method, "/api/me/following/nobody", 404)
        await stranger.problem(method, "/api/me/following/mina", 401)
    assert (await client.json("GET", "/api/users/mina"))["following_count"] == 0


async def test_home_feed_is_for_people_who_are_known(stranger: Program) -> None:
    await stranger.problem("GET", "/api/timelines/home", 401)


@both_databases
@pytest.mark.parametrize("path", ["/api/posts", "/api/timelines/public", "/api/timelines/home"])
async def test_pages_lead_on_without_doubles_and_holes_while_posts_come(
    program: OpenProgram, make_user: MakeUser, make_post: MakePost, path: str
) -> None:
    mina = await make_user()
    for number in range(7):
        await make_post(mina, f"post {number}")
    client = await program(mina)
    seen: list[str] = []
    page = await client.json("GET", f"{path}?limit=3")
    while True:
        seen += bodies(page)
        await make_post(mina, "meanwhile")
        assert page["_meta"] == {"per_page": 3, "has_more": page["_links"]["next"] is not None}
        if page["_links"]["next"] is None:
            break
        page = await client.json("GET", page["_links"]["next"])
    assert seen == [f"post {number}" for number in reversed(range(7))]
    newer = await client.json("GET", page["_links"]["prev"])
    assert bodies(newer) == ["post 3", "post 2", "post 1"]


async def test_what_is_newer_comes_after_a_cursor(
    program: OpenProgram, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user()
    first = await make_post(mina, "first")
    client = await program(mina)
    page = await client.json("GET", f"/api/posts?after={first.id}")
    assert page["items"] == []
    await make_post(mina, "second")
    await make_post(mina, "third")
    assert bodies(await client.json("GET", f"/api/posts?after={first.id}")) == ["third", "second"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("limit=1&limit=2", "limit"),
        ("limit=1&per_page=1", "per_page"),
        ("per_page=-1", "per_page"),
        ("before=x", "before"),
        ("before=-1", "before"),
        ("after=99999999999999999999", "after"),
        ("after=%00", "after"),
        ("befor=1", "befor"),
    ],
)
async def test_page_that_cannot_be_is_refused_by_the_name_of_its_parameter(
    stranger: Program, query: str, field: str
) -> None:
    told = await stranger.problem("GET", f"/api/timelines/public?{query}", 422)
    assert list(told["errors"]) == [field]


async def test_page_of_a_hundred_is_the_largest(
    stranger: Program, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user()
    for number in range(101):
        await make_post(mina, f"post {number}")
    page = await stranger.json("GET", "/api/timelines/public?per_page=100")
    assert len(page["items"]) == 100
    assert page["_meta"] == {"per_page": 100, "has_more": True}


@pytest.mark.parametrize("query", ["page=0", "page=9999999999", "page=x", "per_page=101"])
async def test_numbered_page_that_cannot_be_is_refused(stranger: Program, query: str) -> None:
    told = await stranger.problem("GET", f"/api/users?{query}", 422)
    assert list(told["errors"]) == [query.partition("=")[0]]
