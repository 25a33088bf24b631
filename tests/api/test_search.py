"""Search by the API."""

from typing import Any
from urllib.parse import quote

import pytest
from quart import Quart

from microblog.core.errors import Unavailable
from microblog.database import Database
from microblog.runtime import EXTENSION
from tests.api.conftest import OpenProgram
from tests.api.programs import Program
from tests.people import MakePost, MakeUser
from tests.search import index

SEOUL = quote("서울")


async def test_posts_people_and_tags_are_found(
    stranger: Program, make_user: MakeUser, make_post: MakePost, database: Database
) -> None:
    mina = await make_user("mina")
    first = await make_post(mina, "서울은 #서울맛집")
    second = await make_post(mina, "대한민국서울")
    await index(database)
    posts = await stranger.json("GET", f"/api/search?q={SEOUL}")
    assert [each["id"] for each in posts["items"]] == [str(first.id), str(second.id)]
    assert posts["_meta"] == {"per_page": 25, "has_more": False}
    newest = await stranger.json("GET", f"/api/search?q={SEOUL}&sort=time")
    assert [each["id"] for each in newest["items"]] == [str(second.id), str(first.id)]
    people = await stranger.json("GET", "/api/search?q=mi&type=users")
    assert [each["username"] for each in people["items"]] == ["mina"]
    tags = await stranger.json("GET", f"/api/search?q={SEOUL}&type=tags")
    assert tags["items"] == [
        {
            "name": "서울맛집",
            "found_in": 1,
            "_links": {"page": "/tag/%EC%84%9C%EC%9A%B8%EB%A7%9B%EC%A7%91"},
        }
    ]


@pytest.mark.parametrize("sort", ["relevance", "time"])
async def test_next_pages_follow_their_links(
    stranger: Program, make_user: MakeUser, make_post: MakePost, database: Database, sort: str
) -> None:
    mina = await make_user("mina")
    there = {str((await make_post(mina, f"rain {n}")).id) for n in range(7)}
    await index(database)
    address: str | None = f"/api/search?q=rain&limit=3&sort={sort}"
    found: list[str] = []
    while address is not None:
        page = await stranger.json("GET", address)
        found += [each["id"] for each in page["items"]]
        address = page["_links"]["next"]
        assert page["_meta"]["has_more"] == (address is not None)
    assert len(found) == 7
    assert set(found) == there


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "q"),
        ("q=", "q"),
        ("q=%20", "q"),
        ("q=before:x", "q"),
        ("q=from:nobody1", "q"),
        ("q=a&type=x", "type"),
        ("q=a&sort=x", "sort"),
        ("q=a&before=x", "before"),
        ("q=a&limit=0", "limit"),
        ("q=a&limit=1&per_page=1", "per_page"),
    ],
)
async def test_mistake_is_told_by_its_field(stranger: Program, query: str, field: str) -> None:
    answer = await stranger.call("GET", f"/api/search?{query}")
    assert answer.status_code == 422
    assert field in (await answer.get_json(force=True))["errors"]


class Away:
    """A server that is out of reach."""

    name = "elastic"

    def source(self, *_: Any) -> Any:
        async def find(*_: int) -> list[int]:
            raise Unavailable(5)

        return find

    async def close(self) -> None:
        return


async def test_server_that_is_away_is_told_with_when_to_come_again(
    app: Quart, stranger: Program, program: OpenProgram, make_user: MakeUser
) -> None:
    app.extensions[EXTENSION].search = Away()
    mina = await program(await make_user("mina"))
    for asking in (stranger, mina):
        answer = await asking.call("GET", "/api/search?q=rain")
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "5"
    app.extensions[EXTENSION].search = None
