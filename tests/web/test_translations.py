"""“Translate”: offered where a post is in another language than its reader's."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select, update

from microblog import create_app
from microblog.actions import posts
from microblog.database import Database
from microblog.models import Post, Translation, User
from microblog.settings import Settings
from tests.api.programs import Program
from tests.conftest import all_databases, each_service
from tests.fake_translator import (
    FakeTranslator,
)
from tests.people import MakePost, MakeUser, Visit, access_token

JSON = {"Accept": "application/json"}
BUTTON = "data-translate>"


@pytest.fixture
def settings(settings: Settings, translation_service: FakeTranslator) -> Settings:
    return replace(settings, **translation_service.settings)


async def kept(database: Database) -> int:
    async with database.read() as read:
        return int(await read.scalar(select(func.count()).select_from(Translation)))


async def program(app: Any, database: Database, settings: Settings, user: User) -> Program:
    return Program(app, await access_token(database, settings, user))


# --- Where it is offered -------------------------------------------------------------------------


async def test_button_stands_where_the_post_is_not_in_the_reader_s_language(
    visit: Visit, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, bora = await make_user("mina", language="ko"), await make_user("bora", language="en")
    korean = await make_post(mina, "안녕하세요", language="ko")
    english, unknown = (
        await make_post(mina, "Good", language="en"),
        await make_post(mina, "lol", language=None),
    )
    for reader, foreign, words in (
        (bora, korean, "Translate from Korean"),
        (mina, english, "영어에서 번역"),
    ):
        page = await (await visit(reader)).text("/explore")
        assert page.count(BUTTON) == 1
        assert f'value="{foreign.id}" {BUTTON}{words}</button>' in page
        assert f'value="{unknown.id}"' not in page


async def test_no_button_and_no_translation_without_a_service(
    settings: Settings, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, bora = await make_user("mina"), await make_user("bora")
    post = await make_post(mina, "안녕하세요", language="ko")
    app = create_app(replace(settings, translator="none"))
    async with app.test_app():
        browser = await Visit(app, database)(bora)
        page = await browser.text("/explore")
        assert "안녕하세요" in page
        assert "ranslat" not in page.replace('href="#translate"', "").replace("#translate", "")
        answer = await browser.post("/translate", {"post_id": str(post.id)})
        assert answer.status_code == 404
        asked = await program(app, database, settings, bora)
        told = await asked.problem(
            "POST", f"/api/posts/{post.id}/translation", 404, json={"to": "en"}
        )
        assert told["detail"] == "This place has no translation service."


# --- A translation -------------------------------------------------------------------------------


@each_service
async def test_translation_is_shown_with_its_links_and_asked_for_once(
    translation_service: FakeTranslator,
    visit: Visit,
    make_user: MakeUser,
    make_post: MakePost,
    database: Database,
) -> None:
    mina, bora = await make_user("mina"), await make_user("bora")
    text = "안녕 @bora <b> #서울 https://example.org/비\n`code`\n둘"
    post = await make_post(mina, text, language="ko")
    browser = await visit(bora)
    for _ in range(2):
        answer = await browser.post("/translate", {"post_id": str(post.id)}, headers=JSON)
        told = await answer.get_json()
        assert answer.status_code == 200
        assert told["text"] == "en: 안녕 @bora <b> #서울 https://example.org/비\n`code`\nen: 둘"
        assert (told["from"], told["to"], told["provider"]) == (
            "ko",
            "en",
            translation_service.service,
        )
        assert '<div class="post-body" dir="auto" lang="en"><p>en: 안녕 ' in told["html"]
        assert 'href="/user/bora"' in told["html"]
        assert "&lt;b&gt;" in told["html"]
        assert "Translated from Korean by" in told["html"]
    assert len(translation_service.asked) == 1
    assert await kept(database) == 1


async def test_translation_has_a_page_of_its_own_without_javascript(
    visit: Visit, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user("mina", language="ko")
    post = await make_post(mina, "Good morning", language="en")
    page = await (await visit(mina)).post("/translate", {"post_id": str(post.id)})
    shown = await page.get_data(as_text=True)
    assert page.status_code == 200
    assert "<p>ko: Good morning</p>" in shown
    assert "<p>Good morning</p>" in shown
    assert "영어에서 번역함 · DeepL" in shown


async def test_translator_links_nobody_whom_the_post_does_not_mention(
    translation_service: FakeTranslator, visit: Visit, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, _ = await make_user("mina"), await make_user("bora")
    post = await make_post(mina, "안녕하세요", language="ko")
    translation_service.mood = (
        b'{"translations": [{"text": "@bora <img src=x onerror=alert(1)>&lt;img&gt;"}]}'
    )
    answer = await (await visit(mina)).post("/translate", {"post_id": str(post.id)}, headers=JSON)
    html = (await answer.get_json())["html"]
    assert "<p>@bora &lt;img&gt;</p>" in html
    assert "onerror" not in html


async def test_program_gets_the_translation_as_it_is_documented(
    app: Any,
    translation_service: FakeTranslator,
    settings: Settings,
    database: Database,
    make_user: MakeUser,
    make_post: MakePost,
) -> None:
    mina = await make_user()
    asked = await program(app, database, settings, mina)
    post, unknown = (
        await make_post(mina, "안녕하세요", language="ko"),
        await make_post(mina, "lol", language=None),
    )
    path = f"/api/posts/{post.id}/translation"
    wanted = {"text": "en: 안녕하세요", "from": "ko", "to": "en", "provider": "deepl"}
    assert await asked.json("POST", path, json={"to": "en-GB"}) == wanted
    for _ in range(2):
        told = await asked.json("POST", f"/api/posts/{unknown.id}/translation", json={"to": "en"})
        assert told == wanted | {"text": "en: lol"}, "found out by the service"
    for body, field, words in (
        ({"to": "ko"}, "to", "in this language already"),
        ({"to": "xx"}, "to", "not known here"),
        ({"to": "sw"}, "to", "does not know this pair"),
        ({}, "to", "missing"),
        ({"to": "en", "text": "x"}, "text", "no such field"),
    ):
        refused = await asked.problem("POST", path, 422, json=body)
        assert words in refused["errors"][field][0]
    nothing = await make_post(mina, "https://example.org #서울", language="ko")
    await asked.problem("POST", f"/api/posts/{nothing.id}/translation", 422, json={"to": "en"})


# --- Who may not ---------------------------------------------------------------------------------


@all_databases
async def test_who_may_not_see_a_post_cannot_translate_it_though_it_was_translated_before(
    visit: Visit,
    make_user: MakeUser,
    make_post: MakePost,
    database: Database,
    translation_service: FakeTranslator,
) -> None:
    mina, bora = await make_user("mina"), await make_user("bora")
    post = await make_post(mina, "안녕하세요", language="ko")
    fields = {"post_id": str(post.id)}
    reader = await visit(bora)
    assert (await reader.post("/translate", fields)).status_code == 200
    async with database.write() as tx:
        await tx.execute(update(Post).values(visibility="followers"))
    assert (await reader.post("/translate", fields)).status_code == 404
    assert (await (await visit(mina)).post("/translate", fields)).status_code == 200
    async with database.write() as tx:
        await posts.delete_post(tx, mina, post.id, datetime.now(UTC))
    assert (await (await visit(mina)).post("/translate", fields)).status_code == 404
    assert await kept(database) == 0, "a deleted text leaves no translation"
    assert len(translation_service.asked) == 1


async def test_post_deleted_while_the_service_answers_leaves_nothing(
    visit: Visit,
    make_user: MakeUser,
    make_post: MakePost,
    database: Database,
    translation_service: FakeTranslator,
) -> None:
    mina = await make_user("mina")
    post = await make_post(mina, "안녕하세요", language="ko")
    browser = await visit(mina)
    translation_service.may_answer.clear()
    asking = asyncio.create_task(browser.post("/translate", {"post_id": str(post.id)}))
    await asyncio.to_thread(translation_service.arrived.wait, 20)
    async with database.write() as tx:  # so no transaction was open meanwhile
        await posts.delete_post(tx, mina, post.id, datetime.now(UTC))
    translation_service.may_answer.set()
    assert (await asking).status_code == 404
    assert await kept(database) == 0


async def test_stranger_is_led_to_the_log_in_and_a_forged_form_does_nothing(
    visit: Visit, make_user: MakeUser, make_post: MakePost, translation_service: FakeTranslator
) -> None:
    mina = await make_user()
    fields = {"post_id": str((await make_post(mina, "안녕하세요", language="ko")).id)}
    answer = await (await visit()).post("/translate", fields)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/login")
    assert (await (await visit()).post("/translate", fields, headers=JSON)).status_code == 401
    forged = await (await visit(mina)).client.post("/translate", form=fields)
    assert forged.status_code == 403
    assert translation_service.asked == []


@pytest.mark.parametrize("number", ["", "0", "-1", "x", "9" * 30, "1\0"])
async def test_number_that_no_post_has_is_not_found(
    visit: Visit, make_user: MakeUser, number: str
) -> None:
    answer = await (await visit(await make_user())).post("/translate", {"post_id": number})
    assert answer.status_code == 404
