"""Suggestions while somebody types: who and what comes first, and what costs."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import Engine, event, update

from microblog.actions import accounts, follows
from microblog.database import Database
from microblog.models import User
from microblog.queries import suggestions
from microblog.queries.search import Asked
from tests.conftest import all_databases
from tests.people import Browser, MakePost, MakeUser, Visit
from tests.search import index

NAMES = {"minho": "", "minsu": "김민수", "kim": "Minwoo 김", "bora": "한 민지", "june": "june"}
NOW = datetime.now(UTC)


async def suggested(browser: Browser, kind: str, q: str) -> list[str]:
    answer = await browser.get(f"/suggest/{kind}?q={quote(q)}")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "private, max-age=30"
    return [item["value"] for item in (await answer.get_json())["items"]]


@pytest.fixture
async def people(database: Database, make_user: MakeUser) -> dict[str, User]:
    """Mina follows Minsu; June follows Kim and Minho, whom Bora follows too."""
    made = {name: await make_user(name) for name in ("mina", *NAMES)}
    async with database.write() as tx:
        for name, shown in NAMES.items():
            user = await tx.get(User, made[name].id)
            assert user is not None
            await accounts.edit_profile(tx, user, display_name=shown, about_me="mint")
    pairs = ("mina", "minsu"), ("june", "kim"), ("june", "minho"), ("bora", "minho")
    for follower, followed in pairs:
        async with database.write() as tx:
            await follows.follow(tx, made[follower], made[followed], NOW)
    await index(database)
    return made


@all_databases
async def test_whom_one_follows_comes_first_then_whom_most_follow(
    people: dict[str, User], visit: Visit
) -> None:
    browser = await visit(people["mina"])
    assert await suggested(browser, "people", "min") == ["@minsu", "@minho", "@kim"]
    assert await suggested(browser, "people", "MIN") == ["@minsu", "@minho", "@kim"]
    assert await suggested(await visit(), "people", "min") == ["@minho", "@kim", "@minsu", "@mina"]
    # Korean names: by the family's, by the given one, by a later word.
    assert await suggested(browser, "people", "김") == ["@minsu", "@kim"]
    assert await suggested(browser, "people", "김민") == ["@minsu"]
    assert await suggested(browser, "people", "민수") == ["@minsu"]
    assert await suggested(browser, "people", "민") == ["@bora", "@minsu"]
    for nothing in ("", " ", "mint", "%", "_", "m_n", "x" * 500, "\0"):
        assert await suggested(browser, "people", nothing) == []


@all_databases
async def test_hashtags_of_most_of_the_newest_posts_come_first(
    people: dict[str, User], make_post: MakePost, visit: Visit, database: Database
) -> None:
    mina = people["mina"]
    for text in (
        "#서울 #rain",
        "#서울맛집",
        "#서울맛집 비",
        "서울 #비 #Rainbow",
        "#rainbow #a_rain",
    ):
        await make_post(mina, text)
    browser = await visit(mina)
    for _ in range(2):  # found before the index knows them, and after
        assert await suggested(browser, "tags", "서") == ["#서울맛집", "#서울"]
        assert await suggested(browser, "tags", "Rain") == ["#rainbow", "#rain"]
        await index(database)
    for nothing in ("", "울", "%", "x" * 500, "#", "\0"):
        assert await suggested(browser, "tags", nothing) == []


async def test_who_has_left_is_not_suggested(
    people: dict[str, User], visit: Visit, database: Database
) -> None:
    async with database.write() as tx:
        gone = [people[name].id for name in ("minsu", "minho")]
        await tx.execute(update(User).where(User.id.in_(gone)).values(deactivated_at=NOW))
    assert await suggested(await visit(people["mina"]), "people", "min") == ["@kim"]


async def test_suggestions_take_three_statements_whatever_there_is(
    people: dict[str, User], make_user: MakeUser, database: Database
) -> None:
    asked: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    for hundred in (100, 200):
        async with database.read() as read:
            event.listen(Engine, "before_cursor_execute", note)
            found = await suggestions.people(read, "min", Asked(people["mina"].id, 30))
            event.remove(Engine, "before_cursor_execute", note)
        assert len([each for each in asked if each.startswith("SELECT")]) == 3
        assert len(found) == 3 + (hundred - 100) // 5
        asked.clear()
        for number in range(20):
            await make_user(f"minji{hundred + number}")
        await index(database)
