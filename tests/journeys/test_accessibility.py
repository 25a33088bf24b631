"""No page breaks a rule of axe-core, in light and dark, English and Korean, narrow and wide."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route

from microblog.actions import accounts, departures
from microblog.queries import users
from tests.conftest import require
from tests.journeys.browsing import PASSWORD, chromium, person
from tests.journeys.inhabitants import ask, database_of, fill
from tests.people import MakeUser
from tests.services import AppServer

AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()
ALL: dict[str, Any] = {"resultTypes": ["violations"]}
COLOURS = ALL | {"runOnly": ["color-contrast", "link-in-text-block"]}
NARROW, WIDE = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
# Each size in each theme. A second theme changes colours only, so it is asked about nothing else.
LOOKS = (
    (NARROW, "light", ALL),
    (NARROW, "dark", COLOURS),
    (WIDE, "dark", ALL),
    (WIDE, "light", COLOURS),
)
CHEAP = {"MICROBLOG_BCRYPT_ROUNDS": "4", "MICROBLOG_POSTS_PER_PAGE": "4"}
SETTINGS = tuple(
    f"/settings/{name}"
    for name in (
        "appearance",
        "language",
        "username",
        "password",
        "sessions",
        "tokens",
        "deactivate",
        "delete",
    )
)

CALM = {"reduced_motion": "reduce"}  # what still changes its colour cannot be judged


class Unready(AppServer):
    """A server whose database has no tables: it answers 503."""

    def is_ready(self) -> bool:
        return self.status("/healthz") == 200


@pytest.fixture(scope="module")
def place() -> Iterator[AppServer]:
    require("chromium")
    server = AppServer(CHEAP | {"MICROBLOG_MAILER": "console"})
    server.env["MICROBLOG_PUBLIC_URL"] = server.url
    with server:
        yield server


async def opened(browser: Browser, code: str) -> BrowserContext:
    """Open a browser into which axe-core can be put: our own rules keep such scripts out."""
    return await browser.new_context(bypass_csp=True, locale=code, **CALM)


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
    """Open a page and return what axe-core has against it, in each size and theme."""
    page = await context.new_page()
    await page.goto(address)
    assert await page.get_attribute("html", "lang") == code
    found = await judged(page)
    await page.close()
    return found


async def judged(page: Page, looks: Any = LOOKS) -> list[str]:
    await page.evaluate(AXE)
    found = []
    for size, theme, options in looks:
        await page.set_viewport_size(size)
        await page.emulate_media(color_scheme=theme)
        place = f"{page.url} {size['width']} px {theme}"
        if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{place}: scrolls sideways")
        result = await page.evaluate("options => axe.run(options)", options)
        for violation in result["violations"]:
            where = [node["target"] for node in violation["nodes"]]
            found.append(f"{place}: {violation['id']} {where}")
    return found


async def tour(context: BrowserContext, code: str, url: str, *paths: str) -> list[str]:
    return [line for path in paths for line in await look(context, f"{url}{path}", code)]


@pytest.mark.limit(240)
@pytest.mark.parametrize("code", ["en", "ko"])
async def test_no_page_breaks_a_rule(place: AppServer, code: str) -> None:
    post_id, reply_id, mailed = await fill(place, code)
    url, me = place.url, f"/user/mina_{code}"
    link = re.search(r"(/setup\?token=\S+)", place.output())
    assert link
    async with chromium() as browser:
        mina = await signed_in(browser, url, code, f"mina_{code}")
        nari = await signed_in(browser, url, code, f"nari_{code}")
        stranger = await opened(browser, code)
        tours = await asyncio.gather(
            tour(mina, code, url, "/", "/explore", me, f"/post/{post_id}"),
            tour(mina, code, url, f"/post/{post_id}/edit", f"/post/{post_id}/history"),
            tour(stranger, code, url, f"/post/{reply_id}"),
            tour(mina, code, url, "/notifications", "/edit_profile", f"{me}/followers"),
            tour(mina, code, url, "/export_posts", "/settings/account", "/settings/notifications"),
            tour(mina, code, url, "/settings/messages", "/messages", f"/messages/bora_{code}"),
            tour(mina, code, url, "/search?q=rain&type=messages"),
            tour(
                mina,
                code,
                url,
                "/search?q=서울",
                "/search?q=before:x",
                "/search?q=mi&type=people",
            ),
            tour(stranger, code, url, "/search", "/search?q=서울&type=tags", "/search?q=없음"),
            tour(stranger, code, url, "/auth/reset_password_request", *mailed, f"{mailed[0]}x"),
            tour(nari, code, url, "/", "/notifications", "/tag/서울", f"/user/bora_{code}"),
            tour(stranger, code, url, "/", "/auth/login", "/auth/register", link[1], "/nowhere"),
        )
    assert [line for found in tours for line in found] == []


async def test_no_page_of_settings_or_for_administrators_breaks_a_rule(place: AppServer) -> None:
    database = database_of(place)
    make_user = MakeUser(database)
    boss, gone = await make_user("boss", language="ko"), await make_user("gone")
    async with database.write() as tx:
        await departures.suspend(tx, boss, gone, "Spam", datetime.now(UTC))
    await database.close()
    async with chromium() as browser, administrator(place, "boss"):
        context = await signed_in(browser, place.url, "ko", "boss")
        paths = (*SETTINGS, "/admin/people", "/admin/people/gone", "/admin/log")
        assert await tour(context, "ko", place.url, *paths) == []


@asynccontextmanager
async def administrator(server: AppServer, name: str) -> AsyncIterator[None]:
    """Let somebody be one for a while: with one, nobody else is led to the set-up."""
    database = database_of(server)
    async with database.write() as tx:
        user = await users.by_username(tx, name)
        await accounts.set_role(tx, user, "admin")
    yield
    async with database.write() as tx:
        await accounts.set_role(tx, user, "member")
    await database.close()


@pytest.mark.parametrize("code", ["en", "ko"])
async def test_no_page_of_questions_breaks_a_rule(place: AppServer, code: str) -> None:
    question_id = await ask(place, code)
    async with chromium() as browser:
        asa = await signed_in(browser, place.url, code, f"asa_{code}")
        found = await tour(asa, code, place.url, "/questions", f"/question/{question_id}")
        page = await asa.new_page()
        await page.goto(f"{place.url}/main/question")
        await page.fill("[name=title]", {"en": "the best bread", "ko": "어느 빵집"}[code])
        await page.wait_for_selector("#similar a")
        found += await judged(page, LOOKS[::2])
    assert found == []


async def test_what_opens_on_a_page_breaks_no_rule(place: AppServer) -> None:
    async with chromium() as browser, person(browser, place.url, bypass_csp=True, **CALM) as jun:
        page = jun.page
        await jun.sign_up("jun")
        await jun.write("Hello")
        await page.locator(".feed-item summary").first.click()
        found = await judged(page, LOOKS[::2])
        await page.keyboard.press("Escape")
        await page.locator(".feed-item .post-name").first.focus()
        await page.wait_for_selector(".person-card")
        found += await judged(page, LOOKS[::2])
        await page.wait_for_selector(".person-card")
        await page.keyboard.press("Escape")
        await page.keyboard.press("?")
        found += await judged(page, LOOKS[::2])
        await page.keyboard.press("Escape")
        await page.set_viewport_size(NARROW)
        await page.locator("details.account summary").click()
        found += await judged(page, LOOKS[:1])
        await page.route("**/suggest/people*", suggest)
        await page.locator("[name=post]").press_sequentially("@mi")
        await page.wait_for_selector("#suggestions [role=option]")
        found += await judged(page, LOOKS[::2])
        await page.keyboard.press("Escape")
        await page.evaluate("document.querySelector('[data-draft-choice]').hidden = false")
        found += await judged(page, LOOKS[:2])
        await page.evaluate("document.querySelector('[data-draft-choice]').hidden = true")
        await page.fill("[name=post]", "x" * 501)
        await page.click("#compose-form button[type=submit]")
        await page.wait_for_selector("#post-error:not([hidden])")
        found += await judged(page, LOOKS[::2])
        await page.fill("[name=post]", "x" * 9000)
        await page.evaluate(SAVED_WITHOUT_SCRIPTS)
        await page.wait_for_selector("#draft-text")
        found += await judged(page, LOOKS[::2])
        jun.errors.clear()  # that it was refused is what was wanted
    assert found == []


SAVED_WITHOUT_SCRIPTS = """() => {
    const form = document.querySelector('#compose-form')
    form.action = form.dataset.draftUrl
    form.submit()
}"""


async def suggest(route: Route) -> None:
    person = {"value": "@mina", "name": "Mina", "avatar": "/user/mina/avatar.svg"}
    await route.fulfill(json={"items": [person, person | {"value": "@minho"}]})


async def test_what_refuses_breaks_no_rule(place: AppServer) -> None:
    async with chromium() as browser:
        context = await opened(browser, "ko")
        page = await context.new_page()
        await page.goto(f"{place.url}/auth/register")
        await page.evaluate("document.querySelector('main form').noValidate = true")
        await page.click("main form button[type=submit]")
        await page.wait_for_selector(".field-error")
        found = await judged(page, LOOKS[::2])
        await page.goto(f"{place.url}/auth/login")
        await page.fill("[name=username]", "nobody")
        await page.fill("[name=password]", "wrong")
        await page.click("main form button[type=submit]")
        await page.wait_for_selector(".flash-danger")
        found += await judged(page, LOOKS[::2])
        with Unready(CHEAP, hypercorn=True) as unready:
            found += await look(context, unready.url, "ko")
    assert found == []


async def test_broken_rule_is_found() -> None:
    require("chromium")
    async with chromium() as browser:
        page = await browser.new_page()
        await page.set_content("<title>A</title><main style='color: #999'><img src='x'>Pale</main>")
        found = await judged(page, LOOKS[:2])
    assert any("image-alt" in line for line in found)
    assert sum("color-contrast" in line for line in found) == 2
