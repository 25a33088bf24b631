"""The home feed beside what plain Python makes of the same rows, for windows of every kind."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import delete, insert

from microblog.core.cursors import GREATEST, Page, Window
from microblog.database import Database
from microblog.models import Follow, Model, Post, User, table
from microblog.queries import posts
from tests.conftest import all_databases
from tests.people import MakePost, MakeUser

NOW = datetime.now(UTC)
PEOPLE = range(1, 9)
GONE = 8  # has left
LAST_ID = 80
ROUNDS, WINDOWS = 40, 60


@dataclass
class Village:
    """People, their posts, and whom one of them reads."""

    viewer: int
    followed: list[int]
    posts: list[dict[str, Any]]

    @property
    def visible(self) -> list[int]:
        """The ids of what belongs in the viewer's home feed, oldest first."""
        return [row["id"] for row in self.posts if self._is_visible(row)]

    def _is_visible(self, row: dict[str, Any]) -> bool:
        if row["deleted_at"] is not None or row["author_id"] == GONE:
            return False
        if row["author_id"] == self.viewer:
            return True
        return row["author_id"] in self.followed and row["visibility"] == "public"


def some_village(chance: random.Random) -> Village:
    ids = sorted(chance.sample(range(1, LAST_ID), chance.choice([0, 1, 5, 20, 50])))
    talkative = [chance.random() ** 4 for _ in PEOPLE]
    viewer = chance.choice(PEOPLE[:-1])
    eager = chance.choice([0.1, 0.5, 0.9])
    return Village(
        viewer,
        [one for one in PEOPLE if one != viewer and chance.random() < eager],
        [
            {
                "id": post_id,
                "author_id": chance.choices(PEOPLE, talkative)[0],
                "body": "",
                "visibility": chance.choice(["public"] * 4 + ["private"]),
                "created_at": NOW,
                "deleted_at": NOW if chance.random() < 0.15 else None,
            }
            for post_id in ids
        ],
    )


def some_window(chance: random.Random) -> Window:
    return Window(
        chance.choice([1, 2, 3, 7, 30]),
        chance.choice([None, chance.randint(0, LAST_ID + 15), GREATEST]),
        chance.choice([None, chance.randint(0, LAST_ID + 15)]),
    )


def naive(visible: Sequence[int], window: Window) -> Page[int]:
    """Return the page as the words of `Window` and `Page` have it."""
    before, after = window.before, window.after
    chosen = [one for one in visible if before is None or one < before]
    chosen = [one for one in chosen if after is None or one > after]
    shown = chosen[: window.limit] if window.rising else chosen[-window.limit :]
    if not shown:
        return Page(())
    more = len(chosen) > len(shown)
    older = window.rising or more
    newer = more if window.rising else before is not None
    ends = shown[0] if older else None, shown[-1] if newer else None
    return Page(tuple(reversed(shown)), *ends)


async def settle(database: Database, village: Village) -> None:
    """Put a village in the place of the one before."""
    follows = [
        {"follower_id": village.viewer, "followed_id": one, "created_at": NOW}
        for one in village.followed
    ]
    rows: tuple[tuple[type[Model], list[dict[str, Any]]], ...]
    rows = ((Post, village.posts), (Follow, follows))
    async with database.write() as tx:
        for model, new in rows:
            await tx.execute(delete(table(model)))
            if new:
                await tx.execute(insert(table(model)), new)


def person(number: int) -> dict[str, Any]:
    name = f"person{number}"
    return {
        "id": number,
        "username": name,
        "username_key": name,
        "email": f"{name}@example.org",
        "email_key": f"{name}@example.org",
        "password_hash": "",
        "display_name": "",
        "about_me": "",
        "role": "member",
        "first_seen": NOW,
        "last_seen": NOW,
        "post_count": 0,
        "follower_count": 0,
        "following_count": 0,
        "deactivated_at": NOW if number == GONE else None,
    }


@all_databases
async def test_home_is_what_a_naive_reading_of_the_rows_gives(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(7)
    async with database.write() as tx:
        await tx.execute(insert(table(User)), [person(number) for number in PEOPLE])
    wrong, full = [], 0
    for _ in range(ROUNDS if database.vendor != "mysql" else ROUNDS // 3):  # it is slow
        near = chance.choice([1, 2, 3, 5, 8, 20, 60])
        monkeypatch.setattr(posts, "NEAR_EVENTS", near)
        village = some_village(chance)
        await settle(database, village)
        async with database.read() as read:
            for _ in range(WINDOWS):
                window = some_window(chance)
                page = await posts.home(read, village.viewer, window)
                found = Page(tuple(post.id for post in page.items), page.before, page.after)
                expected = naive(village.visible, window)
                full += len(expected.items) == window.limit
                if found != expected:
                    wrong.append((near, window, found, expected))
    assert wrong == []
    assert full > 50  # else little was tried


@all_databases
@pytest.mark.parametrize("near", [3, 3000])
async def test_nothing_comes_before_the_first_id(
    database: Database,
    make_user: MakeUser,
    make_post: MakePost,
    monkeypatch: pytest.MonkeyPatch,
    near: int,
) -> None:
    monkeypatch.setattr(posts, "NEAR_EVENTS", near)
    mina = await make_user()
    written = [(await make_post(mina)).id for _ in range(6)]
    async with database.read() as read:
        assert (await posts.home(read, mina.id, Window(5, before=0))).items == ()
        first = await posts.home(read, mina.id, Window(5, before=written[0] + 1))
        assert [post.id for post in first.items] == written[:1]
