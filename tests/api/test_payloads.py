"""Bodies that are not what they should be: each gets a clear answer, none a 500."""

import unicodedata
from typing import Any

import pytest
import regex
from quart import Quart

from tests.api.conftest import OpenProgram
from tests.api.programs import Program
from tests.people import MakeUser

JSON = {"Content-Type": "application/json"}
WRITES = [("POST", "/api/posts"), ("POST", "/api/users"), ("PUT", "/api/tokens")]

each_write = pytest.mark.parametrize(("method", "path"), WRITES)


@pytest.fixture
async def mina(program: OpenProgram, make_user: MakeUser) -> Program:
    return await program(await make_user("mina"))


@each_write
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"body": "\xff"}',
        "{}".encode("utf-16"),
        b"[" * 100_000,
        b'{"body": ' + b"9" * 5000 + b"}",
        b"{'body': 'x'}",
    ],
)
async def test_body_that_is_not_json_in_utf8_is_not_understood(
    mina: Program, method: str, path: str, data: bytes
) -> None:
    await mina.problem(method, path, 400, data=data, headers=JSON)


@each_write
@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "x"])
async def test_body_of_another_kind_is_refused(
    mina: Program, method: str, path: str, kind: str | None
) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    await mina.problem(method, path, 415, data=b'{"body": "Hello"}', headers=headers)


@each_write
@pytest.mark.parametrize("value", [None, [], [{}], "text", 5, True, [["body", "x"]]])
async def test_body_that_is_no_object_is_refused(
    mina: Program, method: str, path: str, value: Any
) -> None:
    told = await mina.problem(method, path, 422, json=value)
    assert told["errors"] == {"body": ["This must be an object."]}


@pytest.mark.parametrize("value", [None, 5, 1.5, True, ["x"], {"x": 1}])
async def test_text_of_another_type_is_refused(mina: Program, value: Any) -> None:
    told = await mina.problem("POST", "/api/posts", 422, json={"body": value})
    assert told["errors"] == {"body": ["This must be text."]}


async def test_missing_and_unknown_fields_are_named(mina: Program) -> None:
    told = await mina.problem("POST", "/api/posts", 422, json={"text": "Hello", "author_id": 1})
    assert told["errors"] == {
        "author_id": ["There is no such field."],
        "body": ["This is missing."],
        "text": ["There is no such field."],
    }
    assert told["error"] == "Unprocessable Entity"
    assert told["message"] == told["detail"]


@pytest.mark.parametrize(
    ("method", "path", "wrong"),
    [
        ("POST", "/api/posts", {"body": "x" * 501, "language": "xx", "reply_to": 5}),
        ("POST", "/api/questions", {"title": "", "body": " ", "language": "xx", "tags": 5}),
        ("POST", "/api/messages", {"to": 5, "body": ""}),
        ("PATCH", "/api/me", {"username": "a b", "display_name": "x" * 51, "email": "x", "id": 1}),
    ],
)
async def test_all_that_is_wrong_is_told_at_once(
    mina: Program, method: str, path: str, wrong: dict[str, Any]
) -> None:
    told = await mina.problem(method, path, 422, json=wrong)
    assert set(told["errors"]) == set(wrong)


async def test_flood_of_unknown_fields_gets_a_short_answer(mina: Program) -> None:
    flood = {f"field{n}" * 20: n for n in range(1000)}
    told = await mina.problem("POST", "/api/posts", 422, json=flood | {"body": "x"})
    assert len(told["errors"]) == 50
    assert max(map(len, told["errors"])) <= 100


async def test_name_of_a_field_may_hold_half_a_character(mina: Program) -> None:
    data = b'{"body": "x", "\\ud800": 1}'
    await mina.problem("POST", "/api/posts", 422, data=data, headers=JSON)


async def test_body_that_is_too_large_is_refused(app: Quart, mina: Program) -> None:
    data = b'{"body": "' + b"x" * app.config["MAX_CONTENT_LENGTH"] + b'"}'
    await mina.problem("POST", "/api/posts", 413, data=data, headers=JSON)


async def test_flood_of_accents_is_refused_before_it_is_normalised(
    stranger: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It would take time by the square of its length: 100,000 accents several seconds.
    sizes: list[int] = []
    real = unicodedata.normalize

    def normalize(form: str, text: str) -> str:
        sizes.append(len(text))
        return real(form, text)

    monkeypatch.setattr(unicodedata, "normalize", normalize)
    accents = "a" + "\u0301\u0323" * 3000
    sign_up = {
        "username": accents,
        "email": accents,
        "password": "a long enough sentence",
        "display_name": "Mina",
    }
    told = await stranger.problem("POST", "/api/users", 422, json=sign_up)
    assert sorted(told["errors"]) == ["email", "username"]
    await stranger.problem("POST", "/api/tokens", 401, auth=(accents, accents))
    assert sizes
    assert max(sizes) <= 1024


async def test_refusal_speaks_the_language_that_is_asked_for(stranger: Program) -> None:
    said = []
    for language in ("en", "ko"):
        headers = {"Accept-Language": language}
        told = await stranger.problem("POST", "/api/users", 422, json={}, headers=headers)
        said.append((told["title"], told["detail"], *told["errors"]["username"]))
    assert said[0] == ("Not valid", "Some of what was sent is not right.", "This is missing.")
    assert all(regex.search(r"\p{Hangul}", korean) for korean in said[1])


@pytest.mark.parametrize(
    ("asked", "title"), [({}, "올바르지 않습니다"), ({"Accept-Language": "en"}, "Not valid")]
)
async def test_language_that_is_asked_for_comes_before_that_of_the_settings(
    program: OpenProgram, make_user: MakeUser, asked: dict[str, str], title: str
) -> None:
    client = await program(await make_user("mina", language="ko"))
    headers = asked | {"Cookie": "language=en"}
    answer = await client.call("POST", "/api/posts", json={}, headers=headers)
    assert (await answer.get_json(force=True))["title"] == title
    assert answer.headers["Content-Language"] == ("en" if asked else "ko")
