"""The language of a post: guessed at writing, unless its author says it."""

import re

import pytest
from sqlalchemy import select

from microblog.core.languages import CODES
from microblog.database import Database
from microblog.models import Post
from tests.conftest import both_databases
from tests.people import MakeUser, Visit

JSON = {"Accept": "application/json"}


async def languages(database: Database) -> list[str | None]:
    """Return the languages of all posts, oldest first."""
    async with database.read() as read:
        return list(await read.scalars(select(Post.language).order_by(Post.id)))


@both_databases
async def test_language_is_guessed_and_marks_the_text(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    browser = await visit(await make_user())
    for text in ("안녕하세요 여러분", "See you at the library", "lol"):
        await browser.post("/posts", {"post": text, "language": ""})
    assert await languages(database) == ["ko", "en", None]
    page = await browser.text("/")
    assert '<div class="post-body" dir="auto" lang="ko"><p>안녕하세요 여러분' in page
    assert '<div class="post-body" dir="auto" lang="en"><p>See you' in page
    assert '<div class="post-body" dir="auto"><p>lol' in page


async def test_author_says_otherwise(visit: Visit, make_user: MakeUser, database: Database) -> None:
    browser = await visit(await make_user())
    await browser.post("/posts", {"post": "Gift", "language": "de"})
    answer = await browser.post("/posts", {"post": "See you", "language": "nn-NO"}, headers=JSON)
    assert 'lang="nb"' in (await answer.get_json())["html"]
    assert await languages(database) == ["de", "nb"]


@pytest.mark.parametrize("code", ["xx", "english", "en\0", "<b>", "x" * 3000])
async def test_unknown_language_is_refused_and_what_was_typed_is_kept(
    visit: Visit, make_user: MakeUser, database: Database, code: str
) -> None:
    browser = await visit(await make_user())
    answer = await browser.post("/posts", {"post": "Gift", "language": code})
    page = await answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert "This language is not known here." in page
    assert ">\nGift</textarea>" in page
    again = await browser.post("/posts", {"post": "Gift", "language": code}, headers=JSON)
    assert again.status_code == 422
    assert "language" in (await again.get_json())["errors"]
    assert await languages(database) == []


async def test_chooser_offers_every_language_in_the_reader_s_own(
    visit: Visit, make_user: MakeUser
) -> None:
    page = await (await visit(await make_user(language="ko"))).text("/")
    offered = re.findall(r'<option value="(\w*)">([^<]+)</option>', page)
    assert [code for code, _ in offered[:3]] == ["", "en", "ko"]
    assert sorted(code for code, _ in offered[1:]) == sorted(CODES)
    assert dict(offered)["de"] == "독일어"


async def test_choice_stays_on_a_form_that_is_shown_again(
    visit: Visit, make_user: MakeUser
) -> None:
    browser = await visit(await make_user())
    answer = await browser.post("/posts", {"post": "x" * 501, "language": "de"})
    page = await answer.get_data(as_text=True)
    assert re.findall(r'<option value="(\w*)" selected>', page) == ["de"]


async def test_language_is_guessed_for_each_author_by_what_they_read(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    for name, code in (("mina", "ko"), ("bora", "en")):
        browser = await visit(await make_user(name, language=code))
        await browser.post("/posts", {"post": "Rain over Seoul"})
    assert await languages(database) == [None, "en"]


async def test_text_that_is_far_too_long_is_refused_as_such(
    visit: Visit, make_user: MakeUser
) -> None:
    browser = await visit(await make_user())
    answer = await browser.post("/posts", {"post": "`a" * 20_000})
    assert answer.status_code == 400
    assert "far too long" in await answer.get_data(as_text=True)
