"""S19: every route, method and mishap: the same headers on each answer, the same cookie flags."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from http.cookies import Morsel, SimpleCookie
from typing import Any

import pytest
from quart import Quart
from werkzeug.routing import Rule

from microblog import create_app
from microblog.core.errors import Unavailable
from microblog.database import Database
from microblog.runtime import DATABASE_AWAY, EXTENSION
from microblog.settings import Settings
from microblog.web.assets import asset_path
from tests.edge.test_headers import missing
from tests.hostile.raw import talk
from tests.people import Browser, MakePost, MakeUser, session_cookie
from tests.serving import Serving
from tests.web.browsing import ask
from tests.web.scene import Scene, set_up

pytestmark = pytest.mark.S19

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "ODD")
PLACES = ("http://localhost:8000", "https://blog.example.org")
STATES = ("well", "broken", "unavailable", "overloaded", "not ready")
FOR_OTHERS = "/api"  # programs of other sites may read it, so some values differ


@pytest.fixture(params=PLACES)
async def place(settings: Settings, request: pytest.FixtureRequest) -> AsyncIterator[Quart]:
    """The application where people reach it by HTTP, and where by HTTPS."""
    made = create_app(replace(settings, public_url=request.param, requests_per_process=1))
    async with made.test_app():
        yield made


def bring_about(app: Quart, state: str) -> None:
    """Let every request end in one way; "well" leaves the application as it is."""
    runtime = app.extensions[EXTENSION]

    async def broken(**_: Any) -> None:
        raise RuntimeError("by intent")

    async def unavailable(**_: Any) -> None:
        raise Unavailable(3)

    match state:
        case "broken" | "unavailable":
            page = broken if state == "broken" else unavailable
            for name in app.view_functions:
                app.view_functions[name] = page  # type: ignore[assignment]
        case "overloaded":
            runtime.requests = runtime.settings.requests_per_process
        case "not ready":
            runtime.not_ready = DATABASE_AWAY


def flaws(answer: Any, rule: str, secure: bool) -> list[str]:
    """Return what an answer lacks, or has too much of."""
    lacks = missing(answer)
    if rule.startswith(FOR_OTHERS):
        lacks = [name for name in lacks if name not in answer.headers]
    if ("Strict-Transport-Security" in answer.headers) is not secure:
        lacks.append("Strict-Transport-Security")
    if answer.status_code == 503 and int(answer.headers.get("Retry-After", 0)) < 1:
        lacks += [] if rule == "/readyz" else ["Retry-After"]
    for line in answer.headers.getlist("Set-Cookie"):
        for name, morsel in SimpleCookie(line).items():
            lacks += [f"{name}: {flag}" for flag in flag_flaws(name, morsel, secure)]
    return lacks


def flag_flaws(name: str, morsel: "Morsel[str]", secure: bool) -> list[str]:
    """Return which flags of a cookie are not as they must be."""
    right = {
        "httponly": bool(morsel["httponly"]),
        "samesite": morsel["samesite"] in {"Lax", "Strict"},
        "secure": bool(morsel["secure"]) is secure,
        "path": morsel["path"] == "/",
        "domain": not morsel["domain"],
        "prefix": name.startswith("__Host-") is secure or name in {"theme", "language"},
    }
    return [flag for flag, good in right.items() if not good]


async def browsers(scene: Scene, database: Database) -> list[Browser]:
    """Return a stranger's browser and Mina's."""
    stranger, member = scene.app.test_client(), scene.app.test_client()
    runtime = scene.app.extensions[EXTENSION]
    name = "__Host-session" if runtime.settings.is_secure else "session"
    cookie = await session_cookie(database, scene.app, scene.mina)
    member.set_cookie("localhost", name, cookie)
    return [Browser(stranger), Browser(member)]


def walked(scene: Scene) -> list[tuple[Rule, str, str]]:
    """Go along every route and every method; what makes no sense there is asked for too."""
    rules = [rule for rule in scene.app.url_map.iter_rules() if not rule.websocket]
    return [(rule, method, scene.address(rule)) for rule in rules for method in METHODS]


@pytest.mark.parametrize("state", STATES)
async def test_every_answer_has_all_headers(
    place: Quart, state: str, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    scene = await set_up(place, database, make_user, make_post)
    readers = await browsers(scene, database)
    secure = place.extensions[EXTENSION].settings.is_secure
    routes = walked(scene)
    bring_about(place, state)
    wrong, statuses = {}, Counter[int]()
    for rule, method, address in routes:
        for browser in readers:
            answer = await ask(browser, method, address)
            statuses[answer.status_code] += 1
            if found := flaws(answer, rule.rule, secure):
                wrong[f"{method} {rule.rule} {answer.status_code}"] = found
    print(f"{state}: {sum(statuses.values())} answers, {dict(statuses)}")
    assert wrong == {}
    expected = {"broken": 500, "unavailable": 503, "overloaded": 503, "not ready": 503}
    assert expected.get(state, 200) in statuses


async def test_answers_without_a_route_have_all_headers(place: Quart) -> None:
    secure = place.extensions[EXTENSION].settings.is_secure
    client: Any = place.test_client()
    path = asset_path("css/microblog.css")
    tag = (await client.get(path)).headers["ETag"]
    answers = {
        304: await client.get(path, headers={"If-None-Match": tag}),
        404: await client.get("/nowhere"),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        assert flaws(answer, "", secure) == []


async def test_missing_header_and_flag_are_found(place: Quart) -> None:
    """The control: this is how it would look if one were forgotten."""
    answer = await place.test_client().get("/auth/login")
    del answer.headers["X-Frame-Options"]
    answer.headers.add("Set-Cookie", "session=x; Domain=example.org; SameSite=None")
    secure = place.extensions[EXTENSION].settings.is_secure
    found = flaws(answer, "", secure)
    assert "X-Frame-Options" in found
    assert {"session: httponly", "session: samesite", "session: domain"} <= set(found)


async def test_refused_handshakes_have_all_headers(server: Serving) -> None:
    upgrade = (
        b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nHost: localhost\r\n"
    )
    ours = b"Sec-WebSocket-Protocol: microblog.v1\r\n"
    for said, status in (
        (b"GET /live HTTP/1.1\r\n" + upgrade + ours + b"Origin: https://evil.example\r\n", 403),
        (b"GET /live HTTP/1.1\r\n" + upgrade, 400),
        (b"GET /nowhere HTTP/1.1\r\n" + upgrade + ours, 404),
    ):
        told = await asyncio.to_thread(talk, server.port, said + b"\r\n", quiet_seconds=0.2)
        assert told.statuses == [status]
        assert b"x-content-type-options: nosniff" in told.received.lower(), told.received
        assert b"content-security-policy: default-src 'none'" in told.received.lower()
        assert told.received.lower().count(b"x-request-id: ") == 1
