"""Two people converse: replies, counts, edits and deletions arrive, also after a restart."""

import re
from itertools import pairwise
from typing import Any

from playwright.async_api import expect

from tests.conftest import require
from tests.journeys.browsing import Person, chromium, person
from tests.services import AppServer


def items(someone: Person) -> Any:
    """Return the replies on the page of a post."""
    return someone.page.locator("#feed .feed-item")


async def reply(someone: Person, text: str) -> None:
    await someone.page.fill("#reply", text)
    await someone.page.click("#compose-form button[type=submit]")
    # The first post of a process waits for the model that guesses its language.
    await expect(items(someone).filter(has_text=text)).to_have_count(1, timeout=20_000)


async def test_conversation_is_live_and_nothing_of_it_is_missed() -> None:
    require("chromium")
    with AppServer({"MICROBLOG_BCRYPT_ROUNDS": "4"}) as server:
        async with (
            chromium() as browser,
            person(browser, server.url) as mina,
            person(browser, server.url) as jun,
        ):
            await _they_meet(mina, jun)
            server.restart()
            await _jun_edits(mina, jun)
            await _what_is_deleted_keeps_its_place(mina, jun)


async def _they_meet(mina: Person, jun: Person) -> None:
    await mina.sign_up("mina")
    await jun.sign_up("jun")
    await mina.write("Which bakery opens before seven?")
    await mina.is_live()
    await jun.go("/explore")
    await jun.page.click(".post-reply")
    await expect(jun.page.locator("#reply")).to_be_focused()
    await jun.is_live()
    await _nothing_lies_between(jun, ".exact-time", "#compose-form", "#replies")
    await expect(jun.page.get_by_text("No replies yet.")).to_be_visible()
    await reply(jun, "The one at the corner")
    count = mina.page.locator(".feed-item [data-replies]").first
    await expect(count).to_have_text("1")

    await mina.page.locator(".post-time").first.click()
    await mina.is_live()
    await reply(mina, "Since when?")
    await expect(items(jun)).to_have_count(2)
    await expect(items(jun).last).to_contain_text("Since when?")


async def _nothing_lies_between(someone: Person, *selectors: str) -> None:
    """What belongs together stands together, whatever the height of the window."""
    boxes = [await someone.page.locator(each).bounding_box() for each in selectors]
    for upper, lower in pairwise(boxes):
        assert upper
        assert lower
        assert 0 <= lower["y"] - upper["y"] - upper["height"] < 50


async def _jun_edits(mina: Person, jun: Person) -> None:
    await items(jun).first.locator("summary").click()
    await items(jun).first.locator("a", has_text="Edit post").click()
    await jun.page.fill("[name=post]", "The one at the corner, at six")
    await jun.page.click("main form button[type=submit]")
    await expect(jun.page.locator("#above")).to_contain_text("Which bakery")
    await expect(items(mina).first).to_contain_text("at six", timeout=20_000)
    await expect(items(mina)).to_have_count(2)
    await expect(items(mina).first.locator(".post-edited")).to_be_visible()


async def _what_is_deleted_keeps_its_place(mina: Person, jun: Person) -> None:
    await jun.is_live()
    await reply(jun, "Below")
    await expect(items(mina).first.locator("[data-replies]")).to_have_text("1")
    await mina.page.locator("#feed .post-menu summary").click()
    await mina.page.locator("#feed [data-delete]").click()
    await expect(items(mina)).to_have_count(1)
    await jun.page.locator("#post summary").click()
    await jun.page.locator("#post [data-delete]").click()
    await expect(items(mina).first).to_have_text(re.compile("This post was deleted"))
    shown = await items(mina).all_inner_texts()
    await mina.page.reload()
    assert await items(mina).all_inner_texts() == shown
