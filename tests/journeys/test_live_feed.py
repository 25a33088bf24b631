"""Two people and what they see of one another, in Chromium, with servers that really die."""

import asyncio
import re
from collections.abc import Iterator

import pytest
from playwright.async_api import Page, expect

from tests.conftest import require
from tests.journeys.browsing import Person, chromium, person
from tests.services import AppServer, Postgres, Redis

AT_ONCE_MS = 1000
UNREAD = re.compile(r"^\(\d")
TWO_UNREAD = re.compile(r"^\(2\)")
SECRET = "journey" * 8


@pytest.fixture
def one_process() -> Iterator[AppServer]:
    """The product as a newcomer starts it: one process on SQLite."""
    require("chromium")
    with AppServer({"MICROBLOG_BCRYPT_ROUNDS": "4"}) as server:
        yield server


@pytest.fixture
def shared(postgres_server: Postgres, migrated_postgres: str, own_redis: Redis) -> dict[str, str]:
    """The settings of servers that are one microblog."""
    require("chromium")
    return {
        "DATABASE_URL": postgres_server.create_database(migrated_postgres),
        "REDIS_URL": own_redis.url,
        "SECRET_KEY": SECRET,
        "MICROBLOG_BCRYPT_ROUNDS": "4",
    }


async def reading(page: Page) -> list[str]:
    """Return the texts of the posts on a page, newest first."""
    return [text.strip() for text in await page.locator(".feed-item .post-body").all_inner_texts()]


async def two_people_meet(mina: Person, jun: Person) -> None:
    """Let both sign up, Jun watch everything, and Mina write: Jun sees it come and go."""
    await mina.sign_up("mina")
    await jun.sign_up("jun")
    await jun.go("/explore")
    await jun.is_live()
    await mina.write("Good morning 서울")
    await expect(jun.post("Good morning 서울")).to_have_count(1, timeout=AT_ONCE_MS)
    await mina.write("A typo")
    await expect(jun.post("A typo")).to_have_count(1, timeout=AT_ONCE_MS)
    await mina.post("A typo").locator("summary").click()
    await mina.post("A typo").locator("[data-delete]").click()
    await expect(jun.post("A typo")).to_have_count(0, timeout=AT_ONCE_MS)
    await expect(mina.post("A typo")).to_have_count(0, timeout=AT_ONCE_MS)


async def test_post_appears_and_goes_at_the_other_ones_at_once(one_process: AppServer) -> None:
    async with (
        chromium() as browser,
        person(browser, one_process.url) as mina,
        person(browser, one_process.url) as jun,
    ):
        await two_people_meet(mina, jun)
        assert await reading(mina.page) == ["Good morning 서울"]


async def test_post_that_was_missed_while_the_server_was_dead_appears_once(
    one_process: AppServer,
) -> None:
    async with (
        chromium() as browser,
        person(browser, one_process.url) as mina,
        person(browser, one_process.url) as jun,
    ):
        await two_people_meet(mina, jun)
        await jun.context.set_offline(True)
        await asyncio.to_thread(one_process.kill)
        await asyncio.to_thread(one_process.restart)
        await mina.go("/")
        await mina.write("Written while Jun was away")
        await jun.context.set_offline(False)
        await expect(jun.post("Written while Jun was away")).to_have_count(1, timeout=15_000)
        await jun.is_live()
        await mina.write("And another")
        await expect(jun.post("And another")).to_have_count(1, timeout=AT_ONCE_MS)
        assert await reading(jun.page) == [
            "And another",
            "Written while Jun was away",
            "Good morning 서울",
        ]


async def test_page_comes_back_by_itself_after_the_server_died(one_process: AppServer) -> None:
    async with (
        chromium() as browser,
        person(browser, one_process.url) as mina,
        person(browser, one_process.url) as jun,
    ):
        await two_people_meet(mina, jun)
        await asyncio.to_thread(one_process.kill)
        await asyncio.to_thread(one_process.restart)
        await mina.go("/")
        await mina.write("Back again")
        await expect(jun.post("Back again")).to_have_count(1, timeout=40_000)


async def test_two_servers_on_one_database_and_one_redis_are_one_microblog(
    shared: dict[str, str], own_redis: Redis
) -> None:
    with AppServer(shared) as one, AppServer(shared) as other:
        async with (
            chromium() as browser,
            person(browser, one.url) as mina,
            person(browser, other.url) as jun,
        ):
            await two_people_meet(mina, jun)
            await asyncio.to_thread(own_redis.kill)
            await mina.write("Without Redis")
            await expect(jun.post("Without Redis")).to_have_count(1, timeout=2 * AT_ONCE_MS)
            await asyncio.to_thread(own_redis.restart)
            await mina.write("With Redis again")
            await expect(jun.post("With Redis again")).to_have_count(1, timeout=2 * AT_ONCE_MS)
            assert await reading(jun.page) == [
                "With Redis again",
                "Without Redis",
                "Good morning 서울",
            ]


async def test_reader_who_scrolled_down_is_not_moved_and_finds_the_new_under_a_pill(
    one_process: AppServer,
) -> None:
    async with (
        chromium() as browser,
        person(browser, one_process.url) as mina,
        person(browser, one_process.url, viewport={"width": 390, "height": 500}) as jun,
    ):
        await mina.sign_up("mina")
        for number in range(12):
            await mina.write(f"Post number {number}")
        await jun.go("/explore")
        await jun.is_live()
        target = jun.post("Post number 3")
        await target.scroll_into_view_if_needed()
        before = await target.bounding_box()
        for number in range(3):
            await mina.write(f"New post {number}")
        await expect(jun.page.locator("#new-posts")).to_contain_text("3", timeout=AT_ONCE_MS)
        after = await target.bounding_box()
        assert before is not None
        assert after is not None
        assert abs(before["y"] - after["y"]) <= 1
        await jun.page.click("#new-posts")
        await expect(jun.post("New post")).to_have_count(3)


async def test_badge_of_every_tab_counts_and_is_cleared_together(one_process: AppServer) -> None:
    async with (
        chromium() as browser,
        person(browser, one_process.url) as mina,
        person(browser, one_process.url) as jun,
    ):
        await mina.sign_up("mina")
        await jun.sign_up("jun")
        tab = await jun.context.new_page()
        await tab.goto(f"{one_process.url}/explore")
        await jun.is_live()
        await mina.write("Hello @jun, are you there?")
        await mina.go("/user/jun")
        await mina.page.click("[formaction='/follow/jun']")
        for page in (jun.page, tab):
            await expect(page).to_have_title(TWO_UNREAD)
        await jun.go("/notifications?only=jobs")  # where nothing is read by being seen
        await jun.page.click("[data-read-all]")
        for page in (jun.page, tab):
            await expect(page).not_to_have_title(UNREAD)


async def test_double_click_makes_one_post(one_process: AppServer) -> None:
    async with chromium() as browser, person(browser, one_process.url) as mina:
        await mina.sign_up("mina")
        await mina.page.fill("[name=post]", "Only once")
        await mina.page.dblclick("#compose-form button[type=submit]")
        await expect(mina.post("Only once")).to_have_count(1)
        await mina.go("/")
        await expect(mina.post("Only once")).to_have_count(1)


async def test_everything_but_liveness_works_without_javascript(one_process: AppServer) -> None:
    async with (
        chromium() as browser,
        person(browser, one_process.url, java_script_enabled=False) as mina,
        person(browser, one_process.url, java_script_enabled=False, locale="ko-KR") as jun,
    ):
        await mina.sign_up("mina")
        await jun.sign_up("jun")
        await mina.write("Plain as it is")
        await jun.go("/user/mina")
        await jun.page.click("[formaction='/follow/mina']")
        await expect(jun.page.locator("[data-count=follower_count]").first).to_have_text("1")
        await jun.go("/")
        await expect(jun.post("Plain as it is")).to_have_count(1)
        await mina.go("/")
        await mina.post("Plain as it is").locator("summary").click()
        await mina.page.click("[data-delete]")
        await expect(mina.post("Plain as it is")).to_have_count(0)
        await jun.go("/")
        await expect(jun.post("Plain as it is")).to_have_count(0)
