"""The examples of the OpenAPI document: each is complete, and does what its call is for.

What they name (a post, a person, a token) is put in place of what is there; the rest is sent as it
stands in the document.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from microblog.database import Database
from microblog.settings import Settings
from tests.api.programs import Program
from tests.fake_translator import FakeTranslator
from tests.hostile.asking import ways
from tests.hostile.stage import Stage, staged
from tests.people import MakePost, MakeUser


@pytest.fixture
def settings(settings: Settings, translation_service: FakeTranslator) -> Settings:
    made = {"mailer": "console", "public_url": "http://localhost"} | translation_service.settings
    return replace(settings, **made)


@pytest.fixture
async def stage(
    settings: Settings, database: Database, make_user: MakeUser, make_post: MakePost
) -> AsyncIterator[Stage]:
    async with staged(settings, database, make_user, make_post) as opened:
        yield opened


async def test_every_example_is_carried_out(stage: Stage) -> None:
    document = await Program(stage.app).json("GET", "/api/openapi.json")
    done = 0
    for way in filter(lambda way: way.is_api, ways(stage.app)):
        path = document["paths"].get(way.path.replace("<", "{").replace(">", "}"), {})
        if way.method.lower() in path:
            operation = path[way.method.lower()]
            is_ruling = operation["security"] == [{"bearer": ["admin"]}]
            answer, _, _ = await stage.ask(way, "admin" if is_ruling else "owner")
            good = min(operation["responses"])
            assert str(answer.status) == good, f"{way.name}: {answer.body}"
            done += 1
    assert done == sum(map(len, document["paths"].values()))


async def test_what_must_be_sent_has_an_example_that_fits(stranger: Program) -> None:
    document = await stranger.json("GET", "/api/openapi.json")
    for path, item in document["paths"].items():
        for method, operation in item.items():
            for parameter in operation["parameters"]:
                if parameter.get("required"):
                    where = f"{method} {path}: {parameter['name']}"
                    assert fits(parameter["schema"], parameter["example"]), where


def fits(schema: dict[str, Any], value: object) -> bool:
    return Draft202012Validator(schema).is_valid(value)


async def test_every_call_says_whom_it_serves_and_what_limits_it(stranger: Program) -> None:
    document = await stranger.json("GET", "/api/openapi.json")
    for path, item in document["paths"].items():
        for method, operation in item.items():
            told, where = operation["description"], f"{method} {path}"
            assert "Needs " in told, where
            is_limited = "429" in operation["responses"]
            assert ("Limited: " in told, "no limit" in told) == (is_limited, not is_limited), where


async def test_search_says_that_it_needs_words(stranger: Program) -> None:
    document = await stranger.json("GET", "/api/openapi.json")
    parameters = document["paths"]["/api/search"]["get"]["parameters"]
    assert [one["name"] for one in parameters if one["required"]] == ["q"]


@pytest.mark.parametrize("path", ["/api/tokens/reset", "/api/messages/mina/read"])
async def test_word_beside_ids_is_an_address_of_its_own(stranger: Program, path: str) -> None:
    document = await stranger.json("GET", "/api/openapi.json")
    listed = document["paths"][path.replace("mina", "{who}")]
    refused = await stranger.problem("DELETE", path, 405)
    assert refused["title"] == "Not possible here"
    answer = await stranger.call("OPTIONS", path)
    assert {each.lower() for each in answer.allow} - {"options"} == listed.keys()
