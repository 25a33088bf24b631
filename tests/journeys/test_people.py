"""Somebody changes their picture before another's eyes; cards beside names, by every hand."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Error, Locator, Page, expect

from tests import images
from tests.conftest import require
from tests.journeys.browsing import Person, chromium, person
from tests.services import AppServer

GIVEN = re.compile(r"/user/mina/avatar/[0-9a-f]{16}-96\.webp$")
LARGE = re.compile(r"/user/mina/avatar/[0-9a-f]{16}-400\.webp$")
DRAWN = re.compile(r"/user/mina/avatar\.svg$")


@pytest.fixture
def two_processes() -> Iterator[AppServer]:
    """Two processes on one SQLite file."""
    require("chromium")
    with AppServer({"MICROBLOG_BCRYPT_ROUNDS": "4"}, "--workers", "2") as server:
        yield server


async def meet(mina: Person, jun: Person) -> None:
    """Let both sign up, and Jun watch what Mina writes."""
    await mina.sign_up("mina")
    await jun.sign_up("jun")
    await mina.write("Hello")
    await jun.go("/explore")
    await jun.is_live()


def face(who: Person, text: str = "Hello") -> Locator:
    """Return the picture beside a post."""
    found: Locator = who.post(text).locator("img.avatar")
    return found


async def test_picture_changes_in_every_window_also_in_one_that_was_away(
    two_processes: AppServer, tmp_path: Path
) -> None:
    photo, large = tmp_path / "me.jpg", tmp_path / "large.png"
    photo.write_bytes(images.photograph())
    large.write_bytes(bytes(8 * 1024 * 1024 + 1))
    async with (
        chromium() as browser,
        person(browser, two_processes.url) as mina,
        person(browser, two_processes.url) as jun,
    ):
        await meet(mina, jun)
        await expect(face(jun)).to_have_attribute("src", DRAWN)
        await mina.go("/edit_profile")
        field, shown = mina.page.locator("#avatar"), mina.page.locator(".picture img")
        await field.set_input_files(large)
        assert not await field.evaluate("field => field.validity.valid")
        await field.set_input_files(photo)
        await expect(shown).to_have_attribute("src", re.compile("^blob:"))
        await mina.page.fill("[name=display_name]", "Mina Kim")
        await mina.page.click("main form button[type=submit]")
        await expect(mina.page.locator(".profile img")).to_have_attribute("src", LARGE)
        await expect(face(jun)).to_have_attribute("src", GIVEN)
        await expect(jun.post("Hello").locator("[data-name]")).to_have_text("Mina Kim")
        width = "async image => { await image.decode(); return image.naturalWidth }"
        assert await face(jun).evaluate(width) == 96
        second = await jun.context.new_page()
        await second.goto(f"{two_processes.url}/user/mina")
        await expect(second.locator(".profile img")).to_have_attribute("src", LARGE)
        await second.close()
        await jun.context.set_offline(True)
        await mina.go("/edit_profile")
        await mina.page.check("[name=remove_avatar]")
        await mina.page.click("main form button[type=submit]")
        await expect(mina.page.locator(".profile img")).to_have_attribute("src", DRAWN)
        two_processes.restart()
        await jun.context.set_offline(False)
        await expect(face(jun)).to_have_attribute("src", DRAWN, timeout=20_000)


async def tap_through(name: Locator) -> None:
    """Tap on a name until its page is there: a browser that is held up takes a tap for a press."""
    for _ in range(5):
        with contextlib.suppress(Error):
            await name.tap()
            await name.page.wait_for_url(re.compile("/user/mina$"), timeout=3000)
            return
    await expect(name.page).to_have_url(re.compile("/user/mina$"))


async def by_mouse(page: Page, name: Locator, card: Locator) -> None:
    """Rest on a name, go into the card, leave it by Escape; rest again, leave by going away."""
    await name.hover()
    await expect(card).to_contain_text("@mina")
    await card.hover()
    await expect(card.locator("[formaction='/follow/mina']")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(card).to_have_count(0)
    await page.mouse.move(0, 0)
    await name.hover()
    await expect(card).to_be_visible()
    await page.mouse.move(0, 0)
    await expect(card).to_have_count(0)


async def by_keyboard(page: Page, name: Locator, card: Locator) -> None:
    """Come to a name, go into its card, and back by Escape."""
    for key in ("j", "k", "Tab"):
        await page.keyboard.press(key)
    await expect(name).to_be_focused()
    await expect(card).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(card.locator("button")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(card).to_have_count(0)
    await expect(name).to_be_focused()


async def by_finger(page: Page, name: Locator, card: Locator) -> None:
    """Stay on a name with a finger, then tap elsewhere."""
    box = await name.bounding_box()
    assert box is not None
    touch = await page.context.new_cdp_session(page)
    finger = {"x": box["x"] + 5, "y": box["y"] + 10}
    await touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [finger]})
    await expect(card).to_be_visible()
    await touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    await expect(card).to_be_visible()
    assert page.url.endswith("/explore")
    await page.touchscreen.tap(5, 300)
    await expect(card).to_have_count(0)


async def test_card_opens_for_mouse_keyboard_and_finger_and_is_closed_by_each(
    two_processes: AppServer,
) -> None:
    async with (
        chromium() as browser,
        person(browser, two_processes.url) as mina,
        person(browser, two_processes.url, has_touch=True) as jun,
    ):
        await meet(mina, jun)
        card = jun.page.locator(".person-card")
        await mina.write("Come in from @jun")  # this one arrives live
        name = jun.post("Come in").locator(".post-name")
        await by_mouse(jun.page, name, card)
        await by_keyboard(jun.page, name, card)
        await by_finger(jun.page, name, card)
        await tap_through(name)
        await jun.go("/explore")
        await name.hover()
        async with jun.page.expect_navigation():
            await card.locator("button").click()
        await jun.is_live()
        await name.hover()
        await expect(card.locator("[formaction='/unfollow/mina']")).to_be_visible()
