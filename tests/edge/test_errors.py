"""What went wrong, told as it was asked for, and never more than one should know."""

import asyncio
import json
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest
import structlog.testing
from quart import Quart
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from microblog.core.errors import Forbidden, TooManyTries, Unavailable
from microblog.database import Database
from microblog.models import Post
from microblog.queries import access
from microblog.settings import Settings
from tests.people import Browser, MakeUser, Visit

JSON = {"Accept": "application/json"}
REASONS: dict[int, Any] = {
    403: Forbidden(),
    429: TooManyTries(17),
    503: Unavailable(2),
    500: RuntimeError("a secret in a message"),
}


async def answers(browser: Browser, accept: dict[str, str]) -> dict[int, Any]:
    """Ask for what goes wrong in each way."""
    client = browser.client
    large = {"post": "x" * 300_000}
    return {
        400: await client.get("/?before=x", headers=accept),
        404: await client.get("/nowhere", headers=accept),
        405: await client.get("/posts", headers=accept),
        413: await client.post("/posts", form=large, headers=accept),
    }


@pytest.mark.parametrize("who", ["stranger", "member"])
async def test_error_is_a_page_for_people(visit: Visit, make_user: MakeUser, who: str) -> None:
    browser = await visit(await make_user() if who == "member" else None)
    for status, answer in (await answers(browser, {"Accept": "text/html,*/*;q=0.8"})).items():
        page = await answer.get_data(as_text=True)
        assert answer.status_code == status
        assert answer.mimetype == "text/html"
        assert f">{status}<" in page
        assert ("Log out" in page) is (who == "member")


async def test_error_is_a_problem_for_programs(visit: Visit) -> None:
    for status, answer in (await answers(await visit(), JSON)).items():
        body = json.loads(await answer.get_data())
        told = 422 if status == 400 else status
        assert answer.status_code == body["status"] == told
        assert answer.content_type == "application/problem+json"
        assert body["detail"]
        assert body["title"]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, "text/html"),
        ("*/*", "text/html"),
        ("text/html", "text/html"),
        ("application/json", "application/problem+json"),
        ("application/json,text/html;q=0.5", "application/problem+json"),
        ("text/html,application/json;q=0.9", "text/html"),
        ("application/json;q=0.1,text/html;q=0.1", "text/html"),
        ("image/png", "text/html"),
        ("nonsense;;", "text/html"),
    ],
)
async def test_form_of_an_error_is_the_one_that_was_asked_for(
    visit: Visit, accept: str | None, kind: str
) -> None:
    headers = {} if accept is None else {"Accept": accept}
    answer = await (await visit()).get("/nowhere", headers=headers)
    assert answer.status_code == 404
    assert answer.mimetype == kind


@pytest.mark.parametrize("accept", [{}, JSON], ids=["page", "json"])
@pytest.mark.parametrize("status", REASONS)
async def test_error_within_a_page_has_its_status_and_tells_no_secret(
    app: Quart, visit: Visit, status: int, accept: dict[str, str]
) -> None:
    async def broken() -> str:
        raise REASONS[status]

    app.view_functions["timelines.explore"] = broken
    answer = await (await visit()).get("/explore", headers=accept)
    body = await answer.get_data(as_text=True)
    assert answer.status_code == status
    for word in ("Traceback", "RuntimeError", "a secret", ".py", "sqlalchemy"):
        assert word not in body
    waiting = {429: "17", 503: "2"}.get(status)
    assert answer.headers.get("Retry-After") == waiting
    if status == 429:
        assert "17" in body


async def test_fault_of_ours_has_a_number_that_the_log_has_too(app: Quart, visit: Visit) -> None:
    async def broken() -> str:
        raise RuntimeError("by intent")

    app.view_functions["timelines.explore"] = broken
    with structlog.testing.capture_logs() as logged:
        answer = await (await visit()).get("/explore")
    number = answer.headers["X-Request-ID"]
    found = re.search(r"<code>(\w+)</code>", await answer.get_data(as_text=True))
    assert found
    assert found[1] == number
    (fault,) = (entry for entry in logged if entry["event"] == "request.failed")
    assert fault["request_id"] == number
    assert str(fault["exc_info"]) == "by intent"


async def test_page_that_fails_while_it_tells_of_a_failure_is_still_an_answer(
    app: Quart, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The layout of an error page finds out who reads, which may fail for the same reason."""

    async def broken(*_: object) -> None:
        raise OperationalError("SELECT secret", {}, sqlite3.OperationalError("no such table"))

    monkeypatch.setattr(access, "session", broken)
    browser = await visit()
    (cookie,) = app.extensions["QUART_AUTH"]
    browser.client.set_cookie("localhost", "session", cookie.dump_token("x", app=app))
    large = {"post": "x" * 300_000}
    for answer, status in (
        (await browser.get("/explore"), 500),
        (await browser.client.post("/posts", form=large), 413),
    ):
        assert answer.status_code == status
        assert "no such table" not in await answer.get_data(as_text=True)
        assert "X-Request-ID" in answer.headers


# --- The database is locked --------------------------------------------------------------------


@asynccontextmanager
async def locked(settings: Settings) -> AsyncIterator[None]:
    """Hold the lock of writers. Waits in a thread, for our own pruning may hold it just then."""
    path = settings.data_dir / "microblog.db"
    other = sqlite3.connect(path, timeout=60, check_same_thread=False)
    with closing(other):
        await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
        yield
        other.rollback()


@pytest.mark.parametrize("accept", [{}, JSON], ids=["page", "json"])
async def test_locked_database_costs_no_text_and_the_retry_makes_one_post(
    visit: Visit,
    make_user: MakeUser,
    database: Database,
    settings: Settings,
    accept: dict[str, str],
) -> None:
    mina = await make_user()
    browser = await visit(mina)
    text = "Typed with care </textarea>"
    form = {"csrf_token": await browser.token(), "idempotency_key": "k1", "post": text}
    async with locked(settings):
        answer = await browser.client.post("/posts", form=form, headers=accept)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        body = await answer.get_data(as_text=True)
        if not accept:
            assert "Typed with care &lt;/textarea&gt;</textarea>" in body
            assert "Your text is not lost" in body
        assert "locked" not in body
        assert (await browser.get("/")).status_code == 200, "reading goes on"
    for _ in range(2):
        again = await browser.client.post("/posts", form=form, headers=accept)
        assert again.status_code == (201 if accept else 303)
    async with database.read() as read:
        assert await read.scalar(select(func.count()).select_from(Post)) == 1


async def test_other_writings_are_kept_too(
    visit: Visit, make_user: MakeUser, settings: Settings
) -> None:
    browser = await visit(await make_user())
    token = await browser.token()
    writings = {"/edit_profile": "about_me", "/auth/login": "draft"}
    async with locked(settings):
        answers = await asyncio.gather(
            *(
                browser.client.post(path, form={"csrf_token": token, name: "Long & dear"})
                for path, name in writings.items()
            )
        )
    for answer in answers:
        assert answer.status_code == 503
        assert "Long &amp; dear" in await answer.get_data(as_text=True)
