"""Leaving from the settings page: for a while, with the way back, or for good."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from microblog.actions import addresses, departures, follows, retention
from microblog.core.leaving import RETURN_DAYS
from microblog.database import Database
from microblog.models import User
from tests.conftest import both_databases
from tests.people import PASSWORD, Browser, MakePost, MakeUser, Visit
from tests.web.browsing import log_in, viewer

DEACTIVATE, DELETE = "/settings/deactivate", "/settings/delete"
WELCOME = "Your profile and your posts can be seen again"


async def leave(browser: Browser, path: str, password: str = PASSWORD) -> Any:
    return await browser.post(path, {"password": password}, page=path)


async def row(database: Database, user: User) -> User:
    async with database.read() as read:
        found: User = await read.scalar(select(User).where(User.id == user.id))
    return found


async def hides(reader: Browser, paths: dict[str, str]) -> None:
    """Check that what stands on pages is gone from them, and that pages of it are not there."""
    for path, text in paths.items():
        answer = await reader.get(path)
        assert text not in await answer.get_data(as_text=True), path
        assert answer.status_code == (404 if path.startswith(("/user/mina", "/post/")) else 200)


@both_databases
async def test_deactivated_person_is_gone_everywhere_and_comes_back_by_logging_in(
    visit: Visit, make_user: MakeUser, make_post: MakePost, database: Database
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    post = await make_post(mina, "Rain over #seoul, @jun")
    answer = await make_post(jun, "Which rain?", reply_to=post.id)
    async with database.write() as tx:
        await follows.follow(tx, jun, mina, datetime.now(UTC))
    reader, browser = await visit(jun), await visit(mina)
    shown = {
        "/": "Rain over",
        "/explore": "Rain over",
        "/user/mina": "Rain over",
        f"/post/{post.id}": "Rain over",
        "/tag/seoul": "Rain over",
        "/notifications": "Rain over",
        "/user/jun/following": "@mina",
        "/search?q=Rain": f"post-{post.id}",
    }
    for path, text in shown.items():
        assert text in await reader.text(path), path
    told = await leave(browser, DEACTIVATE)
    assert told.headers["Location"] == "/auth/login"
    assert f"Log in within {RETURN_DAYS} days" in await browser.text("/auth/login")
    assert await viewer(browser) == ""
    await hides(reader, shown)
    assert "Which rain?" in await reader.text(f"/post/{answer.id}")
    assert (await log_in(browser)).status_code == 303
    assert WELCOME in await browser.text("/")
    for path, text in shown.items():
        assert text in await reader.text(path), path
    assert (await row(database, mina)).left_because is None


@pytest.mark.parametrize("path", [DEACTIVATE, DELETE])
async def test_nobody_leaves_with_a_wrong_password(
    path: str, visit: Visit, make_user: MakeUser, database: Database
) -> None:
    mina = await make_user("mina")
    browser = await visit(mina)
    answer = await leave(browser, path, "a wrong password")
    assert answer.status_code == 400
    assert "That is not your password." in await answer.get_data(as_text=True)
    assert (await row(database, mina)).deactivated_at is None
    assert await viewer(browser) == str(mina.id)


@pytest.mark.parametrize("path", [DEACTIVATE, DELETE])
async def test_last_administrator_stays(
    path: str, visit: Visit, make_user: MakeUser, database: Database
) -> None:
    boss, second = [await make_user(name, role="admin") for name in ("boss", "second")]
    assert (await leave(await visit(second), path)).status_code == 303
    answer = await leave(await visit(boss), path)
    assert answer.status_code == 409
    assert "no other administrator" in await answer.get_data(as_text=True)
    assert (await row(database, boss)).deactivated_at is None


@both_databases
async def test_who_does_not_come_back_in_time_is_deleted(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    for person in (mina, jun):
        await leave(await visit(person), DEACTIVATE)
    late = datetime.now(UTC) - timedelta(days=RETURN_DAYS, seconds=1)
    async with database.write() as tx:
        await tx.execute(update(User).where(User.id == mina.id).values(deactivated_at=late))
    assert (await log_in(await visit(), "mina")).status_code == 401
    async with database.write() as tx:
        await departures.let_go(tx, datetime.now(UTC))
        await retention.prune(tx, datetime.now(UTC), keep_days=7, keep_events=1000)
    assert (await row(database, mina)).left_because == "deleted"
    assert (await row(database, jun)).left_because == "self"
    assert (await log_in(await visit(), "mina")).status_code == 401
    assert (await log_in(await visit(), "jun")).status_code == 303


@both_databases
async def test_deleted_person_cannot_log_in_and_nobody_takes_the_name(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    mina = await make_user("mina")
    browser = await visit(mina)
    answer = await leave(browser, DELETE)
    assert answer.headers["Location"] == "/auth/login"
    assert "Your account is deleted" in await browser.text("/auth/login")
    for name in ("mina", "mina@example.org"):
        assert (await log_in(browser, name)).status_code == 401
    gone = await row(database, mina)
    assert (gone.email, gone.password_hash, gone.left_because) == ("", "", "deleted")
    fields = {"username": "Mina", "email": "mina@example.org"}
    fields |= {"password": PASSWORD, "password2": PASSWORD}
    refused = await browser.post("/auth/register", fields, page="/auth/register")
    assert refused.status_code == 400
    assert "taken" in await refused.get_data(as_text=True)


async def test_suspended_person_is_told_why_only_with_the_right_password(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    mina = await make_user("mina")
    before = await visit(mina)
    async with database.write() as tx:
        await departures.suspend(tx, None, mina, "Forty links to one shop", datetime.now(UTC))
    assert await viewer(before) == ""
    browser = await visit()
    answer = await log_in(browser)
    assert answer.status_code == 403
    assert "The reason: Forty links to one shop" in await answer.get_data(as_text=True)
    wrong = await log_in(browser, "mina", "a wrong password")
    assert wrong.status_code == 401
    assert "Forty links" not in await wrong.get_data(as_text=True)
    assert (await browser.get("/user/mina")).status_code == 404


@both_databases
async def test_address_that_somebody_else_proved_meanwhile_is_proved_no_longer(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    now = datetime.now(UTC)
    async with database.write() as tx:
        assert await addresses.prove(tx, mina, now)
        await departures.deactivate(tx, mina, now)
        assert await addresses.prove(tx, jun, now, email=mina.email)
    assert (await log_in(await visit())).status_code == 303
    assert (await row(database, mina)).email_confirmed_at is None
    assert (await row(database, jun)).email_confirmed_at is not None


async def test_names_and_pages_of_leaving_need_somebody_signed_in(visit: Visit) -> None:
    browser = await visit()
    for path in (DEACTIVATE, DELETE, "/settings/username", "/settings/password", "/settings"):
        assert (await browser.get(path)).headers["Location"] == f"/auth/login?next={path}"
