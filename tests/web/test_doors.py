"""Where one is signed in: a new password, the list of sessions, and ending them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from microblog.actions import sessions, tokens
from microblog.database import Database
from microblog.queries import access
from microblog.runtime import EXTENSION
from tests.conftest import all_databases, both_databases
from tests.people import PASSWORD, Browser, MakeUser, Visit, access_token
from tests.web.browsing import log_in, viewer

PAGE, NEW = "/settings/password", "another long sentence"
SESSIONS = "/settings/sessions"
PHONE = "Mozilla/5.0 (iPhone; CPU like Mac OS X) Version/17.0 Mobile Safari/604.1"


async def change(browser: Browser, old: str, new: str = NEW, again: str | None = None) -> Any:
    form = {"old_password": old, "password": new, "password2": new if again is None else again}
    return await browser.post(PAGE, form, page=PAGE)


@all_databases
async def test_new_password_ends_everything_but_this_session(
    visit: Visit, make_user: MakeUser, database: Database, settings: Any
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    here, there, other = await visit(mina), await visit(mina), await visit(jun)
    await access_token(database, settings, mina)
    assert (await change(here, PASSWORD)).headers["Location"] == PAGE
    assert "Everywhere else you are logged out" in await here.text(PAGE)
    assert await viewer(here) == str(mina.id)
    assert await viewer(there) == ""
    assert await viewer(other) == str(jun.id)
    async with database.read() as read:
        assert await access.families_of(read, mina.id, datetime.now(UTC)) == []
    assert (await log_in(there)).status_code == 401
    assert (await log_in(there, "mina", NEW)).status_code == 303


async def test_new_password_needs_the_old_one_and_must_be_good(
    visit: Visit, make_user: MakeUser
) -> None:
    mina = await make_user("mina")
    browser, there = await visit(mina), await visit(mina)
    for old, new, again, told in (
        ("a wrong password", NEW, None, "That is not your password."),
        (PASSWORD, "short", None, "password"),
        (PASSWORD, NEW, "another", "The two passwords differ."),
        ("", NEW, None, "That is not your password."),
    ):
        answer = await change(browser, old, new, again)
        assert answer.status_code == 400
        assert told in await answer.get_data(as_text=True)
    assert await viewer(there) == str(mina.id)


async def test_old_password_can_be_guessed_only_so_often(visit: Visit, make_user: MakeUser) -> None:
    browser = await visit(await make_user("mina"))
    statuses = [(await change(browser, f"guess number {n}")).status_code for n in range(12)]
    assert statuses[0] == 400
    assert statuses[-1] == 429


@both_databases
async def test_sessions_are_listed_in_words_and_ended(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    now, life = datetime.now(UTC), timedelta(days=1)
    browser = await visit(mina)
    async with database.write() as tx:
        await sessions.open_session(tx, mina.id, now, life=life, remembered=False, device=PHONE)
        how: Any = {"life": life, "device": "reader/2.1"}
        mine = (await tokens.issue(tx, mina.id, now, **how)).family_id
        theirs = (await tokens.issue(tx, jun.id, now, **how)).family_id
    page = await browser.text(SESSIONS)
    assert page.count("This browser") == 1
    assert "Safari on iPhone" in page
    assert ">reader<" in page.replace("\n", "")
    async with database.read() as read:
        doors = await access.sessions_of(read, mina.id, now)
    phone = next(door.id for door in doors if door.device == PHONE)
    assert (await browser.post(f"{SESSIONS}/{phone}/revoke")).status_code == 303
    assert (await browser.post(f"{SESSIONS}/tokens/{mine}/revoke")).status_code == 303
    page = await browser.text(SESSIONS)
    assert "iPhone" not in page
    assert "No program is logged in" in page
    unknown = await browser.post(f"{SESSIONS}/999999/revoke")
    for path in (f"{SESSIONS}/tokens/{theirs}/revoke", f"{SESSIONS}/tokens/{mine}/revoke"):
        assert (await browser.post(path)).status_code == unknown.status_code == 404


async def test_everything_else_is_ended_at_once(visit: Visit, make_user: MakeUser) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    here, there, other = await visit(mina), await visit(mina), await visit(jun)
    assert (await here.post(f"{SESSIONS}/revoke_others")).status_code == 303
    assert [await viewer(one) for one in (here, there, other)] == [str(mina.id), "", str(jun.id)]
    assert "Log out everywhere else" not in await here.text(SESSIONS)


async def test_use_of_a_session_is_written_later_with_others(
    app: Any, visit: Visit, make_user: MakeUser, database: Database
) -> None:
    mina = await make_user("mina")
    browser, now = await visit(mina), datetime.now(UTC)
    async with database.write() as tx:
        (door,) = await access.sessions_of(tx, mina.id, now)
        await sessions.used(tx, {door.id}, now - timedelta(hours=2))
    presence = app.extensions[EXTENSION].presence
    await browser.text("/")
    assert presence.used == {door.id}
    await presence.write(database, now)
    async with database.read() as read:
        (door,) = await access.sessions_of(read, mina.id, now)
    assert door.used_at == now
    await browser.text("/")
    assert not presence.used
