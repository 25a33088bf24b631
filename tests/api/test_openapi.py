"""The OpenAPI document: valid, complete, and true of what is really answered."""

import asyncio
import copy
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from quart import Quart, Response

from microblog.database import Database
from microblog.settings import Settings
from tests.api import calls as made
from tests.api.calls import DRAFT, PICTURE, TRANSLATION
from tests.api.conftest import OpenProgram
from tests.api.programs import Program
from tests.fake_translator import FakeTranslator
from tests.people import MakePost, MakeUser

METHODS = {"get", "post", "put", "patch", "delete"}
PROBLEM_JSON = "application/problem+json"
DOCUMENTS = ("/api/openapi.json", "/api/asyncapi.json", "/api/docs")
LIMITED = {
    ("GET", "/api/events"),
    ("DELETE", "/api/me"),
    ("PATCH", "/api/me"),
    ("POST", "/api/messages"),
    ("PATCH", "/api/posts/{post_id}"),
    ("POST", "/api/posts"),
    ("POST", "/api/questions"),
    ("POST", "/api/tokens"),
    ("POST", "/api/tokens/reset"),
    ("POST", "/api/users"),
    ("POST", TRANSLATION),
    ("PUT", "/api/me"),
    ("PUT", "/api/me/avatar"),
    ("PUT", "/api/users/{who}"),
    ("PUT", DRAFT),
}


@pytest.fixture
def settings(settings: Settings, translation_service: FakeTranslator) -> Settings:
    made = {"mailer": "console", "public_url": "http://localhost"} | translation_service.settings
    return replace(settings, **made)


@pytest.fixture
async def document(stranger: Program) -> dict[str, Any]:
    told: dict[str, Any] = await stranger.json("GET", "/api/openapi.json")
    return told


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS & set(item):
            yield method.upper(), path, item[method]


async def test_document_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    await asyncio.to_thread(validate, document)


async def test_document_lists_every_call_and_nothing_else(
    app: Quart, document: dict[str, Any]
) -> None:
    routes = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule == "/api" or rule.rule.startswith("/api/")
    }
    listed = {(method, path) for method, path, _ in operations(document)}
    assert listed == routes - {("GET", path) for path in DOCUMENTS}
    assert len(listed) >= 15


async def test_every_operation_is_told_in_full(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    for method, path, operation in operations(document):
        where = f"{method} {path}"
        assert operation["summary"], where
        assert "security" in operation, where
        assert all(isinstance(status, str) for status in operation["responses"]), where
        refusals = {s: r for s, r in operation["responses"].items() if s[0] in "45d"}
        assert "default" in refusals, where
        for refusal in refusals.values():
            assert refusal["description"], where
            assert set(refusal["content"]) == {PROBLEM_JSON}, where
        if {"bearer": []} in operation["security"]:
            assert "401" in refusals, where
        if "requestBody" in operation:
            assert operation["requestBody"]["required"] is True, where
            assert {"400", "415", "422"} <= set(refusals), where
        for parameter in operation["parameters"]:
            assert parameter["description"], where


async def test_every_body_has_an_example_that_its_schema_takes(document: dict[str, Any]) -> None:
    bodies = [
        content["application/json"]
        for _, _, operation in operations(document)
        for content in (
            operation.get("requestBody", {}).get("content", {}),
            *(answer.get("content", {}) for answer in operation["responses"].values()),
        )
        if "application/json" in content
    ]
    assert len(bodies) >= 15
    for body in bodies:
        judge(document, body["schema"]).validate(body["example"])


async def test_limited_calls_tell_when_to_try_again(document: dict[str, Any]) -> None:
    limited = {
        (method, path): operation["responses"]["429"]
        for method, path, operation in operations(document)
        if "429" in operation["responses"]
    }
    assert set(limited) == LIMITED
    assert all("Retry-After" in refusal["headers"] for refusal in limited.values())


def judge(document: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    """Make a validator of a schema within the document, which takes no undocumented field."""
    whole = schema | {"components": document.get("components", {})}
    return Draft202012Validator(close(copy.deepcopy(whole)))


def close(schema: Any) -> Any:
    """Forbid, everywhere within, fields that are not documented."""
    if isinstance(schema, dict):
        if "properties" in schema and schema.get("type") == "object":
            schema.setdefault("additionalProperties", False)
        for part in schema.values():
            close(part)
    elif isinstance(schema, list):
        for part in schema:
            close(part)
    return schema


def test_judge_refuses_what_is_not_documented() -> None:
    schema = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
    assert judge({}, schema).is_valid({"id": "1"})
    assert not judge({}, schema).is_valid({"id": 1})
    assert not judge({}, schema).is_valid({"id": "1", "secret": 2})


async def test_answers_are_as_documented(
    app: Quart,
    document: dict[str, Any],
    database: Database,
    program: OpenProgram,
    make_user: MakeUser,
    make_post: MakePost,
) -> None:
    mina, june, leaver = [await make_user(name) for name in ("mina", "june", "leaver")]
    post = await make_post(mina, "Hello #서울 @june")
    await make_post(june, "Hello @mina")
    refresh = (await Program(app).log_in())["refresh_token"]
    client, spare, leaving = [await program(one) for one in (mina, june, leaver)]
    guard = await program(await make_user("ruth", role="admin"))
    await make_user("spammer")
    token = await made.link(app, database, mina)
    family_id, message_id = await made.family(database, mina), await made.sent(database, mina, june)
    calls = [
        *made.of_the_beginning(refresh),
        *made.around_oneself(family_id),
        *made.around_people(mina.id),
        *made.around(post.id),
        *made.between_two(message_id),
        *await made.around_questions(mina, make_post),
        *made.ABOUT_DRAFTS,
        *made.NOTIFICATIONS,
        *await made.around_exports(database, mina),
        *made.of_administrators("spammer"),
        *made.of_the_end(token),
    ]
    assert {(m, p) for m, p, *_ in calls} == {(m, p) for m, p, _ in operations(document)}
    for method, path, address, how in calls:
        others = {"DELETE /api/tokens": spare, "DELETE /api/me": leaving}
        others |= {f"{each} /api/users/{{who}}/suspension": guard for each in ("PUT", "DELETE")}
        asking = Program(app) if "auth" in how else others.get(f"{method} {path}", client)
        answer = await asking.call(method, address, **how)
        assert answer.status_code < 300, await answer.get_data()
        await check(document, method, path, answer)


async def test_refusals_are_as_documented(
    stranger: Program, document: dict[str, Any], program: OpenProgram, make_user: MakeUser
) -> None:
    mina = await program(await make_user("mina"))
    reset = {"token": "no such token", "new_password": "another sentence"}
    text = {"headers": {"Content-Type": "text/plain"}, "data": b"x"}
    broken = {"headers": {"Content-Type": "application/json"}, "data": b"{"}
    calls: list[tuple[Program, str, str, str, dict[str, Any], int]] = [
        (stranger, "POST", "/api/tokens", "/api/tokens", {}, 401),
        (stranger, "GET", "/api/timelines/home", "/api/timelines/home", {}, 401),
        (mina, "POST", "/api/posts", "/api/posts", {"json": {"x": 1}}, 422),
        (mina, "POST", "/api/posts", "/api/posts", text, 415),
        (mina, "POST", "/api/posts", "/api/posts", broken, 400),
        (mina, "GET", "/api/posts/{post_id}", "/api/posts/0", {}, 404),
        (mina, "PUT", "/api/me/following/{who}", "/api/me/following/mina", {}, 409),
        (stranger, "GET", "/api/users", "/api/users?page=0", {}, 422),
        (stranger, "POST", "/api/tokens/reset", "/api/tokens/reset", {"json": {"email": "x"}}, 422),
        (stranger, "PUT", "/api/tokens/reset", "/api/tokens/reset", {"json": reset}, 400),
        (stranger, "GET", "/api/notifications", "/api/notifications", {}, 401),
        (mina, "GET", "/api/notifications", "/api/notifications?since=-1", {}, 422),
        (stranger, "GET", "/api/search", "/api/search", {}, 422),
        (mina, "GET", DRAFT, "/api/drafts/question", {}, 404),
        (mina, "GET", DRAFT, "/api/drafts/No!", {}, 404),
        (mina, "PUT", DRAFT, "/api/drafts/post", {"json": {"body": "x" * 9000}}, 422),
        (mina, "PUT", "/api/me/avatar", "/api/me/avatar", PICTURE | {"data": b"x"}, 422),
        (mina, "PUT", "/api/me/avatar", "/api/me/avatar", text, 415),
        (stranger, "PUT", "/api/me/avatar", "/api/me/avatar", PICTURE, 401),
        (stranger, "GET", "/api/search", "/api/search?q=before:x", {}, 422),
    ]
    for asking, method, path, address, how, status in calls:
        answer = await asking.call(method, address, **how)
        assert answer.status_code == status
        await check(document, method, path, answer)


async def check(document: dict[str, Any], method: str, path: str, answer: Response) -> None:
    """Hold an answer against what the document says of it."""
    told = document["paths"][path][method.lower()]["responses"][str(answer.status_code)]
    for name in told.get("headers", {}):
        assert name in answer.headers, (method, path, name)
    if "content" not in told:
        assert await answer.get_data() == b""
        return
    content = told["content"][answer.content_type]
    if content["schema"].get("format") == "binary":
        return
    judge(document, content["schema"]).validate(await answer.get_json(force=True))


async def test_no_page_loads_scripts_from_afar(app: Quart) -> None:
    rules = {rule.rule for rule in app.url_map.iter_rules()}
    assert not rules & {"/docs", "/redocs", "/scalar", "/openapi.json"}
