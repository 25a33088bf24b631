"""Two people who don't read one another's language, in real browsers, with a fake of a service."""

from collections.abc import Iterator

import pytest
from playwright.async_api import expect

from tests.conftest import require
from tests.fake_translator import WRONG_KEY, FakeTranslator, fake_translator
from tests.journeys.browsing import Person, chromium, person
from tests.journeys.test_accessibility import AXE, LOOKS, judged
from tests.services import AppServer

KOREAN = "한강에 자전거 타러 갈 사람? #서울 https://example.org/강"
GERMAN = "Kommt jemand mit ins Kino?"


@pytest.fixture(scope="module")
def service() -> Iterator[FakeTranslator]:
    with fake_translator("libretranslate") as fake:
        yield fake


@pytest.fixture(scope="module")
def place(service: FakeTranslator) -> Iterator[AppServer]:
    require("chromium")
    made = service.settings
    environment = {
        "MICROBLOG_BCRYPT_ROUNDS": "4",
        "MICROBLOG_TRANSLATOR_URL": made["translator_url"],
        "MICROBLOG_TRANSLATOR_KEY": made["translator_key"],
    }
    with AppServer(environment) as server:
        yield server


async def write_as(someone: Person, text: str, language: str) -> None:
    """Write a post whose language is chosen below the text."""
    await someone.page.select_option("[name=language]", language)
    await someone.write(text)
    await expect(someone.page.locator("select[name=language]")).to_have_value("")


async def test_post_that_arrives_is_translated_in_place(
    place: AppServer, service: FakeTranslator
) -> None:
    calm = {"bypass_csp": True, "reduced_motion": "reduce"}
    async with (
        chromium() as browser,
        person(browser, place.url, locale="ko") as mina,
        person(browser, place.url, locale="en", **calm) as bora,
    ):
        await mina.sign_up("mina")
        await bora.sign_up("bora")
        await bora.go("/explore")
        await bora.is_live()
        await mina.write(KOREAN)
        await expect(mina.post(KOREAN).locator("[data-translate]")).to_have_count(0)
        post = bora.post("한강에")
        button = post.locator("[data-translate]")
        await expect(button).to_have_text("Translate from Korean")
        await button.click()
        shown = post.locator("[data-translation]")
        await expect(shown).to_contain_text("en: 한강에 자전거 타러 갈 사람?")
        await expect(shown).to_contain_text("Translated from Korean by LibreTranslate")
        await expect(shown.locator("a.hashtag")).to_have_text("#서울")
        await expect(shown.locator("[lang=en]")).to_have_count(1)
        await expect(button).to_have_attribute("aria-expanded", "true")
        assert AXE
        assert await judged(bora.page, LOOKS[::2]) == []
        await button.click()
        await expect(shown).to_have_count(0)
        await expect(button).to_have_text("Translate from Korean")
        await button.click()
        await expect(shown).to_have_count(1)
        assert len(service.asked) == 1, "it was kept"


async def test_choice_survives_a_reload_and_a_failing_service_says_so(
    place: AppServer, service: FakeTranslator
) -> None:
    async with chromium() as browser, person(browser, place.url, locale="ko") as nari:
        await nari.sign_up("nari")
        await nari.page.fill("[name=post]", "Gift")
        await nari.page.select_option("[name=language]", "de")
        await nari.page.reload()
        await expect(nari.page.locator("[name=post]")).to_have_value("Gift")
        await expect(nari.page.locator("select[name=language]")).to_have_value("de")
        await write_as(nari, GERMAN, "de")
        button = nari.post(GERMAN).locator("[data-translate]")
        await expect(button).to_have_text("독일어에서 번역")
        service.mood = WRONG_KEY
        await button.click()
        await expect(nari.page.locator("#toasts")).to_contain_text("인증 키")
        await expect(button).to_have_text("독일어에서 번역")
        service.mood = None
        await button.click()
        shown = nari.post(GERMAN).locator("[data-translation]")
        await expect(shown).to_contain_text(f"ko: {GERMAN}")
        await expect(shown).to_contain_text("독일어에서 번역함 · LibreTranslate")
        nari.errors.clear()  # the browser itself notes each 502


async def test_without_javascript_a_page_shows_both(place: AppServer) -> None:
    async with chromium() as browser:
        for code, offer in (("en", "Translate from Dutch"), ("ko", "네덜란드어에서 번역")):
            how = {"locale": code, "java_script_enabled": False}
            async with person(browser, place.url, **how) as joon:
                await joon.sign_up(f"joon_{code}")
                text = f"Waar is iedereen in {code}?"
                await joon.page.select_option("[name=language]", "nl")
                await joon.page.fill("[name=post]", text)
                await joon.page.click("#compose-form button[type=submit]")
                button = joon.post(text).locator("[data-translate]")
                await expect(button).to_have_text(offer)
                await button.click()
                await expect(joon.page.locator("main")).to_contain_text(f"{code}: {text}")
                await expect(joon.post(text)).to_have_count(1)
