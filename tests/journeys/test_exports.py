"""Somebody exports all that is theirs: the bar moves in two tabs, also after a reload."""

import asyncio
import json
import zipfile
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from microblog.core.tasks import ExportPosts
from microblog.database import Database
from microblog.jobs import HANDLERS, exports, work
from microblog.jobs.work import Handler, Job
from tests.conftest import require
from tests.journeys.browsing import chromium
from tests.people import MakePost, MakeUser, session_cookie
from tests.serving import Serving

WORDS = {
    "en": ("Export everything", "Stop", "30% done", "Your export is ready.", "Download"),
    "ko": ("모두 내보내기", "중지", "30% 마쳤습니다", "내보낸 파일이 준비되었습니다.", "내려받기"),
}


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> "asyncio.Queue[int]":
    """Let an export go on by one step for each percentage that is put in, and end with 100."""
    allowed: asyncio.Queue[int] = asyncio.Queue()

    async def export(job: Job, task: ExportPosts) -> None:
        while (percent := await allowed.get()) < 100:
            await job.progress(percent)
        await exports.export_posts(job, task)

    monkeypatch.setitem(HANDLERS, ExportPosts.kind, Handler(ExportPosts, export))
    monkeypatch.setattr(work, "PROGRESS_SECONDS", 0.0)
    return allowed


async def signed_in(browser: Browser, server: Serving, cookie: str, code: str) -> BrowserContext:
    context = await browser.new_context(locale=code)
    await context.add_cookies([{"name": "session", "value": cookie, "url": server.url}])
    return context


async def opened(context: BrowserContext, server: Serving, errors: list[str]) -> Page:
    page = await context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    await page.goto(f"{server.url}/export_posts")
    await expect(page.locator("#live-mark")).to_have_attribute("data-state", "connected")
    return page


@pytest.mark.parametrize("code", ["en", "ko"])
async def test_bar_moves_in_two_tabs_and_after_a_reload(
    server: Serving,
    database: Database,
    make_user: MakeUser,
    make_post: MakePost,
    steps: "asyncio.Queue[int]",
    code: str,
) -> None:
    require("chromium")
    start, stop, third, ready, download = WORDS[code]
    mina = await make_user("mina")
    await make_post(mina, "Hello")
    cookie = await session_cookie(database, server.app, mina)
    errors: list[str] = []
    async with chromium() as browser:
        context = await signed_in(browser, server, cookie, code)
        first, second = [await opened(context, server, errors) for _ in range(2)]
        await first.get_by_role("button", name=start).click()
        for tab in (first, second):
            await expect(tab.get_by_role("button", name=stop)).to_be_visible()
        await steps.put(30)
        await shown(30, first, second)
        await expect(second.locator(".job-words")).to_have_text(third)
        await second.reload()
        await shown(30, second)
        await expect(second.locator("#live-mark")).to_have_attribute("data-state", "connected")
        await second.get_by_role("button", name=stop).focus()
        await steps.put(70)
        await shown(70, first, second)
        await expect(second.get_by_role("button", name=stop)).to_be_focused()
        await steps.put(100)
        for tab in (first, second):
            await expect(tab.locator(".job-words")).to_have_text(ready)
        assert await fetched(first, download) == ["Hello"]
    assert errors == []


async def fetched(tab: Page, download: str) -> list[str]:
    """Download the export, and return the texts of its posts."""
    async with tab.expect_download() as coming:
        await tab.get_by_role("link", name=download).click()
    got = await coming.value
    assert got.suggested_filename == "microblog-mina.zip"
    with zipfile.ZipFile(await got.path()) as archive:
        told: dict[str, Any] = json.loads(archive.read("posts.json"))
    return [one["body"] for one in told["posts"]]


async def shown(percent: int, *tabs: Page) -> None:
    for tab in tabs:
        await expect(tab.locator(".job-bar")).to_have_js_property("value", percent)


async def test_export_that_is_stopped_can_be_begun_anew_in_every_tab(
    server: Serving, database: Database, make_user: MakeUser, steps: "asyncio.Queue[int]"
) -> None:
    require("chromium")
    mina = await make_user("mina")
    cookie = await session_cookie(database, server.app, mina)
    errors: list[str] = []
    async with chromium() as browser:
        context = await signed_in(browser, server, cookie, "en")
        first, second = [await opened(context, server, errors) for _ in range(2)]
        await first.get_by_role("button", name="Export everything").click()
        await steps.put(30)
        await shown(30, first, second)
        await second.get_by_role("button", name="Stop").click()
        await steps.put(60)  # here it notices
        for tab in (first, second):
            await expect(tab.locator(".job-words")).to_have_text("It was stopped.")
            await expect(tab.get_by_role("button", name="Export everything")).to_be_visible()
    assert errors == []
