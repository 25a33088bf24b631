"""Posts through the API."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from microblog import create_app
from microblog.database import Database
from microblog.models import Post
from microblog.settings import Settings
from tests.api.conftest import OpenProgram
from tests.api.programs import Program
from tests.conftest import both_databases
from tests.people import MakePost, MakeUser


async def count_posts(database: Database) -> int:
    async with database.read() as read:
        return int(await read.scalar(select(func.count()).select_from(Post)))


@both_databases
@pytest.mark.smoke
async def test_published_post_is_where_its_location_says(
    program: OpenProgram, stranger: Program, make_user: MakeUser
) -> None:
    mina = await program(await make_user("mina"))
    answer = await mina.call("POST", "/api/posts", json={"body": "Good <b>morning</b> #서울"})
    made = await answer.get_json()
    assert answer.status_code == 201
    assert made["body"] == "Good <b>morning</b> #서울"
    assert "&lt;b&gt;" in made["html"]
    assert made["author"]["username"] == "mina"
    assert isinstance(made["id"], str)
    assert await stranger.json("GET", answer.headers["Location"]) == made
    for path in ("/api/posts", "/api/timelines/public"):
        assert (await stranger.json("GET", path))["items"] == [made]
    assert (await mina.json("GET", "/api/timelines/home"))["items"] == [made]


@pytest.mark.parametrize(
    "body", ["", " \n ", "\u200b", "\0", "\ud800", "x" * 501, "👩‍👩‍👧‍👦" * 501]
)
async def test_text_that_is_no_post_is_refused_by_the_name_of_its_field(
    program: OpenProgram, make_user: MakeUser, database: Database, body: str
) -> None:
    mina = await program(await make_user())
    told = await mina.problem("POST", "/api/posts", 422, json={"body": body})
    assert list(told["errors"]) == ["body"]
    assert await count_posts(database) == 0


@both_databases
async def test_broken_characters_within_a_text_are_left_out(
    program: OpenProgram, make_user: MakeUser
) -> None:
    mina = await program(await make_user())
    made = await mina.json("POST", "/api/posts", 201, json={"body": "a\0b\ud800c"})
    assert made["body"] == "abc"


async def test_stranger_cannot_publish_whatever_the_body(
    stranger: Program, database: Database
) -> None:
    for how in ({"json": {"body": "Hello"}}, {"json": {}}, {"data": b"x"}):
        answer = await stranger.call("POST", "/api/posts", **how)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert await count_posts(database) == 0


@both_databases
@pytest.mark.R13
async def test_repeated_request_makes_one_post_and_gets_equal_answers(
    program: OpenProgram, make_user: MakeUser, database: Database
) -> None:
    mina = await program(await make_user())

    async def send() -> tuple[int, str, Any]:
        answer = await mina.call(
            "POST", "/api/posts", json={"body": "Once"}, headers={"Idempotency-Key": "k1"}
        )
        return answer.status_code, answer.headers["Location"], await answer.get_json()

    answers = await asyncio.gather(*(send() for _ in range(10)))
    assert answers[0][0] == 201
    assert all(answer == answers[0] for answer in answers)
    assert await count_posts(database) == 1


@both_databases
async def test_key_with_another_text_is_refused(
    program: OpenProgram, make_user: MakeUser, database: Database
) -> None:
    mina = await program(await make_user())
    headers = {"Idempotency-Key": "k1"}
    await mina.json("POST", "/api/posts", 201, json={"body": "One"}, headers=headers)
    told = await mina.problem("POST", "/api/posts", 422, json={"body": "Two"}, headers=headers)
    assert list(told["errors"]) == ["idempotency_key"]
    assert await count_posts(database) == 1


async def test_key_of_another_person_is_another_key(
    program: OpenProgram, make_user: MakeUser
) -> None:
    made = set()
    for name in ("mina", "june"):
        client = await program(await make_user(name))
        post = await client.json(
            "POST", "/api/posts", 201, json={"body": "Same"}, headers={"Idempotency-Key": "k1"}
        )
        made.add(post["id"])
    assert len(made) == 2


@pytest.mark.parametrize("key", ["x" * 201, "é", "a\tb"])
async def test_impossible_key_is_refused(
    program: OpenProgram, make_user: MakeUser, key: str
) -> None:
    mina = await program(await make_user())
    told = await mina.problem(
        "POST", "/api/posts", 422, json={"body": "x"}, headers={"Idempotency-Key": key}
    )
    assert list(told["errors"]) == ["idempotency_key"]


async def test_limit_of_posts_is_told_with_each_answer_and_at_its_end(
    settings: Settings, make_user: MakeUser
) -> None:
    await make_user("mina")
    app = create_app(replace(settings, posts_per_minute=3))
    async with app.test_app():
        mina = Program(app)
        await mina.log_in()
        answers = [
            await mina.call("POST", "/api/posts", json={"body": f"Post {n}"}) for n in range(4)
        ]
        assert [a.status_code for a in answers] == [201, 201, 201, 429]
        assert [a.headers["RateLimit-Remaining"] for a in answers] == ["2", "1", "0", "0"]
        assert answers[0].headers["RateLimit-Limit"] == "3"
        assert 0 < int(answers[3].headers["Retry-After"]) <= 20
        assert answers[3].content_type == "application/problem+json"


@both_databases
async def test_deleted_post_is_gone(
    program: OpenProgram, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user()
    post = await make_post(mina, "Soon gone")
    client = await program(mina)
    answer = await client.call("DELETE", f"/api/posts/{post.id}")
    assert (answer.status_code, await answer.get_data()) == (204, b"")
    await client.problem("GET", f"/api/posts/{post.id}", 404)
    await client.problem("DELETE", f"/api/posts/{post.id}", 404)
    assert (await client.json("GET", "/api/posts"))["items"] == []


@both_databases
async def test_post_of_another_cannot_be_deleted_and_the_refusal_is_as_for_none(
    program: OpenProgram, stranger: Program, make_user: MakeUser, make_post: MakePost
) -> None:
    post = await make_post(await make_user("mina"), "Hello")
    june = await program(await make_user("june"))
    refused = await june.problem("DELETE", f"/api/posts/{post.id}", 404)
    assert refused == await june.problem("DELETE", f"/api/posts/{post.id + 1000}", 404)
    await stranger.problem("DELETE", f"/api/posts/{post.id}", 401)
    assert (await stranger.json("GET", f"/api/posts/{post.id}"))["body"] == "Hello"


@both_databases
@pytest.mark.parametrize("post_id", ["0", "-1", "x", "9" * 19, "9" * 40, "1.0", "%00", "१"])
async def test_post_that_cannot_be_is_not_found(
    program: OpenProgram, make_user: MakeUser, make_post: MakePost, post_id: str
) -> None:
    mina = await make_user()
    await make_post(mina)
    client = await program(mina)
    for method in ("GET", "DELETE"):
        await client.problem(method, f"/api/posts/{post_id}", 404)


# --- The language ------------------------------------------------------------------------------


async def test_language_is_guessed_or_said_and_told_with_the_post(
    program: OpenProgram, make_user: MakeUser
) -> None:
    mina = await program(await make_user())
    for sent, language in (
        ({"body": "안녕하세요"}, "ko"),
        ({"body": "lol"}, None),
        ({"body": "lol", "language": "en-GB"}, "en"),
        ({"body": "lol", "language": None}, None),
    ):
        made = await mina.json("POST", "/api/posts", 201, json=sent)
        assert made["language"] == language
        assert (await mina.json("GET", made["_links"]["self"]))["language"] == language


@pytest.mark.parametrize("code", ["xx", "English", "\ud800", "", 5])
async def test_language_that_is_none_is_refused_by_its_field(
    program: OpenProgram, make_user: MakeUser, database: Database, code: Any
) -> None:
    mina = await program(await make_user())
    body = {"body": "Hello", "language": code}
    if code == "":
        assert (await mina.json("POST", "/api/posts", 201, json=body))["language"] is None
        return
    told = await mina.problem("POST", "/api/posts", 422, json=body)
    assert list(told["errors"]) == ["language"]
    assert await count_posts(database) == 0


async def test_repetition_of_what_is_gone_is_told_as_documented(
    program: OpenProgram, make_user: MakeUser, stranger: Program
) -> None:
    mina = await program(await make_user("mina"))
    how = {"json": {"body": "Soon gone"}, "headers": {"Idempotency-Key": "once"}}
    post = await mina.json("POST", "/api/posts", 201, **how)
    await mina.json("DELETE", f"/api/posts/{post['id']}", 204)
    await mina.problem("POST", "/api/posts", 404, **how)
    document = await stranger.json("GET", "/api/openapi.json")
    for path in ("/api/posts", "/api/questions", "/api/messages", "/api/users"):
        assert "404" in document["paths"][path]["post"]["responses"], path
