"""One post a key, however often and how much at once it is sent: to a real server."""

import asyncio
import json
from collections import Counter
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from microblog.core.events import Kind
from microblog.database import Database
from microblog.models import EventRow, Post, User
from microblog.settings import Settings
from tests.conftest import all_databases, both_databases
from tests.people import MakeUser, session_cookie
from tests.serving import Serving
from tests.web.browsing import hidden

TIMES = 10


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, posts_per_minute=1_000_000)


@all_databases
@pytest.mark.R13
@pytest.mark.parametrize(("place", "keys"), [("field", 40), ("header", 5)])
async def test_key_that_comes_ten_times_at_once_makes_one_post_and_ten_equal_answers(
    server: Serving, make_user: MakeUser, database: Database, place: str, keys: int
) -> None:
    if database.vendor == "mysql":
        keys = min(keys, 8)  # enough for what it does otherwise
    mina = await make_user()
    cookie = await session_cookie(database, server.app, mina)
    limits = httpx.Limits(max_connections=TIMES)
    async with httpx.AsyncClient(
        base_url=server.url, cookies={"session": cookie}, limits=limits, timeout=30
    ) as client:
        token = hidden((await client.get("/")).text, "csrf_token")

        async def publish(number: int) -> tuple[int, str, str]:
            key = f"key-{number}"
            form = {"csrf_token": token, "post": f"Post {number} #tag @mina"}
            headers = {"Accept": "application/json"}
            if place == "field":
                form["idempotency_key"] = key
            else:
                headers["Idempotency-Key"] = key
            answer = await client.post("/posts", data=form, headers=headers)
            return answer.status_code, answer.text, answer.headers.get("Location", "")

        answers = [
            await asyncio.gather(*(publish(number) for _ in range(TIMES))) for number in range(keys)
        ]
    ids = set()
    for number, equal in enumerate(answers):
        assert len(set(equal)) == 1, number
        status, body, location = equal[0]
        assert status == 201
        ids.add(json.loads(body)["id"])
        assert location == f"/post/{json.loads(body)['id']}"
    assert len(ids) == keys
    await check(database, mina, keys)


async def check(database: Database, author: User, keys: int) -> None:
    """Check that there is one post, one event and one count for each key."""
    async with database.read() as read:
        written = Counter(await read.scalars(select(Post.body)))
        assert written == {f"Post {number} #tag @mina": 1 for number in range(keys)}
        published = select(func.count()).where(EventRow.kind == str(Kind.POST_PUBLISHED))
        assert await read.scalar(published) == keys
        now: Any = await read.get(User, author.id)
        assert now.post_count == keys


@both_databases
async def test_keys_of_two_people_have_nothing_to_do_with_each_other(
    server: Serving, make_user: MakeUser, database: Database
) -> None:
    for name in ("mina", "bora"):
        cookie = await session_cookie(database, server.app, await make_user(name))
        async with httpx.AsyncClient(base_url=server.url, cookies={"session": cookie}) as client:
            token = hidden((await client.get("/")).text, "csrf_token")
            form = {"csrf_token": token, "post": name, "idempotency_key": "same"}
            assert (await client.post("/posts", data=form)).status_code == 303
    async with database.read() as read:
        assert list(await read.scalars(select(Post.body).order_by(Post.id))) == ["mina", "bora"]
