"""Timelines by cursor: every post exactly once, whatever is written while one reads."""

import random
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from quart import Quart

from microblog import create_app
from microblog.actions import follows
from microblog.actions import posts as post_actions
from microblog.database import Database
from microblog.models import Post, User
from microblog.queries import users
from microblog.settings import Settings
from tests.conftest import both_databases
from tests.people import Browser, MakePost, MakeUser, Visit
from tests.statements import queries_of

PAGE = 4
TIMELINES = ["/", "/explore", "/user/mina", "/tag/서울"]
TEXT = "About #서울"


@pytest.fixture
async def small_pages(settings: Settings) -> AsyncIterator[Quart]:
    app = create_app(replace(settings, posts_per_page=PAGE))
    async with app.test_app():
        yield app


@pytest.fixture
async def browser(small_pages: Quart, database: Database, make_user: MakeUser) -> Browser:
    """The browser of Bora, who follows Mina."""
    mina, bora = await make_user("mina"), await make_user("bora")
    async with database.write() as tx:
        await follows.follow(tx, bora, mina, datetime.now(UTC))
    return await Visit(small_pages, database)(bora)


@pytest.fixture
async def mina(browser: Browser, database: Database) -> User:
    async with database.read() as read:
        return await users.by_username(read, "mina")


def shown(page: str) -> list[int]:
    """Return the ids of the posts of a page, in its order."""
    return [int(number) for number in re.findall(r'data-post="(\d+)"', page)]


def link(page: str, rel: str) -> str | None:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', page)
    return found[1] if found else None


@both_databases
@pytest.mark.parametrize("path", TIMELINES)
@pytest.mark.parametrize("seed", [1, 2])
async def test_way_to_older_pages_visits_each_post_once_while_others_are_written(
    browser: Browser, mina: User, make_post: MakePost, database: Database, path: str, seed: int
) -> None:
    chance = random.Random(seed)
    there = [(await make_post(mina, TEXT)).id for _ in range(chance.randint(PAGE, 5 * PAGE))]
    visited: list[int] = []
    gone: set[int] = set()
    address: str | None = path
    while address is not None:
        page = await browser.text(address)
        visited += shown(page)
        assert len(shown(page)) <= PAGE
        address = link(page, "next")
        for _ in range(chance.randint(0, 3)):
            await make_post(mina, TEXT)
        if chance.random() < 0.5:
            victim = chance.choice(there)
            gone.add(victim)
            await delete(database, mina, victim)
    assert visited == sorted(visited, reverse=True)
    assert len(visited) == len(set(visited))
    assert set(there) - gone <= set(visited) <= set(there)


async def delete(database: Database, author: User, post_id: int) -> None:
    async with database.write() as tx:
        post = await tx.get(Post, post_id)
        if post is not None and post.deleted_at is None:
            await post_actions.delete_post(tx, author, post_id, datetime.now(UTC))


@both_databases
@pytest.mark.parametrize("path", TIMELINES)
async def test_way_back_to_newer_pages_misses_nothing_that_was_written_meanwhile(
    browser: Browser, mina: User, make_post: MakePost, path: str
) -> None:
    ids = [(await make_post(mina, TEXT)).id for _ in range(3 * PAGE)]
    address: str | None = path
    last = path
    while address is not None:
        last, address = address, link(await browser.text(address), "next")
    ids += [(await make_post(mina, TEXT)).id for _ in range(PAGE + 1)]
    visited: list[int] = []
    address = last
    while address is not None:
        page = await browser.text(address)
        visited = shown(page) + visited
        address = link(page, "prev")
    assert visited == sorted(ids, reverse=True)


async def test_first_page_has_no_newer_and_last_page_no_older(
    browser: Browser, mina: User, make_post: MakePost
) -> None:
    for _ in range(PAGE):
        await make_post(mina, TEXT)
    page = await browser.text("/explore")
    assert len(shown(page)) == PAGE
    assert link(page, "next") is None
    assert link(page, "prev") is None
    await make_post(mina, TEXT)
    page = await browser.text("/explore")
    older = link(page, "next")
    assert older is not None
    page = await browser.text(older)
    assert len(shown(page)) == 1
    assert link(page, "next") is None
    assert link(page, "prev") is not None


@pytest.mark.parametrize("name", ["before", "after"])
@pytest.mark.parametrize(
    "cursor", ["x", "-1", "1.5", "1e3", " 1", "0x10", "١٢", "1;", "9" * 30, str(2**63), "\0", "'"]
)
async def test_what_is_no_cursor_is_refused_in_words(
    browser: Browser, name: str, cursor: str
) -> None:
    lists = ["/user/mina/followers", "/user/mina/following", "/notifications"]
    for path in [*TIMELINES, *lists]:
        answer = await browser.client.get(path, query_string={name: cursor})
        assert answer.status_code == 400, path
        assert "A cursor is the number" in await answer.get_data(as_text=True)


@pytest.mark.parametrize("path", [*TIMELINES, "/user/mina/followers", "/notifications"])
async def test_cursor_at_either_end_is_a_page_like_any_other(browser: Browser, path: str) -> None:
    for query in ("before=0", f"before={2**63 - 1}", "after=0", f"after={2**63 - 1}", "before="):
        assert (await browser.get(f"{path}?{query}")).status_code == 200, query


async def test_home_holds_ones_own_and_followed_and_explore_all(
    browser: Browser, mina: User, make_user: MakeUser, make_post: MakePost
) -> None:
    stranger = await make_user("stranger")
    await make_post(stranger, "Somebody's")
    await make_post(mina, "Followed")
    home, explore = await browser.text("/"), await browser.text("/explore")
    assert "Followed" in home
    assert "Somebody&#39;s" not in home
    assert len(shown(explore)) == 2


async def test_tag_is_found_in_any_case_and_width(
    browser: Browser, mina: User, make_post: MakePost
) -> None:
    post = await make_post(mina, "#CamelCase #서울")
    for path in ("/tag/camelcase", "/tag/CAMELCASE", "/tag/서울"):
        assert shown(await browser.text(path)) == [post.id], path
    assert shown(await browser.text("/tag/other")) == []


@both_databases
@pytest.mark.parametrize("name", ["%20", "%00", "-", "a%2Fb", "%ED%A0%80", "a" * 3000])
async def test_what_is_no_tag_is_not_found(browser: Browser, name: str) -> None:
    assert (await browser.get(f"/tag/{name}")).status_code == 404


async def test_empty_home_shows_people_and_what_everyone_writes(
    visit: Visit, make_user: MakeUser, make_post: MakePost
) -> None:
    bora = await make_user("bora")
    browser = await visit(await make_user("newcomer"))
    posts = [await make_post(bora, text) for text in ("First", "Second")]
    page = await browser.text("/")
    assert shown(page) == [post.id for post in reversed(posts)]
    assert "/follow/bora" in page
    topics = re.search(r'data-live-topics="([^"]*)"', page)
    assert topics
    assert topics[1] == "home", "what others write would be put into the feed"
    feed = re.search(r'<ol class="feed" id="feed".*?</ol>', page, re.DOTALL)
    assert feed
    assert shown(feed[0]) == []
    end = await browser.text(f"/?before={posts[0].id}")
    assert shown(end) == []
    await browser.post("/posts", {"post": "Mine"})
    assert len(shown(await browser.text("/"))) == 1


async def test_empty_home_of_an_empty_server_says_what_to_do(
    visit: Visit, make_user: MakeUser
) -> None:
    page = await (await visit(await make_user("newcomer"))).text("/")
    assert "microblog demo" in page
    assert "What everyone writes" not in page


@pytest.mark.parametrize("path", TIMELINES)
async def test_page_takes_eight_queries_however_many_posts_it_has(
    visit: Visit, make_user: MakeUser, make_post: MakePost, database: Database, path: str
) -> None:
    mina, bora = await make_user("mina"), await make_user("bora")
    others = [await make_user(f"other_{number}") for number in range(10)]
    async with database.write() as tx:
        for follower, followed in [(bora, mina), *((mina, other) for other in others)]:
            await follows.follow(tx, follower, followed, datetime.now(UTC))
    browser, asked = await visit(bora), []
    for more in (2, 23):
        for _ in range(more):
            await make_post(mina, f"{TEXT} @bora")
        await browser.text(path)
        asked.append(await queries_of(browser, path))
    assert len(shown(await browser.text(path))) == 25
    assert 4 <= len(asked[0]) == len(asked[1]) <= 8, asked
    newcomer = await visit(await make_user("newcomer"))  # whose friends follow nobody
    await newcomer.post("/user/bora/follow")
    await newcomer.text(path)
    assert len(await queries_of(newcomer, path)) <= 8
