"""Somebody searches in a browser: the key, the suggestions, the hits; and on a phone."""

from collections.abc import Iterator

import pytest
from playwright.async_api import expect

from tests.conftest import require
from tests.journeys.browsing import chromium, person
from tests.services import AppServer

PHONE = {"viewport": {"width": 390, "height": 844}}
TEXTS = {
    "en": ("Rain over #seoul", "rain", "Rain", "Nothing was found."),
    "ko": ("한글은 #한글날", "한글", "한글", "검색 결과가 없습니다."),
}


@pytest.fixture(scope="module")
def place() -> Iterator[AppServer]:
    require("chromium")
    with AppServer({"MICROBLOG_BCRYPT_ROUNDS": "4"}) as server:
        yield server


@pytest.mark.parametrize("code", ["en", "ko"])
async def test_what_one_wrote_is_found_by_the_key_and_a_suggestion(
    place: AppServer, code: str
) -> None:
    text, looked_for, hit, nothing = TEXTS[code]
    async with chromium() as browser, person(browser, place.url, locale=code) as mina:
        await mina.sign_up(f"mina_{code}")
        await mina.write(text)
        page = mina.page
        await page.locator("body").press("/")
        box = page.locator("[data-search]")
        await expect(box).to_be_focused()
        await box.press_sequentially(f"{looked_for} @mina_")
        option = page.locator(f"datalist option[value='{looked_for} @mina_{code}']")
        await expect(option).to_be_attached()
        await box.fill(looked_for)
        await box.press("Enter")
        await expect(mina.post(text)).to_have_count(1)
        await expect(page.locator("mark").first).to_have_text(hit)
        await expect(page.locator("[data-search]")).to_have_value(looked_for)
        await page.locator("[data-search]").fill("zzzz")
        await page.locator("[data-search]").press("Enter")
        await expect(page.get_by_text(nothing)).to_be_visible()


async def test_phone_reaches_the_search_page_without_scripts(place: AppServer) -> None:
    async with (
        chromium() as browser,
        person(browser, place.url, java_script_enabled=False, **PHONE) as anyone,
    ):
        await anyone.go("/explore")
        await anyone.page.locator("[data-search-page]").click()
        await anyone.page.locator("[name=q]").fill("zzzz")
        await anyone.page.locator("[name=q]").press("Enter")
        await expect(anyone.page.get_by_text("Nothing was found.")).to_be_visible()
