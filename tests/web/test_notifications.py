"""What people are told of: once, until it is read or no longer so."""

import re

from tests.conftest import all_databases
from tests.people import Browser, MakePost, MakeUser, Visit

WORDS = re.compile(r'data-name>([^<]+)</a>\s*<span class="quiet">\s*([^<]+?)\s*</span>')


async def told(browser: Browser) -> list[tuple[str, str, bool]]:
    """Return (who, what, unread) of each notification, newest first."""
    page = await browser.text("/notifications")
    found = re.findall(r'<li class="notification( is-unread)?".*?</li>', page, re.DOTALL)
    items = re.findall(r'<li class="notification.*?</li>', page, re.DOTALL)
    assert len(found) == len(items)
    return [
        (
            re.findall(r'data-name>([^<]+)</a>\s*<span class="quiet">\s*([^<]+?)\s*</span>', item)[
                0
            ]
            + ("is-unread" in item.partition(">")[0],)
        )
        for item in items
    ]


async def unread(browser: Browser) -> int:
    """Return the number that every page tells."""
    found = re.search(r'data-unread-count="(\d+)"', await browser.text("/explore"))
    assert found
    return int(found[1])


@all_databases
async def test_follow_and_mention_tell_once_each_and_count_in_the_badge(
    visit: Visit, make_user: MakeUser
) -> None:
    mina, bora = await make_user("mina"), await make_user("bora")
    browser, other = await visit(mina), await visit(bora)
    await other.post("/follow/mina")
    await other.post("/follow/mina")
    await other.post("/posts", {"post": "@mina @MINA hello, @mina"})
    assert await told(browser) == [("bora", "mentioned you", True), ("bora", "followed you", True)]
    assert await unread(browser) == 2
    assert await unread(other) == 0
    assert "<title>(2) " in await browser.text("/")


async def test_nobody_is_told_of_their_own_mention_or_of_nobody(
    visit: Visit, make_user: MakeUser
) -> None:
    browser = await visit(await make_user("mina"))
    assert (await browser.post("/posts", {"post": "@mina @nobody @x"})).status_code == 303
    assert await told(browser) == []
    assert await unread(browser) == 0


async def test_reading_the_page_marks_nothing(visit: Visit, make_user: MakeUser) -> None:
    browser, other = await visit(await make_user("mina")), await visit(await make_user("bora"))
    await other.post("/follow/mina")
    for _ in range(2):
        await told(browser)
    assert await unread(browser) == 1


@all_databases
async def test_marked_up_to_one_the_newer_stay_unread(
    visit: Visit, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, bora = await make_user("mina"), await make_user("bora")
    browser, other = await visit(mina), await visit(bora)
    for text in ("First @mina @bora", "Second @mina", "Third @mina"):
        await make_post(bora, text)
    await make_post(mina, "@bora, yes?")
    page = await browser.text("/notifications")
    positions = re.findall(r'data-position="(\d+)"', page)
    answer = await browser.post("/notifications/read", {"up_to": positions[1]})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/notifications")
    assert [is_new for _, _, is_new in await told(browser)] == [True, False, False]
    assert await unread(browser) == 1
    assert await unread(other) == 1, "they are another's"
    program = {"Accept": "application/json"}
    answer = await browser.post("/notifications/read", headers=program)
    assert await answer.get_json() == {"unread_count": 0}
    assert [is_new for _, _, is_new in await told(browser)] == [False, False, False]
    assert await unread(browser) == 0
    assert await unread(other) == 1


@all_databases
async def test_marked_alone_the_older_stay_unread(
    visit: Visit, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, bora = await make_user("mina"), await make_user("bora")
    browser, other = await visit(mina), await visit(bora)
    for text in ("First @mina", "Second @mina", "Third @mina"):
        await make_post(bora, text)
    await make_post(mina, "@bora, yes?")
    middle = re.findall(r'data-notification="(\d+)"', await browser.text("/notifications"))[1]
    await other.post("/notifications/read", {"id": middle})
    assert await unread(browser) == 3, "only its owner may mark it"
    for _ in range(2):
        assert (await browser.post("/notifications/read", {"id": middle})).status_code == 303
    assert [is_new for _, _, is_new in await told(browser)] == [True, False, True]
    assert await unread(browser) == 2
    assert await unread(other) == 1


async def test_what_is_no_number_marks_nothing(visit: Visit, make_user: MakeUser) -> None:
    browser, other = await visit(await make_user("mina")), await visit(await make_user("bora"))
    await other.post("/follow/mina")
    for number in ("x", "-1", "1.5", "9" * 30, "\0", str(2**63)):
        for name in ("id", "up_to", "post_id"):
            answer = await browser.post("/notifications/read", {name: number})
            assert answer.status_code == 400, number
    assert await unread(browser) == 1


@all_databases
async def test_what_is_no_longer_so_is_taken_back(visit: Visit, make_user: MakeUser) -> None:
    browser, other = await visit(await make_user("mina")), await visit(await make_user("bora"))
    await other.post("/follow/mina")
    await other.post("/posts", {"post": "Hello @mina"})
    found = re.search(r'data-post="(\d+)"', await other.text("/user/bora"))
    assert found
    await other.post("/unfollow/mina")
    assert await told(browser) == [("bora", "mentioned you", True)]
    await other.post(f"/post/{found[1]}/delete")
    assert await told(browser) == []
    assert await unread(browser) == 0
    await other.post("/follow/mina")
    assert await told(browser) == [("bora", "followed you", True)]


async def test_stranger_is_sent_to_the_log_in_and_back(visit: Visit) -> None:
    browser = await visit()
    answer = await browser.get("/notifications?before=9")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/auth/login?next=/notifications?before%3D9"
    assert (await browser.post("/notifications/read")).status_code == 303


async def test_error_page_shows_the_badge_too(
    visit: Visit, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    await make_post(mina, "Hello @jun")
    page = await (await (await visit(jun)).get("/post/999999")).get_data(as_text=True)
    assert "<title>(1) " in page
