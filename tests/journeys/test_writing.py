"""Somebody writes: on a phone and at a desk at once, while a server dies; and by suggestions."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from playwright.async_api import Browser, Locator, expect

from microblog.actions import accounts, follows
from microblog.core import text
from microblog.database import open_database
from microblog.models import User
from microblog.queries import users
from microblog.settings import Settings
from tests.conftest import require
from tests.journeys.browsing import Person, chromium, person
from tests.people import MakeUser
from tests.services import AppServer

PHONE = {"viewport": {"width": 390, "height": 844}}
SOON_MS = 20_000
TEXTS = [
    "한글 👨‍👩‍👧‍👦 é 🇰🇷",
    "https://example.org/a_(b)).",
    "(https://example.org/x) 'http://a.example/'",
    "https://example.com입니다",
    "https://example.com:8080입니다 https://한국.kr",
    "https://www.lg전자.kr입니다 http://localhost에서",
    "https://example.com/path에서 봤다",
    "https://ko.wikipedia.org/wiki/서울에서",
    "https://203.0.113.7에서 `https://example.org`",
    "https:// https:///x xhttps://example.org HTTP://EXAMPLE.ORG",
    "x" * 501,
]


@pytest.fixture(scope="module")
def place() -> Iterator[AppServer]:
    require("chromium")
    with AppServer({"MICROBLOG_BCRYPT_ROUNDS": "4"}) as server:
        yield server


def box(of: Person) -> Locator:
    return of.page.locator("[name=post]")


def choice(of: Person) -> Locator:
    return of.page.locator("[data-draft-choice]")


@asynccontextmanager
async def same_person(browser: Browser, who: Person) -> AsyncIterator[Person]:
    """Give somebody another device on which they are signed in."""
    state = await who.context.storage_state()
    async with person(browser, who.url, storage_state=state, **PHONE) as other:
        await other.go("/")
        await other.is_live()
        yield other


async def test_text_goes_on_at_the_other_device_and_none_is_lost(place: AppServer) -> None:
    async with chromium() as browser, person(browser, place.url) as desk:
        await desk.sign_up("mina")
        await desk.is_live()
        async with same_person(browser, desk) as phone:
            await box(phone).press_sequentially("On the bus to 서울")
            await expect(box(desk)).to_have_value("On the bus to 서울", timeout=SOON_MS)
            await asyncio.to_thread(place.kill)
            await box(phone).press_sequentially(", it rains")
            await asyncio.to_thread(place.restart)
            await expect(box(desk)).to_have_value("On the bus to 서울, it rains", timeout=40_000)
        await desk.go("/explore")
        await desk.go("/")
        await expect(box(desk)).to_have_value("On the bus to 서울, it rains")
        async with same_person(browser, desk) as phone:
            await expect(box(phone)).to_have_value("On the bus to 서울, it rains")
            await both_write_and_one_text_is_chosen(desk, phone)
            await phone.page.click("#compose-form button[type=submit]")
            await expect(phone.post("Written on the phone")).to_have_count(1)
            await expect(box(desk)).to_have_value("", timeout=SOON_MS)
            await expect(choice(desk)).to_be_hidden()
            await desk.go("/")
            await expect(box(desk)).to_have_value("")


async def both_write_and_one_text_is_chosen(desk: Person, phone: Person) -> None:
    """Let the desk be unable to save while the phone does: it has both texts, and chooses."""
    await desk.page.route("**/drafts", lambda route: route.abort())
    await box(desk).fill("Written at the desk")
    await box(phone).fill("Written on the phone")
    await expect(choice(desk)).to_contain_text("Written on the phone", timeout=SOON_MS)
    await expect(box(desk)).to_have_value("Written at the desk")
    await desk.page.unroute("**/drafts")
    await desk.page.reload()
    await expect(choice(desk)).to_contain_text("Written on the phone")
    await expect(box(desk)).to_have_value("Written at the desk")
    await desk.page.click("[data-draft-take]")
    await expect(box(desk)).to_have_value("Written on the phone")
    await expect(choice(desk)).to_contain_text("Written at the desk")
    await desk.page.click("[data-draft-take]")
    await expect(box(desk)).to_have_value("Written at the desk")
    await expect(box(phone)).to_have_value("Written at the desk", timeout=SOON_MS)
    await desk.page.click("[data-draft-take]")
    await desk.page.click("[data-draft-keep]")
    await expect(choice(desk)).to_be_hidden()
    await expect(box(phone)).to_have_value("Written on the phone", timeout=SOON_MS)


async def friends_of(server: AppServer, username: str) -> None:
    """Let somebody follow two people with Korean names."""
    database = open_database(
        Settings(database_url=f"sqlite:///{server.folder}/var/microblog.db", bcrypt_rounds=4)
    )
    make_user = MakeUser(database)
    async with database.read() as read:
        follower = await users.by_username(read, username)
    for name, shown in (("minsu", "김민수"), ("jiwon", "김지원")):
        followed = await make_user(name)
        async with database.write() as tx:
            user = await tx.get(User, followed.id)
            assert user is not None
            await accounts.edit_profile(tx, user, display_name=shown, about_me="")
            await follows.follow(tx, follower, followed, datetime.now(UTC))
    await database.close()


async def test_name_is_completed_by_keys_and_the_input_method_keeps_its_own(
    place: AppServer,
) -> None:
    async with chromium() as browser, person(browser, place.url, locale="ko") as mina:
        await mina.sign_up("nari")
        await friends_of(place, "nari")
        await mina.write("#서울맛집")
        page, field = mina.page, box(mina)
        options = page.locator("#suggestions [role=option]")
        assert await counted(mina) == [text.count(each) for each in TEXTS]
        await field.press_sequentially("안녕 @김")
        await expect(options).to_have_text(["김민수@minsu", "김지원@jiwon"])
        await expect(field).to_have_attribute("aria-activedescendant", "suggestion-0")
        await expect(page.locator("#announcer")).to_have_text("제안 2개")
        await field.press("ArrowDown")
        await expect(options.nth(1)).to_have_attribute("aria-selected", "true")
        await field.press("Enter")
        await expect(field).to_have_value("안녕 @jiwon ")
        await expect(options).to_have_count(0)
        await field.press_sequentially("@지")
        await options.first.click()
        await expect(field).to_have_value("안녕 @jiwon @jiwon ")
        await expect(field).to_be_focused()
        await field.press_sequentially("@김")
        await expect(options).to_have_count(2)
        await field.press("Escape")
        await expect(options).to_have_count(0)
        await field.press("Enter")
        await expect(field).to_have_value("안녕 @jiwon @jiwon @김\n")
        await field.fill("")
        await composed(mina)
        await field.fill("")
        await field.press_sequentially("#서")
        await expect(options).to_have_text(["#서울맛집"])
        await expect(field).not_to_have_attribute("aria-activedescendant", "suggestion-0")
        await field.press("ArrowDown")
        await field.press("Tab")
        await expect(field).to_have_value("#서울맛집 ")
        await expect(field).to_be_focused()


async def counted(mina: Person) -> list[int]:
    """Return how long the page's counter takes these texts to be."""
    found: list[int] = await mina.page.evaluate(
        """async texts => {
            const main = document.querySelector('script[src$="main.js"]').src
            const { length } = await import(main.replace('main.js', 'length.js'))
            return texts.map(length)
        }""",
        TEXTS,
    )
    return found


async def composed(mina: Person) -> None:
    """Compose a syllable as an input method does: until it is done, keys choose nothing."""
    page, field = mina.page, box(mina)
    options = page.locator("#suggestions [role=option]")
    keyboard = await mina.context.new_cdp_session(page)
    await field.press_sequentially("@")
    for syllable in ("기", "김"):
        part = {"text": syllable, "selectionStart": 1, "selectionEnd": 1}
        await keyboard.send("Input.imeSetComposition", part)
    await expect(options).to_have_count(2)
    await field.press("ArrowDown")
    await expect(field).to_have_attribute("aria-activedescendant", "suggestion-0")
    await field.press("Tab")
    assert "@minsu" not in await field.input_value()
    await field.focus()
    await field.fill("@")
    await keyboard.send("Input.insertText", {"text": "김"})
    await expect(options).to_have_count(2)
    await field.press("Enter")
    await expect(field).to_have_value("@minsu ")
