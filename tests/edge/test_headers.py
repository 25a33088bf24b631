"""The headers of every answer, errors too, and the flags of every cookie."""

import re
from dataclasses import replace
from http.cookies import SimpleCookie
from typing import Any

import pytest
from quart import Quart

from microblog import create_app
from microblog.database import Database
from microblog.edge.headers import HEADERS, HIDES_THE_PATH
from microblog.runtime import DATABASE_AWAY, EXTENSION
from microblog.settings import Settings
from microblog.web.assets import asset_path
from tests.people import PASSWORD, MakePost, MakeUser, Visit
from tests.web.browsing import ask
from tests.web.scene import set_up


def missing(answer: Any) -> list[str]:
    """Return what an answer lacks."""
    lacks = [name for name, value in HEADERS.items() if answer.headers.get(name) != value]
    if answer.headers.get("Referrer-Policy") == HIDES_THE_PATH:  # what is stricter is as good
        lacks.remove("Referrer-Policy")
    if "Cache-Control" not in answer.headers:
        lacks.append("Cache-Control")
    if not re.fullmatch("[0-9a-f]{16}", answer.headers.get("X-Request-ID", "")):
        lacks.append("X-Request-ID")
    return lacks + (["no Server"] if "Server" in answer.headers else [])


async def test_policy_lets_no_other_site_in() -> None:
    policy = HEADERS["Content-Security-Policy"]
    for rule in (
        "default-src 'none'",
        "script-src 'self';",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "require-trusted-types-for 'script'",
    ):
        assert rule in policy
    assert "unsafe" not in policy
    assert "*" not in policy


async def test_every_readable_address_sends_them(
    app: Quart, database: Database, make_user: MakeUser, make_post: MakePost, visit: Visit
) -> None:
    scene = await set_up(app, database, make_user, make_post)
    for browser in (await visit(scene.mina), await visit()):
        for rule in scene.readable():
            for method in ("GET", "HEAD", "OPTIONS"):
                answer = await ask(browser, method, scene.address(rule))
                lacks = missing(answer)
                if rule.rule.startswith("/api"):  # meant for other sites' programs too
                    lacks = [name for name in lacks if name not in answer.headers]
                assert lacks == [], f"{method} {rule.rule}: {answer.status}"


async def test_every_unsafe_address_sends_them(
    app: Quart, database: Database, make_user: MakeUser, make_post: MakePost, visit: Visit
) -> None:
    scene = await set_up(app, database, make_user, make_post)
    for rule, method in scene.unsafe():
        browser = await visit(scene.mina)
        for token in ("", await browser.token()):
            form = scene.form(rule) | {"csrf_token": token}
            answer = await ask(browser, method, scene.address(rule), form=form)
            assert missing(answer) == [], f"{method} {rule.rule}: {answer.status}"


JSON = {"Accept": "application/json"}


@pytest.mark.parametrize("accept", [{}, JSON], ids=["page", "json"])
async def test_errors_send_them(app: Quart, visit: Visit, accept: dict[str, str]) -> None:
    async def broken() -> str:
        raise RuntimeError("by intent")

    app.view_functions["timelines.explore"] = broken
    client = (await visit()).client
    answers = {
        400: await client.get("/?before=x", headers=accept),
        403: await client.post("/posts", headers=accept | {"Origin": "null"}),
        404: await client.get("/nowhere", headers=accept),
        405: await client.get("/posts", headers=accept),
        413: await client.post("/posts", form={"post": "x" * 300_000}, headers=accept),
        500: await client.get("/explore", headers=accept),
    }
    app.extensions[EXTENSION].not_ready = DATABASE_AWAY
    answers[503] = await client.get("/", headers=accept)
    for status, answer in answers.items():
        invalid = status == 400 and accept
        assert answer.status_code == (422 if invalid else status)
        assert missing(answer) == [], status
    assert answers[500].headers["Cache-Control"] == "no-store"
    assert answers[503].headers["Cache-Control"] == "no-store"
    assert answers[405].headers["Allow"] == "OPTIONS, POST"


async def test_redirects_and_unchanged_files_send_them(visit: Visit) -> None:
    client = (await visit()).client
    moved = await client.get("/index")
    to_log_in = await client.get("/notifications")
    path = asset_path("css/microblog.css")
    file = await client.get(path)
    unchanged = await client.get(path, headers={"If-None-Match": file.headers["ETag"]})
    assert [each.status_code for each in (moved, to_log_in, file, unchanged)] == [
        301,
        303,
        200,
        304,
    ]
    for answer in (moved, to_log_in, file, unchanged):
        assert missing(answer) == []
    assert "immutable" in file.headers["Cache-Control"]


async def test_pages_are_kept_by_no_shared_cache(visit: Visit, make_user: MakeUser) -> None:
    answer = await (await visit(await make_user())).get("/")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert "Cookie" in answer.headers["Vary"]


# --- Cookies -----------------------------------------------------------------------------------


async def cookies_of_a_visit(app: Quart, make_user: MakeUser) -> dict[str, Any]:
    """Log in, choose, and log out; return every cookie that was set on the way, by name."""
    await make_user()
    client = app.test_client()
    answers = [await client.get("/auth/login")]
    found = re.search(r'name="csrf_token" value="([^"]+)"', await answers[0].get_data(True))
    assert found
    token = {"csrf_token": found[1]}
    login = token | {"username": "mina", "password": PASSWORD, "remember_me": "y"}
    answers += [
        await client.post("/auth/login", form=login),
        await client.post("/settings/appearance", form=token | {"theme": "dark"}),
        await client.post("/settings/appearance", form=token | {"language": "ko"}),
        await client.post("/auth/logout", form=token),
        await client.post("/auth/login", form=token | {"username": "mina", "password": PASSWORD}),
    ]
    assert [answer.status_code for answer in answers] == [200, 303, 303, 303, 303, 303]
    found_cookies: dict[str, Any] = {}
    for answer in answers:
        for line in answer.headers.getlist("Set-Cookie"):
            for name, morsel in SimpleCookie(line).items():
                found_cookies.setdefault(name, []).append(morsel)
    return found_cookies


async def test_cookies_are_kept_from_scripts_and_other_sites(
    app: Quart, make_user: MakeUser
) -> None:
    cookies = await cookies_of_a_visit(app, make_user)
    assert set(cookies) == {"form", "session", "theme", "language"}
    for name, morsels in cookies.items():
        for morsel in morsels:
            assert morsel["httponly"], name
            assert morsel["samesite"] == "Lax", name
            assert morsel["path"] == "/", name
            assert not morsel["domain"], name
            assert not morsel["secure"], name


async def test_on_https_cookies_are_secure_and_bound_to_this_host(
    settings: Settings, make_user: MakeUser
) -> None:
    settings = replace(settings, public_url="https://blog.example.org", mailer="console")
    app = create_app(settings)
    async with app.test_app():
        cookies = await cookies_of_a_visit(app, make_user)
        answer = await app.test_client().get("/nowhere")
    assert {"__Host-form", "__Host-session", "__Host-device"} <= set(cookies)
    for name, morsels in cookies.items():
        for morsel in morsels:
            assert morsel["secure"], name
            assert morsel["httponly"], name
            assert morsel["samesite"] == "Lax", name
            assert morsel["path"] == "/", name
            assert not morsel["domain"], name
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


async def test_plain_http_promises_no_https(visit: Visit) -> None:
    assert "Strict-Transport-Security" not in (await (await visit()).get("/")).headers
