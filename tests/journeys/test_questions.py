"""Two people and a question, in Chromium, with a server that really dies in between."""

import asyncio
import re
from collections.abc import Iterator

import pytest
from playwright.async_api import Locator, Page, expect

from tests.conftest import require
from tests.journeys.browsing import Person, chromium, person
from tests.services import AppServer

AT_ONCE_MS = 10_000
AWAY_MS = 40_000
TITLE = "Where is the best bread?"
EVERY = ["At Kim's", "At Lee's", "Thank you both"]
UNREAD, ONE_UNREAD = re.compile(r"^\(\d"), re.compile(r"^\(1\)")


@pytest.fixture
def one_process() -> Iterator[AppServer]:
    require("chromium")
    with AppServer({"MICROBLOG_BCRYPT_ROUNDS": "4"}) as server:
        yield server


async def begin(asker: Person, title: str, text: str) -> None:
    """Begin a question, leave, and find it as it was left, also on another device."""
    await asker.go("/main/question")
    await asker.page.fill("[name=title]", title)
    async with asker.page.expect_response("**/drafts"):
        await asker.page.fill("[name=body]", text)
    await asker.go("/explore")
    await form_holds(asker, title, text)


async def form_holds(asker: Person, title: str, text: str) -> None:
    """Look at a fresh form for a question, in a tab of its own."""
    tab = await asker.context.new_page()
    await tab.goto(f"{asker.url}/main/question")
    await expect(tab.locator("[name=title]")).to_have_value(title)
    await expect(tab.locator("[name=body]")).to_have_value(text)
    await tab.close()


async def ask(asker: Person, title: str) -> None:
    await asker.go("/main/question")
    await asker.page.fill("[name=title]", title)
    await asker.page.fill("[name=body]", "Near the harbour, and on Sundays")
    await asker.page.fill("[name=tags]", "bread 서울")
    await asker.page.click("main form button[type=submit]")
    await expect(asker.page.locator(".question-title")).to_have_text(title)
    await expect(asker.page.get_by_text("Nobody has answered yet.")).to_be_visible()


def answers(page: Page) -> Locator:
    return page.locator("#answers .post-body")


async def answer_live(mina: Person, jun: Person) -> None:
    """Let Jun answer twice, before Mina's eyes."""
    await jun.page.click(".question-title a")
    await jun.is_live()
    for text in ("At Kim's", "At Lee's"):
        await jun.page.fill("[name=post]", text)
        await jun.page.click("#compose-form button[type=submit]")
        await expect(answers(mina.page).last).to_have_text(text, timeout=AT_ONCE_MS)
    await expect(answers(jun.page)).to_have_text(["At Kim's", "At Lee's"])
    for page in (mina.page, jun.page):
        await expect(page.locator("#answers-title")).to_have_text("2 answers")
        await expect(page.get_by_text("Nobody has answered yet.")).to_be_hidden()


async def accept_the_last(mina: Person, jun: Person, open_list: Page) -> None:
    """Let Mina accept an answer, before Jun's eyes, on each of his pages."""
    await mina.page.locator(".answer-take").last.click()
    for page in (mina.page, jun.page):
        await expect(answers(page)).to_have_text(["At Lee's", "At Kim's"], timeout=AT_ONCE_MS)
        await expect(page.locator(".answer-mark:visible")).to_have_count(1)
        await expect(page.locator(".question-state")).to_have_text("Answered")
    await expect(open_list.locator(".feed-item")).to_have_count(0, timeout=AT_ONCE_MS)
    for page in (jun.page, open_list):
        await expect(page).to_have_title(ONE_UNREAD)


async def take_it_back_while_jun_is_away(mina: Person, jun: Person, server: AppServer) -> None:
    await jun.context.set_offline(True)
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.restart)
    await mina.go(mina.page.url.removeprefix(server.url))
    await mina.page.click(".answer-undo:visible")
    await expect(mina.page.locator(".question-state")).to_have_text("Open question")
    await mina.page.fill("[name=post]", "Thank you both")
    await mina.page.click("#compose-form button[type=submit]")
    # The first post of a process waits for the model that guesses its language.
    await expect(answers(mina.page)).to_have_text(EVERY, timeout=AWAY_MS)
    await jun.context.set_offline(False)


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
        await begin(mina, "Where is bread?", "Near the harbour")
        await ask(mina, TITLE)
        await form_holds(mina, "", "")
        await mina.is_live()
        await expect(jun.post(TITLE)).to_have_count(1, timeout=AT_ONCE_MS)
        await expect(jun.post("This is no question")).to_have_count(0)
        open_list = await jun.context.new_page()
        await open_list.goto(f"{one_process.url}/questions/open")
        await expect(open_list.locator("#live-mark")).to_have_attribute("data-state", "connected")
        await answer_live(mina, jun)
        await accept_the_last(mina, jun, open_list)
        await take_it_back_while_jun_is_away(mina, jun, one_process)
        await expect(answers(jun.page)).to_have_text(EVERY, timeout=AWAY_MS)
        await expect(jun.page.locator(".question-state")).to_have_text("Open question")
        await expect(jun.page.locator(".answer-mark:visible")).to_have_count(0)
        await expect(open_list.locator(".feed-item")).to_have_count(1, timeout=AWAY_MS)
        for page in (jun.page, open_list):
            await expect(page).not_to_have_title(UNREAD)
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
