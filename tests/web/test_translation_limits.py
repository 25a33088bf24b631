"""How much is translated for whom, what is kept, and what is said when the service fails."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from quart import Quart
from sqlalchemy import func, select

from microblog import create_app
from microblog.actions import retention
from microblog.core.errors import Unavailable
from microblog.database import Database
from microblog.edge import translations
from microblog.models import Translation
from microblog.runtime import EXTENSION
from microblog.settings import Settings
from tests.fake_translator import (
    BUSY,
    KEY,
    QUOTA,
    WRONG_KEY,
    FakeTranslator,
)
from tests.people import MakePost, MakeUser, Visit

JSON = {"Accept": "application/json"}


@pytest.fixture
def settings(settings: Settings, translation_service: FakeTranslator) -> Settings:
    return replace(settings, **translation_service.settings)


async def kept(database: Database) -> int:
    async with database.read() as read:
        return int(await read.scalar(select(func.count()).select_from(Translation)))


# --- Limits --------------------------------------------------------------------------------------


async def test_new_translations_are_limited_and_old_ones_are_not(
    settings: Settings,
    database: Database,
    make_user: MakeUser,
    make_post: MakePost,
    translation_service: FakeTranslator,
) -> None:
    mina, bora = await make_user("mina", language="en"), await make_user("bora")
    app = create_app(replace(settings, translations_per_hour=2))
    async with app.test_app():
        browser = await Visit(app, database)(mina)
        fields = [
            {"post_id": str((await make_post(mina, f"글 {n}", language="ko")).id)} for n in range(3)
        ]
        statuses = [(await browser.post("/translate", each)).status_code for each in fields]
        assert statuses == [200, 200, 429]
        refused = await browser.post("/translate", fields[2])
        assert 0 < int(refused.headers["Retry-After"]) <= 3600
        assert "too often" in await refused.get_data(as_text=True)
        assert (await browser.post("/translate", fields[0])).status_code == 200
        other = await Visit(app, database)(bora)
        assert (await other.post("/translate", fields[2])).status_code == 200
    assert len(translation_service.asked) == 3


async def test_only_so_many_translations_are_kept(
    settings: Settings, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user()
    for most in (2, 0):
        app = create_app(replace(settings, translations_kept=most))
        async with app.test_app():
            browser = await Visit(app, database)(mina)
            for number in range(4):
                post = await make_post(mina, f"글 {most} {number}", language="ko")
                answer = await browser.post("/translate", {"post_id": str(post.id)})
                assert answer.status_code == 200
                assert await kept(database) <= max(most, 0)
    async with database.read() as read:
        assert await read.scalar(select(func.count()).select_from(Translation)) == 0


async def test_text_that_is_too_long_is_not_sent(
    visit: Visit, make_user: MakeUser, make_post: MakePost, translation_service: FakeTranslator
) -> None:
    mina = await make_user()
    post = await make_post(
        mina, "가\u0301\u0302\u0303\u0304\u0305\u0306\u0307" * 450, language="ko"
    )
    answer = await (await visit(mina)).post("/translate", {"post_id": str(post.id)}, headers=JSON)
    assert answer.status_code == 422
    assert "too long to be translated" in str(await answer.get_json())
    assert translation_service.asked == []


async def test_many_lines_go_in_several_parcels(
    visit: Visit, make_user: MakeUser, make_post: MakePost, translation_service: FakeTranslator
) -> None:
    mina = await make_user()
    post = await make_post(mina, "\n".join(["가"] * 120), language="ko")
    answer = await (await visit(mina)).post("/translate", {"post_id": str(post.id)}, headers=JSON)
    assert (await answer.get_json())["text"] == "\n".join(["en: 가"] * 120)
    assert [len(asked["body"]["text"]) for asked in translation_service.asked] == [50, 50, 20]


async def test_all_who_ask_at_once_are_answered_by_one_request(
    app: Quart, translation_service: FakeTranslator
) -> None:
    asked = (("안녕",), "ko", "en")
    async with app.app_context():
        for _ in range(2):
            answers = await asyncio.gather(*(translations._asked_once(*asked) for _ in range(5)))
            assert {answer.lines for answer in answers} == {("en: 안녕",)}
        translation_service.mood = 500
        failed = (translations._asked_once(*asked) for _ in range(5))
        found = await asyncio.gather(*failed, return_exceptions=True)
    assert {type(one) for one in found} == {Unavailable}
    assert len(translation_service.asked) == 3
    assert app.extensions[EXTENSION].translating == {}


# --- When the service fails ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mood", "status", "english", "korean"),
    [
        (QUOTA, 503, "its quota is used up", "한도"),
        (BUSY, 503, "takes no more texts just now", "받지"),
        (WRONG_KEY, 502, "should look at the key", "인증 키"),
        (500, 503, "cannot be reached just now", "연결"),
        (b"nonsense", 502, "cannot be used", "쓸 수 없"),
    ],
)
async def test_failing_service_is_told_in_the_reader_s_language_and_breaks_nothing(
    translation_service: FakeTranslator,
    visit: Visit,
    make_user: MakeUser,
    make_post: MakePost,
    mood: Any,
    status: int,
    english: str,
    korean: str,
) -> None:
    translation_service.mood = mood
    mina, bora = await make_user("mina", language="ko"), await make_user("bora", language="en")
    for reader, words, language in ((bora, english, "ko"), (mina, korean, "en")):
        post = await make_post(mina, f"글 {language}", language=language)
        browser = await visit(reader)
        for headers in ({}, JSON):
            fields = {"post_id": str(post.id)}
            answer = await browser.post("/translate", fields, headers=headers)
            told = await answer.get_data(as_text=True)
            assert answer.status_code == status
            assert words in (json.loads(told)["detail"] if headers else told)
            assert KEY not in told
            assert ("Retry-After" in answer.headers) == (status == 503)
            if not headers:
                assert f"글 {language}" in told, "the page still has the original"
    translation_service.mood = None
    again = await (await visit(mina)).post("/translate", {"post_id": str(post.id)})
    assert again.status_code == 200


async def test_translations_are_forgotten_after_a_while(
    visit: Visit, make_user: MakeUser, make_post: MakePost, database: Database
) -> None:
    mina = await make_user()
    post = await make_post(mina, "안녕하세요", language="ko")
    await (await visit(mina)).post("/translate", {"post_id": str(post.id)})
    now = datetime.now(UTC)
    for later, left in ((timedelta(days=29), 1), (timedelta(days=31), 0)):
        async with database.write() as tx:
            await retention.prune(tx, now + later, keep_days=7, keep_events=100)
        assert await kept(database) == left
