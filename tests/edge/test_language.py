"""Which language a reader is spoken to: their setting, their cookie, what the browser asks for."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update

from microblog.database import Database
from microblog.edge import language
from microblog.models import User
from tests.people import Browser, MakeUser, Visit

KOREAN = {"Accept-Language": "ko-KR,ko;q=0.9,en;q=0.5"}


async def spoken(answer: Any) -> str:
    """Return the language that a page says it is in."""
    found = re.search(r'<html lang="(\w+)"', await answer.get_data(as_text=True))
    assert found
    return found[1]


async def set_language(database: Database, language: str | None) -> None:
    async with database.write() as tx:
        await tx.execute(update(User).values(language=language))


async def speaks(browser: Browser, path: str = "/explore", **headers: str) -> str:
    return await spoken(await browser.get(path, headers=headers))


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("ko", "ko"),
        ("ko-KR", "ko"),
        ("KO", "ko"),
        ("en-GB,ko;q=0.5", "en"),
        ("en;q=0.3,ko;q=0.7", "ko"),
        ("fr,de", "en"),
        ("fr,ko;q=0.1", "ko"),
        ("*", "en"),
        ("", "en"),
        ("x" * 5000, "en"),
        (";;q=,,=%00", "en"),
        ("ko;q=0", "en"),
        ("ko;q=nonsense", "en"),
    ],
)
async def test_stranger_is_spoken_to_as_the_browser_asks(
    visit: Visit, asked: str, answered: str
) -> None:
    assert await speaks(await visit(), **{"Accept-Language": asked}) == answered


async def test_cookie_comes_before_the_browser_and_the_setting_before_both(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    mina = await make_user()
    stranger, browser = await visit(), await visit(mina)
    for client in (stranger.client, browser.client):
        client.set_cookie("localhost", "language", "en")
    assert await speaks(stranger, **KOREAN) == "en"
    assert await speaks(browser, **KOREAN) == "en"
    await set_language(database, "ko")
    assert await speaks(browser) == "ko"
    assert await speaks(stranger) == "en"
    await set_language(database, "fr")
    assert await speaks(browser) == "en", "French is not offered here"
    await set_language(database, None)
    assert await speaks(browser) == "en"


@pytest.mark.parametrize("value", ["fr", "", "../../etc", "KO", "x" * 3000])
async def test_cookie_that_names_no_language_of_ours_is_overlooked(
    visit: Visit, value: str
) -> None:
    browser = await visit()
    browser.client.set_cookie("localhost", "language", value)
    assert await speaks(browser, **KOREAN) == "ko"


async def test_stranger_chooses_language_and_appearance(visit: Visit) -> None:
    browser = await visit()
    form = {"language": "ko", "next": "/explore"}
    answer = await browser.post("/settings/appearance", form, headers={"Accept-Language": "en"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/explore")
    assert await speaks(browser) == "ko"
    await browser.post("/settings/appearance", {"theme": "dark"})
    page = await browser.text("/explore")
    assert 'lang="ko" data-bs-theme="dark"' in page
    await browser.post("/settings/appearance", {"theme": "system"})
    assert "data-bs-theme" not in await browser.text("/explore")


async def test_member_finds_the_choice_again_on_another_browser(
    visit: Visit, make_user: MakeUser
) -> None:
    mina = await make_user()
    browser, other = await visit(mina), await visit(mina)
    await browser.post("/settings/appearance", {"language": "ko"})
    await browser.post("/settings/appearance", {"theme": "light"})
    assert 'lang="ko" data-bs-theme="light"' in await other.text("/explore")
    await other.post("/settings/appearance", {"theme": "system"})
    assert "data-bs-theme" not in await browser.text("/explore")
    assert await speaks(browser) == "ko"


@pytest.mark.parametrize("value", ["fr", "", "KO", "en; Path=/x", "\r\nSet-Cookie: a=b", "\0"])
async def test_what_is_not_offered_is_not_kept(
    visit: Visit, make_user: MakeUser, value: str
) -> None:
    for browser in (await visit(), await visit(await make_user())):
        form = {"language": value, "theme": value}
        answer = await browser.post("/settings/appearance", form)
        assert answer.status_code == 303
        kept = [line.split(";")[0] for line in answer.headers.getlist("Set-Cookie")]
        assert [line for line in kept if not line.startswith("form=")] == ["theme=system"]
        assert await speaks(browser) == "en"


async def test_errors_speak_the_language_of_the_reader(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    mina = await make_user()
    await set_language(database, "ko")
    for path in ("/nowhere", "/explore?before=x", "/posts"):
        assert await spoken(await (await visit(mina)).get(path)) == "ko", path
        assert await spoken(await (await visit()).get(path, headers=KOREAN)) == "ko", path


async def test_who_signs_up_keeps_the_language_of_the_page(
    visit: Visit, database: Database
) -> None:
    browser = await visit()
    words = "a long enough sentence"
    form = {"username": "mina", "email": "m@example.org", "password": words, "password2": words}
    answer = await browser.post("/auth/register", form, headers=KOREAN)
    assert answer.status_code == 303
    assert await speaks(browser) == "ko"


@pytest.mark.parametrize(
    ("code", "written"),
    [("en", "March 4, 2026, 3:06:07\u202fPM UTC"), ("ko", "2026년 3월 4일 오후 3시 6분 7초 UTC")],
)
def test_time_is_written_as_people_write_it(code: str, written: str) -> None:
    with language.speaking(code):
        assert language.datetime_text(datetime(2026, 3, 4, 15, 6, 7, tzinfo=UTC)) == written


def test_number_is_written_as_the_language_does() -> None:
    found = {}
    for code in ("en", "ko", "de"):
        with language.speaking(code):
            found[code] = language.number_text(1_234_567)
    assert found == {"en": "1,234,567", "ko": "1,234,567", "de": "1.234.567"}
