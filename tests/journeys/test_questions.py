"""Two people and a question, in Chromium, with a server that really dies in between."""

import asyncio
import re
from collections.abc import Iterator

import pytest
from playwright.async_api import Locator, Page, expect

from tests.conftest import require
from tests.journeys.browsing import Person, chromium, person
from tests.services import AppServer

AT_ONCE_MS = 2000
AWAY_MS = 40_000
TITLE = "Where is the best bread?"
THEIR_UNREAD = re.compile(r"^\(1\)")


@pytest.fixture
def one_process() -> Iterator[AppServer]:
    require("chromium")
    with AppServer({"MICROBLOG_BCRYPT_ROUNDS": "4"}) as server:
        yield server


async def ask(asker: Person, title: str) -> None:
    await asker.go("/main/question")
    await asker.page.fill("[name=title]", title)
    await asker.page.fill("[name=body]", "Near the harbour, and on Sundays")
    await asker.page.fill("[name=tags]", "bread 서울")
    await asker.page.click("main form button[type=submit]")
    await expect(asker.page.locator(".question-title")).to_have_text(title)


def answers(page: Page) -> Locator:
    return page.locator("#answers .post-body")


async def test_question_is_asked_answered_and_accepted_before_the_eyes_of_both(
    one_process: AppServer,
) -> None:
    async with (
        chromium() as browser,
        person(browser, one_process.url) as mina,
        person(browser, one_process.url) as jun,
    ):
        await mina.sign_up("mina")
        await jun.sign_up("jun")
        await jun.go("/questions")
        await jun.is_live()
        await mina.write("This is no question")
        await ask(mina, TITLE)
        await mina.is_live()
        await expect(jun.post(TITLE)).to_have_count(1, timeout=AT_ONCE_MS)
        await expect(jun.post("This is no question")).to_have_count(0)
        open_list = await jun.context.new_page()
        await open_list.goto(f"{one_process.url}/questions/open")
        await expect(open_list.locator("#live-mark")).to_have_attribute("data-state", "connected")

        await jun.page.click(".question-title a")
        await jun.is_live()
        for text in ("At Kim's", "At Lee's"):
            await jun.page.fill("[name=post]", text)
            await jun.page.click("#compose-form button[type=submit]")
            await expect(answers(mina.page).last).to_have_text(text, timeout=AT_ONCE_MS)
        await expect(answers(jun.page)).to_have_text(["At Kim's", "At Lee's"])
        for page in (mina.page, jun.page):
            await expect(page.locator("#answers-title")).to_have_text("2 answers")

        await mina.page.locator(".answer-take").last.click()
        await expect(answers(mina.page)).to_have_text(["At Lee's", "At Kim's"])
        await expect(answers(jun.page)).to_have_text(["At Lee's", "At Kim's"], timeout=AT_ONCE_MS)
        await expect(jun.page.locator(".answer-mark:visible")).to_have_count(1)
        await expect(jun.page.locator(".question-state")).to_have_text("Answered")
        await expect(open_list.locator(".feed-item")).to_have_count(0, timeout=AT_ONCE_MS)
        for page in (jun.page, open_list):
            await expect(page).to_have_title(THEIR_UNREAD)

        await asyncio.to_thread(one_process.kill)
        await jun.context.set_offline(True)
        await asyncio.to_thread(one_process.restart)
        await mina.go(mina.page.url.removeprefix(one_process.url))
        await mina.page.click(".answer-undo:visible")
        await expect(mina.page.locator(".question-state")).to_have_text("Open question")
        await mina.page.fill("[name=post]", "Thank you both")
        await mina.page.click("#compose-form button[type=submit]")
        await jun.context.set_offline(False)
        every = ["At Kim's", "At Lee's", "Thank you both"]
        await expect(answers(jun.page)).to_have_text(every, timeout=AWAY_MS)
        await expect(answers(mina.page)).to_have_text(every)
        await expect(jun.page.locator(".question-state")).to_have_text("Open question")
        await expect(jun.page.locator(".answer-mark:visible")).to_have_count(0)
        await expect(open_list.locator(".feed-item")).to_have_count(1, timeout=AWAY_MS)
        for page in (jun.page, open_list):
            await expect(page).not_to_have_title(re.compile(r"^\("))

        await mina.go("/main/question")
        await mina.page.locator("[name=title]").press_sequentially("the best bread")
        await expect(mina.page.locator("#similar a")).to_have_text(TITLE, timeout=AT_ONCE_MS)


async def test_questions_work_without_javascript(one_process: AppServer) -> None:
    async with (
        chromium() as browser,
        person(browser, one_process.url, java_script_enabled=False) as mina,
        person(browser, one_process.url, java_script_enabled=False) as jun,
    ):
        await mina.sign_up("mina")
        await jun.sign_up("jun")
        await ask(mina, TITLE)
        await jun.go("/questions/tag/bread")
        await jun.page.click(".question-title a")
        await jun.page.fill("[name=post]", "At Kim's")
        await jun.page.click("#compose-form button[type=submit]")
        await expect(answers(jun.page)).to_have_text(["At Kim's"])
        await mina.go("/questions/mine")
        await mina.page.click(".question-title a")
        await mina.page.click(".answer-take")
        await expect(mina.page.locator(".question-state")).to_have_text("Answered")
        await mina.page.click(".answer-undo")
        await expect(mina.page.locator(".question-state")).to_have_text("Open question")
