"""Mina is told what others do: in two tabs, by two processes, of which one is killed meanwhile."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest
from playwright.async_api import Page, expect

from microblog.actions import follows, posts
from microblog.database import Database, open_database
from microblog.models import User
from microblog.queries.rows import PostRow
from microblog.settings import Settings
from tests.conftest import require
from tests.journeys.browsing import PASSWORD, Person, chromium, person
from tests.people import MakePost, MakeUser
from tests.services import AppServer, Postgres, Redis

PATIENCE_MS = 20_000
ICON = "link[rel=icon]"
DRAWN = re.compile("^data:image/png")


@pytest.fixture
def servers(
    postgres_server: Postgres, migrated_postgres: str, redis_server: Redis
) -> Iterator[list[AppServer]]:
    """Two processes that are one microblog."""
    require("chromium")
    env = {
        "DATABASE_URL": postgres_server.create_database(migrated_postgres),
        "REDIS_URL": redis_server.url,
        "SECRET_KEY": "badges" * 8,
        "MICROBLOG_BCRYPT_ROUNDS": "4",
    }
    with AppServer(env) as one, AppServer(env) as two:
        yield [one, two]


@pytest.fixture
async def database(servers: list[AppServer]) -> AsyncIterator[Database]:
    opened = open_database(Settings(database_url=servers[0].env["DATABASE_URL"]))
    yield opened
    await opened.close()


async def follow(database: Database, who: User, whom: User) -> None:
    async with database.write() as tx:
        await follows.follow(tx, who, whom, datetime.now(UTC))


async def tells(page: Page, unread: int) -> None:
    """Wait until a tab tells how many are unread: in its title, its icon and its navigation."""
    title = re.compile(rf"^\({unread}\) ") if unread else re.compile(r"^[^(]")
    await expect(page).to_have_title(title, timeout=PATIENCE_MS)
    icon = DRAWN if unread else re.compile("favicon.svg$")
    await expect(page.locator(ICON)).to_have_attribute("href", icon)
    badge = page.locator("nav.side [data-unread] b")
    if unread:
        await expect(badge).to_have_text(str(unread))
    else:
        await expect(badge).to_be_hidden()


async def items(page: Page) -> list[str]:
    """Return who did what, newest first."""
    found = await page.locator("#notifications .notification-words > p").all_inner_texts()
    return [" ".join(text.split("\n")[0].split()) for text in found]


async def log_in(mina: Person) -> None:
    await mina.go("/auth/login")
    await mina.page.fill("[name=username]", "mina")
    await mina.page.fill("[name=password]", PASSWORD)
    await mina.page.click("main form button[type=submit]")
    await expect(mina.page.locator("[name=post]")).to_be_visible()
    await mina.is_live()


@pytest.mark.limit(180)
async def test_badges_are_equal_in_all_tabs_whatever_happens(
    servers: list[AppServer], database: Database
) -> None:
    make_user, make_post = MakeUser(database), MakePost(database)
    mina, bora, chul, dana = [
        await make_user(name, language="en") for name in ("mina", "bora", "chul", "dana")
    ]
    post = await make_post(mina, "What do you read?")
    async with chromium() as browser, person(browser, servers[0].url, locale="en") as me:
        await log_in(me)
        first, second = me.page, await me.context.new_page()
        await second.goto(f"{servers[1].url}/explore")
        await follow(database, bora, mina)
        await follow(database, chul, mina)
        greeting = await make_post(bora, "Good morning @mina")
        for tab in (first, second):
            await tells(tab, 3)
        # The second window is closed and opened, and a server killed between.
        await second.close()
        await asyncio.to_thread(servers[0].kill)
        for author in (bora, chul, bora):
            await make_post(author, "A novel", reply_to=post.id)
        await asyncio.to_thread(servers[0].start)
        second = await me.context.new_page()
        await second.goto(f"{servers[1].url}/explore")
        for tab in (first, second):
            await tells(tab, 6)
        # The post that was answered is looked at: whoever sees it has seen the answers.
        await second.goto(f"{servers[1].url}/post/{post.id}")
        for tab in (first, second):
            await tells(tab, 3)
        await make_post(dana, "A poem", reply_to=post.id)
        await tells(first, 3)
        await second.goto(f"{servers[1].url}/notifications")
        await the_list_is_live(first, second, database, dana, mina)
        await what_is_taken_back_goes(second, database, greeting, chul, mina)


async def what_is_taken_back_goes(
    page: Page, database: Database, greeting: PostRow, chul: User, mina: User
) -> None:
    async with database.write() as tx:
        bora = await tx.get(User, greeting.author_id)
        assert bora is not None
        await posts.delete_post(tx, bora, greeting.id, datetime.now(UTC))
        await follows.unfollow(tx, chul, mina)
    told = await reloaded(page)
    assert told[-1] == "bora followed you"
    assert len(told) == 4


async def reloaded(page: Page) -> list[str]:
    """Return what a list tells, which must be the same after it is loaded anew."""
    await expect(page.locator("#notifications > li")).to_have_count(4, timeout=PATIENCE_MS)
    await expect(page.locator("#notifications > li").last).to_contain_text("bora followed you")
    live = await items(page)
    await page.reload()
    assert await items(page) == live
    return live


async def the_list_is_live(
    first: Page, second: Page, database: Database, dana: User, mina: User
) -> None:
    told = [
        "dana replied to your post",
        "bora and 1 other replied to your post",
        "bora mentioned you",
        "chul and 1 other followed you",
    ]
    await expect(second.locator("#notifications > li")).to_have_count(4)
    assert await items(second) == told
    # What stands in the window for a second is read, in every tab.
    for tab in (first, second):
        await tells(tab, 0)
    await expect(second.locator(".is-unread")).to_have_count(0)
    await follow(database, dana, mina)
    await expect(second.locator("#notifications > li")).to_have_count(5, timeout=PATIENCE_MS)
    told.insert(0, "dana followed you")
    assert await items(second) == told
    for tab in (first, second):
        await tells(tab, 0)
