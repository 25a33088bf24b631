"""Drafts by the API: one's own, by version."""

import pytest

from microblog.database import Database
from tests.api.conftest import OpenProgram
from tests.api.programs import Program
from tests.people import MakeUser

POST = "/api/drafts/post"


@pytest.fixture
async def mina(program: OpenProgram, make_user: MakeUser) -> Program:
    return await program(await make_user("mina"))


async def test_draft_is_kept_by_version_and_taken_away(mina: Program, database: Database) -> None:
    made = await mina.json("PUT", POST, json={"body": "한글 ", "language": "ko"})
    assert made.pop("updated_at")
    first = {"context": "post", "title": "", "body": "한글 ", "language": "ko", "version": "1"}
    assert made == first
    told = await mina.problem("PUT", POST, 409, json={"body": "Not seen"})
    assert "changed elsewhere" in told["detail"]
    second = await mina.json("PUT", POST, json={"body": "Seen", "version": "1"})
    assert (await mina.json("GET", POST))["body"] == "Seen"
    assert (await mina.json("GET", "/api/drafts"))["items"] == [second]
    for _ in range(2):
        await mina.json("DELETE", POST, 204)
    await mina.problem("GET", POST, 404)
    assert (await mina.json("GET", "/api/drafts"))["items"] == []
    assert (await mina.json("PUT", POST, json={"body": "Anew"}))["version"] == "4"
    assert (await mina.json("PUT", "/api/drafts/question", json={"body": " "}))["version"] == "0"


async def test_publishing_by_a_program_leaves_what_is_written_on_a_page(mina: Program) -> None:
    await mina.json("PUT", POST, json={"body": "Hello"})
    await mina.json("POST", "/api/posts", 201, json={"body": "Hello"})
    assert (await mina.json("GET", POST))["body"] == "Hello"


async def test_draft_of_another_is_none(
    mina: Program, program: OpenProgram, make_user: MakeUser
) -> None:
    await mina.json("PUT", POST, json={"body": "Mine"})
    june = await program(await make_user("june"))
    await june.problem("GET", POST, 404)
    await june.json("DELETE", POST, 204)
    assert (await june.json("GET", "/api/drafts"))["items"] == []
    assert (await mina.json("GET", POST))["body"] == "Mine"


@pytest.mark.parametrize("version", ["x", "-1", "1.5", "", "9" * 30, 1])
async def test_version_is_a_number_in_a_text(mina: Program, version: object) -> None:
    await mina.problem("PUT", POST, 422, json={"body": "Mine", "version": version})


async def test_stranger_has_none(stranger: Program) -> None:
    await stranger.problem("GET", POST, 401)
    await stranger.problem("PUT", POST, 401, json={"body": "x"})
