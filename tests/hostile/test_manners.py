"""Every call under `/api`, asked as it should and as it should not be: how it refuses, what is
told with each answer. Routes are read from the application, so a new one joins by itself.
"""

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import regex
from quart import Response

from microblog.database import Database
from microblog.runtime import EXTENSION
from microblog.settings import Settings
from tests.fake_translator import FakeTranslator
from tests.hostile.asking import Way, ways
from tests.hostile.mishaps import DOCUMENTS, MISHAPS, Mishap
from tests.hostile.programs import JSON, good_request, send
from tests.hostile.stage import Stage, staged
from tests.people import MakePost, MakeUser

FOR_PEOPLE = "/api/docs"
ELSEWHERE = "https://elsewhere.example"


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


def calls(stage: Stage) -> list[Way]:
    found = [way for way in ways(stage.app) if way.is_api]
    assert len(found) > 40
    return found


def forget_limits(stage: Stage) -> None:
    stage.app.extensions[EXTENSION].limiters.clear()


# --- Refusals ------------------------------------------------------------------------------------


async def refusal_flaws(answer: Response, mishap: Mishap) -> list[str]:
    """Return what is wrong with a refusal in Korean."""
    text = await answer.get_data(as_text=True)
    told = json.loads(text) if text.startswith("{") else {}
    right = {
        f"status {answer.status_code}": answer.status_code == mishap.status,
        "kind": answer.content_type == "application/problem+json",
        "members": {"type", "title", "status", "detail", "error", "message"} <= told.keys(),
        "status in it": told.get("status") == answer.status_code,
        "any field": "errors" in told or mishap.status != 422,
        "fields": mishap.fields <= told.get("errors", {}).keys(),
        "language": answer.headers.get("Content-Language") == "ko",
        "title": bool(regex.search(r"\p{Hangul}", told.get("title", ""))),
        "detail": bool(regex.search(r"\p{Hangul}", told.get("detail", ""))),
        "sentences": all(
            regex.search(r"\p{Hangul}", one)
            for found in told.get("errors", {}).values()
            for one in found
        ),
    }
    return [name for name, is_right in right.items() if not is_right] + envelope_flaws(answer)


def envelope_flaws(answer: Response) -> list[str]:
    """Return what is wrong with what surrounds any answer."""
    right = {
        "request id": len(answer.headers.get("X-Request-ID", "")) == 16,
        "origin": answer.headers.get("Access-Control-Allow-Origin") == "*",
        "credentials": "Access-Control-Allow-Credentials" not in answer.headers,
        "cookie": "Set-Cookie" not in answer.headers,
        "caching": "Cache-Control" in answer.headers,
        "sniffing": answer.headers.get("X-Content-Type-Options") == "nosniff",
    }
    return [name for name, is_right in right.items() if not is_right]


async def test_every_call_refuses_in_the_same_way(stage: Stage) -> None:
    wrong, asked, before = {}, Counter[str](), stage.rows()
    asking = {"Accept-Language": "ko-KR,ko;q=0.9", "Origin": ELSEWHERE}
    for way in filter(lambda way: way.path not in DOCUMENTS, calls(stage)):
        for name, mishap in MISHAPS.items():
            how = mishap.spoil(way, await good_request(stage, way))
            if how is None:
                continue
            forget_limits(stage)
            asked[name] += 1
            how["headers"] = how["headers"] | asking
            answer = await send(stage, way, mishap.method or way.method, mishap.query, **how)
            if found := await refusal_flaws(answer, mishap):
                wrong[f"{way.name}: {name}"] = found
    print(dict(asked))
    assert wrong == {}
    assert set(asked) == set(MISHAPS)
    assert min(asked.values()) > 10
    assert stage.rows() == before


# --- Good answers --------------------------------------------------------------------------------


async def test_every_read_tells_its_version_and_every_list_leads_on(stage: Stage) -> None:
    wrong, lists = {}, 0
    for way in [way for way in calls(stage) if way.method == "GET"]:
        how = await good_request(stage, way)
        first = await send(stage, way, "GET", **how)
        tag = first.headers.get("ETag", "")
        unchanged = how | {"headers": how["headers"] | {"If-None-Match": f'"x", {tag}'}}
        again = await send(stage, way, "GET", **unchanged)
        head = await send(stage, way, "HEAD", **how)
        right = {
            f"status {first.status_code}": first.status_code == 200,
            f"unchanged {again.status_code}": again.status_code == 304,
            "body of nothing": await again.get_data() == b"",
            "its tag": again.headers.get("ETag") == tag,
            "head": head.status_code == 200 and head.headers.get("ETag") == tag,
            "kind of the head": head.content_type == first.content_type,
        }
        found = [name for name, is_right in right.items() if not is_right]
        for answer in (first, again, head):
            found += envelope_flaws(answer)
        leading = await list_flaws(way, first)
        lists += leading is not None
        found += leading or []
        found = [each for each in found if (each, way.path) != ("cookie", FOR_PEOPLE)]
        if found:
            wrong[way.name] = found
    assert wrong == {}
    assert lists >= 12


async def list_flaws(way: Way, answer: Response) -> list[str] | None:
    """Return what is wrong with how a list leads on; None where the answer is no list."""
    told = await answer.get_json() if answer.content_type == JSON else {}
    if "items" not in told:
        return None
    links, header = told["_links"], linked(answer)
    right = {
        "_meta": bool(told["_meta"]),
        "self": links["self"].startswith(way.path.partition("<")[0].rstrip("/")),
        "next": header.get("next") == links["next"],
        "prev": header.get("prev") == links.get("prev"),
        "first": "first" in header or way.path == "/api/events",  # which begins anywhere
    }
    return [name for name, is_right in right.items() if not is_right]


def linked(answer: Response) -> dict[str, str]:
    """Return the addresses of a `Link` header, by their relation."""
    written = answer.headers.get("Link", "")
    return {name: to for to, name in re.findall(r'<([^>]+)>; rel="([^"]+)"', written)}


async def test_every_write_answers_in_the_same_envelope(stage: Stage) -> None:
    wrong = {}
    for way in [way for way in calls(stage) if not way.is_safe]:
        forget_limits(stage)
        role = "admin" if way.path.endswith("/suspension") else "owner"
        answer = await send(stage, way, way.method, **await good_request(stage, way, role))
        found = envelope_flaws(answer)
        if answer.status_code >= 300:
            found.append(await answer.get_data(as_text=True))
        if answer.status_code == 201 and not answer.headers.get("Location", "").startswith("/api/"):
            found.append("Location")
        if found:
            wrong[way.name] = found
        await stage.ask(way, "anonymous")  # puts everything back
    assert wrong == {}


async def test_every_address_tells_its_methods_and_lets_pages_of_any_site_ask(
    stage: Stage,
) -> None:
    methods: dict[str, set[str]] = {}
    for way in calls(stage):
        methods.setdefault(way.path, {"OPTIONS"}).add(way.method)
    for way in calls(stage):
        allowed = methods[way.path] | ({"HEAD"} if "GET" in methods[way.path] else set())
        told = await send(stage, way, "OPTIONS")
        refused = await send(stage, way, "ODD")
        assert told.status_code == 200
        assert await told.get_data() == b""
        for answer in (told, refused):
            assert set(answer.headers["Allow"].split(", ")) >= allowed, way.name
            assert envelope_flaws(answer) == []
        sent = "authorization, content-type, idempotency-key, if-match, if-none-match"
        preflight = {
            "Origin": ELSEWHERE,
            "Access-Control-Request-Method": way.method,
            "Access-Control-Request-Headers": sent,
        }
        let_in = await send(stage, way, "OPTIONS", headers=preflight)
        assert way.method in let_in.headers["Access-Control-Allow-Methods"].split(", ")
        headers = let_in.headers["Access-Control-Allow-Headers"].lower().split(", ")
        assert set(sent.split(", ")) <= set(headers)
        assert "Access-Control-Allow-Credentials" not in let_in.headers


# --- Creating once -------------------------------------------------------------------------------

OTHER = {"body": "Other words", "about_me": "Other words"}
"""What makes another request of a good one: a field that all creating calls have one of."""


async def creating(stage: Stage) -> list[Way]:
    """Return the calls that make something, as their document says."""
    paths = (await (await stage.app.test_client().get("/api/openapi.json")).get_json())["paths"]
    found = []
    for way in [way for way in calls(stage) if way.method == "POST"]:
        operation = paths[way.path.replace("<", "{").replace(">", "}")]["post"]
        if "201" in operation["responses"]:
            names = {parameter["name"] for parameter in operation["parameters"]}
            assert "Idempotency-Key" in names, way.name
            found.append(way)
    assert len(found) >= 4
    return found


async def test_every_call_that_makes_something_makes_it_once(stage: Stage) -> None:
    for way in await creating(stage):
        how = await good_request(stage, way)
        how["headers"]["Idempotency-Key"] = "mine"
        forget_limits(stage)
        answers = await asyncio.gather(*(send(stage, way, "POST", **how) for _ in range(5)))
        told = [(answer.status_code, await answer.get_data()) for answer in answers]
        assert told[0][0] == 201, told[0]
        assert set(told) == {told[0]}, way.name
        assert len({answer.headers["Location"] for answer in answers}) == 1
        (name,) = [name for name in OTHER if name in how["json"] or way.path == "/api/users"][-1:]
        other = how | {"json": how["json"] | {name: OTHER[name]}}
        forget_limits(stage)
        answer = await send(stage, way, "POST", **other)
        assert answer.status_code == 422, way.name
        assert list((await answer.get_json(force=True))["errors"]) == ["idempotency_key"]
        await stage.ask(way, "anonymous")
