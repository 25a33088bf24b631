"""Following in the pages: counts that stay right whatever happens at once."""

import asyncio
import re
from collections.abc import Coroutine
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from quart import Quart
from sqlalchemy import func, select

from microblog import create_app
from microblog.actions import accounts, follows
from microblog.database import Database
from microblog.models import Follow, Notification, Post, User
from microblog.settings import Settings
from tests.conftest import all_databases, both_databases
from tests.people import Browser, MakePost, MakeUser, Visit

STRANGERS = 20


async def counts(database: Database) -> dict[str, tuple[int, int]]:
    """Return (followers, following) of each person, as their rows say."""
    async with database.read() as read:
        people = await read.scalars(select(User))
        return {p.username: (p.follower_count, p.following_count) for p in people}


async def counted(database: Database) -> dict[str, tuple[int, int]]:
    """Return the same, counted anew."""
    async with database.read() as read:
        found = {}
        for person in list(await read.scalars(select(User))):
            followers = select(func.count()).where(Follow.followed_id == person.id)
            following = select(func.count()).where(Follow.follower_id == person.id)
            found[person.username] = (
                int(await read.scalar(followers)),
                int(await read.scalar(following)),
            )
        return found


async def send(browser: Browser, token: str, path: str, **fields: str) -> int:
    """Send a form with a token that is known already; return the status."""
    answer = await browser.client.post(path, form={"csrf_token": token} | fields)
    return int(answer.status_code)


@all_databases
async def test_following_and_unfollowing_twice_counts_once(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    mina, _bora = await make_user("mina"), await make_user("bora")
    browser = await visit(mina)
    for _ in range(2):
        answer = await browser.post("/follow/BORA")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/user/bora")
    assert await counts(database) == {"mina": (0, 1), "bora": (1, 0)}
    assert "/unfollow/bora" in await browser.text("/user/bora")
    for _ in range(2):
        assert (await browser.post("/unfollow/bora")).status_code == 303
    assert await counts(database) == {"mina": (0, 0), "bora": (0, 0)}
    assert "/follow/bora" in await browser.text("/user/bora")


async def test_nobody_follows_themselves(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    browser = await visit(await make_user())
    assert (await browser.post("/follow/mina")).status_code == 303
    assert "You cannot follow yourself." in await browser.text("/user/mina")
    assert (await browser.post("/unfollow/mina")).status_code == 303
    assert await counts(database) == {"mina": (0, 0)}


@both_databases
@pytest.mark.parametrize("name", ["nobody", "%00", "%ED%A0%80", "한글", "x" * 3000])
async def test_person_who_is_not_there_cannot_be_followed(
    visit: Visit, make_user: MakeUser, name: str
) -> None:
    browser = await visit(await make_user())
    for path in (f"/follow/{name}", f"/unfollow/{name}"):
        assert (await browser.post(path)).status_code in {400, 404}
    for path in (f"/user/{name}", f"/user/{name}/followers", f"/user/{name}/following"):
        assert (await browser.get(path)).status_code in {400, 404}


async def test_stranger_is_sent_to_the_log_in(visit: Visit, make_user: MakeUser) -> None:
    await make_user()
    answer = await (await visit()).post("/follow/mina")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/login")


@all_databases
async def test_counts_are_right_after_many_follow_and_unfollow_one_person_at_once(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    await make_user("star")
    browsers = [await visit(await make_user(f"fan_{n}")) for n in range(STRANGERS)]
    tokens = [await browser.token() for browser in browsers]

    async def everyone(*actions: str) -> None:
        statuses = await asyncio.gather(
            *(
                send(browsers[n], tokens[n], f"/{actions[n % len(actions)]}/star")
                for n in range(STRANGERS)
            )
        )
        assert set(statuses) == {303}

    await everyone("follow")
    assert (await counts(database))["star"] == (STRANGERS, 0)
    await everyone("follow", "unfollow")
    assert (await counts(database))["star"] == (STRANGERS // 2, 0)
    assert await counts(database) == await counted(database)
    async with database.read() as read:
        assert await read.scalar(select(func.count()).select_from(Notification)) == STRANGERS // 2


@all_databases
async def test_one_person_who_clicks_madly_is_counted_right(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    browser = await visit(await make_user("mina"))
    await make_user("bora")
    token = await browser.token()
    clicks = ["/follow/bora", "/follow/bora", "/unfollow/bora"] * 7
    statuses = await asyncio.gather(*(send(browser, token, path) for path in clicks))
    assert set(statuses) == {303}
    assert await counts(database) == await counted(database)
    assert (await counts(database))["bora"][0] in {0, 1}


@all_databases
async def test_everything_at_once_waits_for_nothing_for_ever(
    visit: Visit, make_user: MakeUser, make_post: MakePost, database: Database
) -> None:
    """Mutual follows, posts with mentions, deletions, reading and presence, crosswise."""
    people = [await make_user(f"person_{n}") for n in range(6)]
    posts = [await make_post(person, "Soon gone @person_0 @person_1") for person in people]
    browsers = [await visit(person) for person in people]
    tokens = [await browser.token() for browser in browsers]

    async def seen(order: int) -> int:
        ids = [person.id for person in people][::order]
        async with database.write() as tx:
            await accounts.seen(tx, set(ids), datetime.now(UTC))
        return 303

    work: list[Coroutine[Any, Any, int]] = []
    for n, other in [(a, b) for a in range(6) for b in range(6) if a != b]:
        work.append(send(browsers[n], tokens[n], f"/follow/person_{other}"))
        work.append(send(browsers[n], tokens[n], "/posts", post=f"@person_{other} hi"))
        work.append(send(browsers[n], tokens[n], "/notifications/read"))
        work.append(seen((-1) ** other))
    work += [
        send(browsers[n], tokens[n], f"/post/{post.id}/delete") for n, post in enumerate(posts)
    ]
    statuses: list[int] = []
    for start in range(0, len(work), 20):
        statuses += await asyncio.gather(*work[start : start + 20])
    assert set(statuses) == {303}
    assert set((await counts(database)).values()) == {(5, 5)}
    async with database.read() as read:
        for person in people:
            written = select(func.count()).where(
                Post.author_id == person.id, Post.deleted_at.is_(None)
            )
            now = await read.get(User, person.id)
            assert now is not None
            assert now.post_count == await read.scalar(written) == 5


# --- Lists -------------------------------------------------------------------------------------


def names(page: str) -> list[str]:
    """Return the people of a list, in its order."""
    return re.findall(r'<span class="post-handle"[^>]*>@(\w+)</span>', page)


def link(page: str, rel: str) -> str | None:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', page)
    return found[1] if found else None


@both_databases
@pytest.mark.parametrize("kind", ["followers", "following"])
async def test_lists_are_paged_the_latest_first_without_doubles_or_holes(
    settings: Settings, database: Database, make_user: MakeUser, kind: str
) -> None:
    mina = await make_user("mina")
    others = [await make_user(f"other_{n}") for n in range(8)]

    async def add(other: User) -> None:
        pair = (other, mina) if kind == "followers" else (mina, other)
        async with database.write() as tx:
            await follows.follow(tx, *pair, datetime.now(UTC))

    for other in others[:7]:
        await add(other)
    app: Quart = create_app(replace(settings, posts_per_page=3))
    async with app.test_app():
        browser = await Visit(app, database)()
        path: str | None = f"/user/mina/{kind}"
        pages: list[list[str]] = []
        while path is not None:
            page = await browser.text(path)
            pages.append(names(page))
            before, path = path, link(page, "next")
            if len(pages) == 1:
                await add(others[7])
        assert pages == [
            ["other_6", "other_5", "other_4"],
            ["other_3", "other_2", "other_1"],
            ["other_0"],
        ]
        back = link(await browser.text(before), "prev")
        assert back is not None
        assert names(await browser.text(back)) == pages[1]
        assert names(await browser.text(f"/user/mina/{kind}"))[0] == "other_7"
