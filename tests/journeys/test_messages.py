"""Two people who write to each other privately, in Chromium, with a server that really dies."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.conftest import require
from tests.journeys.browsing import Person, chromium, person
from tests.services import AppServer

SOON_MS = 15_000


@pytest.fixture
def server() -> Iterator[AppServer]:
    """Two processes on one file: what one of them says the other has to hear of."""
    require("chromium")
    with AppServer({"MICROBLOG_BCRYPT_ROUNDS": "4"}, "--workers", "2") as server:
        yield server


def said(page: Page) -> Any:
    return page.locator(".message .post-body")


async def write(page: Page, text: str) -> None:
    """Send a message from the open conversation, by the keyboard."""
    await page.fill("#message", text)
    await page.press("#message", "Control+Enter")
    await expect(said(page).last).to_have_text(text)
    await expect(page.locator("#message")).to_have_value("")


async def type_until_seen(writer: Page, reader: Page) -> None:
    """Go on writing until the other sees it: a whisper may get lost."""
    seen = reader.locator("#typing span")
    async with asyncio.timeout(SOON_MS / 1000):
        while not await seen.is_visible():
            await writer.locator("#message").press_sequentially("Hi ", delay=100)


async def badges_are(number: int, *pages: Page) -> None:
    """Wait until the number of unread messages is the same everywhere."""
    for page in pages:
        badge = page.locator(".side [data-unread-of-messages]")
        if number:
            await expect(badge.locator("b")).to_have_text(str(number), timeout=SOON_MS)
        await expect(badge).to_be_visible() if number else await expect(badge).to_be_hidden()


async def other_tab(somebody: Person, path: str) -> Page:
    page = await somebody.context.new_page()
    await page.goto(f"{somebody.url}{path}")
    await expect(page.locator("#live-mark")).to_have_attribute("data-state", "connected")
    return page


async def test_two_people_write_to_each_other(server: AppServer) -> None:
    async with (
        chromium() as browser,
        person(browser, server.url) as mina,
        person(browser, server.url) as jun,
    ):
        await mina.sign_up("mina")
        await jun.sign_up("jun")
        await mina.go("/user/jun")
        await mina.page.click(".profile-actions a")
        await mina.is_live()
        await jun.go("/messages")
        await jun.is_live()
        second = await other_tab(jun, "/explore")
        await write(mina.page, "Hello Jun\nhttps://example.org")
        line = jun.page.locator(".conversation")
        await expect(line).to_contain_text("Hello Jun https://example.org")
        await badges_are(1, jun.page, second)
        await line.locator("a").click()
        await expect(said(jun.page)).to_have_text(["Hello Jun\nhttps://example.org"])
        await badges_are(0, jun.page, second)
        await expect(mina.page.locator(".seen-mark:visible")).to_have_count(1)
        await jun.is_live()
        await type_until_seen(jun.page, mina.page)
        await write(jun.page, "Hi Mina")
        await expect(said(mina.page).last).to_have_text("Hi Mina")
        await expect(mina.page.locator("#typing span")).to_be_hidden(timeout=SOON_MS)
        # Deleted here it stays there.
        await mina.page.locator(".message").last.hover()
        await mina.page.locator("[data-message-delete]").last.click()
        await expect(said(mina.page)).to_have_count(1)
        await expect(said(jun.page)).to_have_count(2)


async def test_nothing_is_missing_or_twice_when_windows_and_servers_come_back(
    server: AppServer,
) -> None:
    async with (
        chromium() as browser,
        person(browser, server.url) as mina,
        person(browser, server.url) as jun,
    ):
        await mina.sign_up("mina")
        await jun.sign_up("jun")
        await mina.go("/messages/jun")
        await mina.is_live()
        first, second = jun.page, await other_tab(jun, "/explore")
        await jun.go("/")
        await jun.is_live()
        await write(mina.page, "one")
        await badges_are(1, first, second)
        await second.close()
        await jun.context.set_offline(True)
        await write(mina.page, "two")
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.restart)
        await expect(mina.page.locator("#live-mark")).to_have_attribute(
            "data-state", "connected", timeout=40_000
        )
        await write(mina.page, "three")
        await jun.context.set_offline(False)
        second = await other_tab(jun, "/messages")
        await badges_are(3, first, second)
        await second.goto(f"{jun.url}/messages/mina")
        await expect(said(second)).to_have_text(["one", "two", "three"])
        await badges_are(0, first, second)
        await expect(mina.page.locator("#live-mark")).to_have_attribute("data-state", "connected")
        await write(mina.page, "four")
        await expect(said(second)).to_have_text(["one", "two", "three", "four"])
        await expect(said(mina.page)).to_have_text(["one", "two", "three", "four"])
        await badges_are(0, first, second)
