"""Whom to follow, beside the pages: there at once for newcomers, and changed by following."""

import re

from tests.people import Browser, MakePost, MakeUser, Visit


async def suggested(browser: Browser, path: str = "/explore") -> list[str]:
    """Return who is suggested on a page, from the top."""
    rail = (await browser.text(path)).partition('data-refresh="suggestions"')[2]
    return re.findall(r'class="person-avatar" href="/user/(\w+)"', rail)


async def test_following_somebody_brings_others_at_once(
    visit: Visit, make_user: MakeUser, make_post: MakePost
) -> None:
    names = ["anna", "bora", "chul", "dora", "emil", "fritz", "gina"]
    people = {name: await make_user(name) for name in names}
    mina = await make_user("mina")
    await make_post(mina)
    browser = await visit(mina)
    before = await suggested(browser)
    assert len(before) == 5
    assert await suggested(browser, "/") == before
    other = await visit(people["bora"])
    await other.post("/follow/anna")
    await browser.post("/follow/bora")
    after = await suggested(browser)
    assert after[0] == "anna"
    assert "bora" not in after
    assert await suggested(browser) == after


async def test_newcomer_is_suggested_at_once_in_a_small_place(
    visit: Visit, make_user: MakeUser
) -> None:
    browser = await visit(await make_user("mina"))
    assert await suggested(browser) == []
    await make_user("bora")
    assert await suggested(browser) == ["bora"]
    assert "People to follow" in await browser.text("/")
