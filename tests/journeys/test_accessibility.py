"""No page breaks a rule of axe-core, in light and dark, English and Korean, narrow and wide."""

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page

from microblog.actions import follows
from microblog.database import open_database
from microblog.models import User
from microblog.settings import Settings
from tests.conftest import require
from tests.journeys.browsing import PASSWORD, chromium
from tests.people import MakePost, MakeUser
from tests.services import AppServer

AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()
SIZES = ({"width": 390, "height": 844}, {"width": 1280, "height": 900})
# A theme changes colours only, so the second one is asked about nothing else.
RULES: dict[str, dict[str, Any]] = {
    "light": {"resultTypes": ["violations"]},
    "dark": {"resultTypes": ["violations"], "runOnly": ["color-contrast", "link-in-text-block"]},
}
CHEAP = {"MICROBLOG_BCRYPT_ROUNDS": "4", "MICROBLOG_POSTS_PER_PAGE": "4"}
POSTS = (
    "Rain over #seoul, @bora https://example.org/rain",
    "`code` within\n```\nfor line in poem:\n    print(line)\n```",
    "안녕하세요 @mina 님, #서울 날씨가 좋아요",
    "한 줄",
    "The last one",
)

each_language = pytest.mark.parametrize("code", ["en", "ko"])


class Unready(AppServer):
    """A server whose database has no tables: it answers 503."""

    def is_ready(self) -> bool:
        return self.status("/healthz") == 200


@pytest.fixture
def place() -> Iterator[AppServer]:
    require("chromium")
    with AppServer(CHEAP) as server:
        yield server


async def fill(server: AppServer, code: str) -> int:
    """Let Mina and Bora write to and follow one another, and Nari be new; return a post's id."""
    database = open_database(
        Settings(database_url=f"sqlite:///{server.folder}/var/microblog.db", bcrypt_rounds=4)
    )
    make_user, make_post = MakeUser(database), MakePost(database)
    mina, bora, _nari = [await make_user(name, language=code) for name in ("mina", "bora", "nari")]
    await follow(database, mina, bora)
    await follow(database, bora, mina)
    for number, text in enumerate(POSTS):
        post = await make_post((mina, bora)[number % 2], text)
    await database.close()
    return post.id


async def follow(database: Any, follower: User, followed: User) -> None:
    async with database.write() as tx:
        await follows.follow(tx, follower, followed, datetime.now(UTC))


async def opened(browser: Browser, code: str) -> BrowserContext:
    """Open a browser into which axe-core can be put: our own rules keep such scripts out."""
    return await browser.new_context(bypass_csp=True, locale=code, reduced_motion="reduce")


async def signed_in(browser: Browser, url: str, code: str, name: str) -> BrowserContext:
    context = await opened(browser, code)
    page = await context.new_page()
    await page.goto(f"{url}/auth/login")
    await page.fill("[name=username]", name)
    await page.fill("[name=password]", PASSWORD)
    await page.click("main form button[type=submit]")
    await page.wait_for_selector("[name=post]")
    await page.close()
    return context


async def look(context: BrowserContext, address: str, code: str) -> list[str]:
    """Open a page and return what axe-core has against it, in every size and theme."""
    page = await context.new_page()
    await page.goto(address)
    assert await page.get_attribute("html", "lang") == code
    found = await judged(page)
    await page.close()
    return found


async def judged(page: Page) -> list[str]:
    await page.evaluate(AXE)
    found = []
    for size in SIZES:
        await page.set_viewport_size(size)
        wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")
        found += [f"{page.url} {size['width']} px: scrolls sideways"] if wide else []
        for theme, options in RULES.items():
            await page.emulate_media(color_scheme=theme)
            result = await page.evaluate("options => axe.run(options)", options)
            for violation in result["violations"]:
                where = [node["target"] for node in violation["nodes"]]
                found.append(f"{page.url} {size['width']} px {theme}: {violation['id']} {where}")
    return found


async def tour(context: BrowserContext, code: str, *addresses: str) -> list[str]:
    return [line for address in addresses for line in await look(context, address, code)]


@each_language
async def test_no_page_breaks_a_rule(place: AppServer, code: str) -> None:
    post_id = await fill(place, code)
    url = place.url
    link = re.search(r"http://\S+/setup\?token=\S+", place.output())
    assert link
    async with chromium() as browser:
        mina = await signed_in(browser, url, code, "mina")
        nari = await signed_in(browser, url, code, "nari")
        stranger = await opened(browser, code)
        mine = [f"{url}{path}" for path in ("/", "/explore", "/user/mina", f"/post/{post_id}")]
        more = ("/user/bora", "/tag/서울", "/edit_profile", "/user/mina/followers")
        rest = ("/notifications", "/nowhere", "/tag/nothing")
        news = ("/", "/notifications", "/user/nari/following")
        out = ("/", "/auth/login", "/auth/register", "/user/bora", "/nowhere")
        tours = await asyncio.gather(
            tour(mina, code, *mine, f"{url}/?before={post_id}"),
            tour(mina, code, *(f"{url}{path}" for path in more)),
            tour(mina, code, *(f"{url}{path}" for path in (*rest, "/auth/login"))),
            tour(nari, code, *(f"{url}{path}" for path in news)),
            tour(stranger, code, *(f"{url}{path}" for path in out), link[0]),
        )
    assert [line for found in tours for line in found] == []


@each_language
async def test_what_opens_on_a_page_breaks_no_rule(place: AppServer, code: str) -> None:
    await fill(place, code)
    async with chromium() as browser:
        context = await signed_in(browser, place.url, code, "mina")
        page = await context.new_page()
        await page.goto(place.url)
        await page.locator(".feed-item summary").first.click()
        found = await judged(page)
        await page.keyboard.press("Escape")
        await page.keyboard.press("?")
        found += await judged(page)
        await page.set_viewport_size(SIZES[0])
        await page.keyboard.press("Escape")
        await page.locator("details.account summary").click()
        found += await judged(page)
        await page.fill("[name=post]", "x" * 501)
        await page.click("#compose-form button[type=submit]")
        await page.wait_for_selector("#post-error:not([hidden])")
        found += await judged(page)
    assert found == []


@each_language
async def test_what_refuses_breaks_no_rule(place: AppServer, code: str) -> None:
    async with chromium() as browser:
        context = await opened(browser, code)
        page = await context.new_page()
        await page.goto(f"{place.url}/auth/register")
        await page.evaluate("document.querySelector('main form').noValidate = true")
        await page.click("main form button[type=submit]")
        await page.wait_for_selector(".field-error")
        found = await judged(page)
        await page.goto(f"{place.url}/auth/login")
        await page.fill("[name=username]", "mina")
        await page.fill("[name=password]", "wrong")
        await page.click("main form button[type=submit]")
        await page.wait_for_selector(".flash-danger")
        found += await judged(page)
        with Unready(CHEAP, hypercorn=True) as unready:
            found += await look(context, unready.url, code)
    assert found == []
