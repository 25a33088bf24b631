"""The pages for administrators."""

from typing import Any

import pytest

from microblog.database import Database
from microblog.queries import users
from tests.conftest import both_databases
from tests.people import Browser, MakePost, MakeUser, Visit
from tests.web.browsing import log_in, viewer

PEOPLE, LOG = "/admin/people", "/admin/log"


async def judge(browser: Browser, name: str, how: str, reason: str = "Spam, forty times") -> Any:
    path = f"{PEOPLE}/{name}"
    return await browser.post(f"{path}/{how}", {"reason": reason})


@both_databases
async def test_administrator_suspends_and_restores(
    visit: Visit, make_user: MakeUser, make_post: MakePost
) -> None:
    boss, mina = await make_user("boss", role="admin"), await make_user("mina")
    await make_post(mina, "Buy this")
    admin, browser, stranger = await visit(boss), await visit(mina), await visit()
    assert f'href="{PEOPLE}/mina"' in await admin.text("/user/mina")
    assert f'href="{PEOPLE}/mina"' not in await browser.text("/user/boss")
    assert (await judge(admin, "mina", "suspend")).headers["Location"] == f"{PEOPLE}/mina"
    page = await admin.text(f"{PEOPLE}/mina")
    assert "@mina is suspended" in page
    assert "Restore @mina" in page
    assert "Spam, forty times" in page
    assert "@mina" in await admin.text(PEOPLE)
    assert "Buy this" not in await stranger.text("/explore")
    assert await viewer(browser) == ""
    assert (await log_in(browser)).status_code == 403
    assert (await judge(admin, "mina", "restore", "She explained it")).status_code == 303
    assert "Buy this" in await stranger.text("/explore")
    assert (await log_in(browser)).status_code == 303
    log = await admin.text(LOG)
    restored, suspended = log.index("@boss restored @mina"), log.index("@boss suspended @mina")
    assert restored < log.index("She explained it") < suspended < log.index("Spam, forty times")
    assert "Nobody is suspended" in await admin.text(PEOPLE)


async def test_pages_are_for_administrators_alone(visit: Visit, make_user: MakeUser) -> None:
    await make_user("jun")
    member, stranger = await visit(await make_user("mina")), await visit()
    for path in (PEOPLE, f"{PEOPLE}/jun", f"{PEOPLE}/nobody", LOG, "/admin/server"):
        answer = await member.get(path)
        assert answer.status_code == 403
        assert "This is for administrators." in await answer.get_data(as_text=True)
        assert (await stranger.get(path)).headers["Location"] == f"/auth/login?next={path}"
    for how in ("suspend", "restore"):
        assert (await judge(member, "jun", how)).status_code == 403
        assert (await judge(member, "nobody", how)).status_code == 403


@pytest.mark.parametrize("reason", ["", " \u200b ", "x" * 501])
async def test_reason_is_asked_for_and_stays_typed(
    reason: str, visit: Visit, make_user: MakeUser, database: Database
) -> None:
    await make_user("mina")
    admin = await visit(await make_user("boss", role="admin"))
    answer = await judge(admin, "mina", "suspend", reason)
    assert answer.status_code == 400
    assert reason in await answer.get_data(as_text=True)
    async with database.read() as read:
        await users.by_username(read, "mina")


async def test_what_cannot_be_done_is_told(visit: Visit, make_user: MakeUser) -> None:
    await make_user("mina")
    admin = await visit(await make_user("boss", role="admin"))
    for name, how, status, told in (
        ("boss", "suspend", 409, "You cannot suspend yourself."),
        ("mina", "restore", 409, "This person is not suspended."),
        ("nobody", "suspend", 404, ""),
    ):
        answer = await judge(admin, name, how)
        assert answer.status_code == status
        assert told in await answer.get_data(as_text=True)
    await judge(admin, "mina", "suspend")
    assert (await judge(admin, "mina", "suspend")).status_code == 409


async def test_people_are_found_by_the_beginning_of_their_names(
    visit: Visit, make_user: MakeUser
) -> None:
    for name in ("mina", "minho", "jun", "m_na"):
        await make_user(name)
    admin = await visit(await make_user("boss", role="admin"))
    page = await admin.text(f"{PEOPLE}?q=@MIN")
    assert ["@mina" in page, "@minho" in page, "@jun" in page] == [True, True, False]
    assert "@mina" not in await admin.text(f"{PEOPLE}?q=m_")
    assert (await admin.get(f"{PEOPLE}?q=%00")).status_code == 200
    assert "begins so" in await admin.text(f"{PEOPLE}?q=nobody")
