"""A page that has been open, dropped and reconnected shows what the same page shows when loaded.

`OpenPage` does with live items what `static/js/feed.js` does; journeys try the script itself.
"""

import contextlib
import random
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from microblog.actions import follows, posts
from microblog.actions.posts import Draft, Edit
from microblog.core import events
from microblog.core.errors import MicroblogError
from microblog.database import Database, Tx
from microblog.models import User
from microblog.queries import posts as queries
from microblog.render.frames import HTML_FORM
from microblog.settings import Settings
from tests import forms
from tests.live.clients import LiveClient, listening
from tests.people import Browser, MakePost, MakeUser, Visit, session_cookie
from tests.serving import Serving, serving

SIGNS = 10**9  # greater than the number of any notification
ROUNDS = forms.of(25, 120)
NAMES = ("mina", "jun", "bora", "chul")
LIST = re.compile(r'<ol class="feed[^"]*" id="(above|post|feed)"([^>]*)>(.*?)</ol>', re.DOTALL)
ITEM = re.compile(r'<li class="feed-item" data-post="(\d+)">(.*?)</li>', re.DOTALL)
ARTICLE = re.compile(r"<article.*?</article>", re.DOTALL)
PLACE = re.compile(r'data-live-epoch="(.*?)" data-live-cursor="(.*?)" data-live-topics="(.*?)"')
Lists = dict[str, dict[str, str | None]]


@dataclass
class OpenPage:
    """A page as a browser holds it: lists of posts by id; None is the place of a deleted one."""

    url: str
    browser: Browser
    cookie: str
    path: str
    lists: Lists = field(default_factory=dict)
    feed: str = ""
    position: tuple[str, str, str] = ("", "", "")
    client: LiveClient | None = None
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def load(self) -> Lists:
        """Load the page; return its lists."""
        page = await self.browser.text(self.path)
        found = PLACE.search(page)
        assert found is not None
        self.position = (found[1], found[2], found[3])
        self.lists = {}
        for name, attributes, items in LIST.findall(page):
            self.lists[name] = {post_id: article(item) for post_id, item in ITEM.findall(items)}
            self.feed = attributes if name == "feed" else self.feed
        return self.lists

    async def connect(self) -> None:
        if self.client is None:
            epoch, cursor, topics = self.position
            how = {"since": cursor, "epoch": epoch, "topics": topics}
            opened = listening(self.url, cookie=self.cookie, form=HTML_FORM, max_size=None, **how)
            self.client = await self.stack.enter_async_context(opened)

    async def drop(self) -> None:
        await self.stack.aclose()
        self.client = None

    async def catch_up(self, sign: int) -> None:
        """Take what comes until the sign that all has come."""
        await self.connect()
        while self.client is not None:
            frame = await self.client.frame(20)
            epoch, cursor, topics = self.position
            if frame["type"] == "resync":
                await self.drop()
                await self.load()
                return
            if frame["type"] == "events":
                new = [each for each in frame["items"] if int(each["id"]) > int(cursor)]
                self.position = (epoch, frame["cursor"], topics)
                for each in new:
                    self.apply(each["kind"], each["data"])
                if any(each["data"].get("up_to") == str(sign) for each in new):
                    return

    def apply(self, kind: str, data: dict[str, Any]) -> None:
        if kind == "post.published" and self.belongs(data) and data["id"] not in self.lists["feed"]:
            self.place(data)
        for items in self.lists.values():
            shown = items.get(data.get("id", ""))
            if shown is None:
                continue
            if kind == "post.edited":
                items[data["id"]] = data["html"]
            elif kind == "post.counts":
                items[data["id"]] = counted(shown, data)
        if kind == "post.deleted":
            self.remove(data)

    def belongs(self, data: dict[str, Any]) -> bool:
        answers = re.search(r'data-answers="(\d+)"', self.feed)
        if answers:
            return bool(data["reply_to"] == answers[1])
        if "data-without-replies" in self.feed:
            return data["reply_to_author"] in (None, data["author_id"])
        return True

    def place(self, data: dict[str, Any]) -> None:
        items = {**self.lists["feed"], data["id"]: data["html"]}
        newest_first = "data-answers" not in self.feed
        ids = sorted(items, key=int, reverse=newest_first)
        self.lists["feed"] = {post_id: items[post_id] for post_id in ids}

    def remove(self, data: dict[str, Any]) -> None:
        is_conversation = "data-answers" in self.feed
        for name, items in self.lists.items():
            if data["id"] in items:
                if is_conversation and (name != "feed" or "counts" in data):
                    items[data["id"]] = None
                else:
                    del items[data["id"]]


def article(item: str) -> str | None:
    found = ARTICLE.search(item)
    return found[0] if found else None


def counted(shown: str, data: dict[str, Any]) -> str:
    place, replies = f'data-replies="{data["id"]}">', data["counts"]["replies"]
    return re.sub(rf"{place}\d*<", f"{place}{replies or ''}<", shown)


def tails(old: str | None, fresh: str | None) -> str:
    """Say from where on two articles differ."""
    if old is None or fresh is None:
        return f"{old} is {fresh}"
    start = next(n for n in range(len(old)) if old[: n + 1] != fresh[: n + 1])
    return f"{old[start - 60 : start + 90]} IS {fresh[start - 60 : start + 90]}"


def differing(old: Lists, fresh: Lists) -> list[str]:
    """Say in which places two pages differ."""
    found = []
    for name, items in fresh.items():
        had = old[name]
        found += [f"{name} {one}: only old" for one in had if one not in items]
        found += [f"{name} {one}: only fresh" for one in items if one not in had]
        both = [one for one in items if one in had]
        found += [
            f"{name} {one}: {tails(had[one], items[one])}" for one in both if had[one] != items[one]
        ]
        found += [f"{name}: another order"] if not found and list(had) != list(items) else []
    return found


@dataclass
class Village:
    """People who do this and that; the root of a conversation, and a post in it, stay."""

    chance: random.Random
    people: list[User]
    kept: set[int]
    written: list[int]

    async def live(self, database: Database) -> None:
        """Do some things, each for itself."""
        for _ in range(self.chance.randint(1, 6)):
            with contextlib.suppress(MicroblogError):  # what was chosen is gone
                async with database.write() as tx:
                    await self._act(tx)

    async def _act(self, tx: Tx) -> None:
        who, now = self.chance.choice(self.people), datetime.now(UTC)
        other = self.chance.choice([one for one in self.people if one != who])
        post_id = self.chance.choice(self.written + 3 * list(self.kept))
        match self.chance.choice(
            ("post", "reply", "reply", "reply", "edit", "edit", "go", "follow")
        ):
            case "post":
                await self._publish(tx, who, None, now)
            case "reply":
                await self._publish(tx, who, post_id, now)
            case "edit":
                post = await queries.visible(tx, post_id, None)
                author = next(one for one in self.people if one.id == post.author_id)
                change = Edit(f"{post.body}, @{other.username}", post.version)
                await posts.edit(tx, author, post_id, change, now)
            case "go" if post_id not in self.kept:
                post = await queries.visible(tx, post_id, None)
                author = next(one for one in self.people if one.id == post.author_id)
                await posts.delete_post(tx, author, post_id, now)
            case "follow" if self.chance.random() < 0.3:
                change_of_mind = self.chance.choice((follows.unfollow, None))
                if change_of_mind:
                    await change_of_mind(tx, who, other)
                else:
                    await follows.follow(tx, who, other, now)

    async def _publish(self, tx: Tx, who: User, reply_to: int | None, now: datetime) -> None:
        body = self.chance.choice(("Hello", "안녕 #서울", "@mina @jun"))
        post = await posts.publish(tx, who, Draft(body, reply_to=reply_to), now)
        self.written.append(post.id)


@pytest.fixture
async def roomy(settings: Settings, database: Database) -> AsyncIterator[Serving]:
    """A server whose pages hold all that is written here."""
    async with serving(replace(settings, posts_per_page=100)) as running:
        database.ring = running.runtime.bell.ring
        yield running


@pytest.mark.R10
async def test_open_pages_show_what_fresh_pages_show(
    roomy: Serving, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    chance = random.Random(10)
    people = [await make_user(name) for name in NAMES]
    mina = people[0]
    root = await make_post(people[1], "Root")
    middle = await make_post(people[2], "Middle", reply_to=root.id)
    village = Village(chance, people, {root.id, middle.id}, [root.id, middle.id])
    browser = await Visit(roomy.app, database)(mina)
    cookie = await session_cookie(database, roomy.app, mina)
    paths = ("/", "/explore", f"/post/{root.id}", f"/post/{middle.id}", "/user/jun")
    pages = [OpenPage(roomy.live_url, browser, cookie, path) for path in paths]
    for page in pages:
        await page.load()
    for number in range(ROUNDS):
        for page in pages:
            await (page.drop() if chance.random() < 0.5 else page.connect())
        await village.live(database)
        if chance.random() < 0.2:
            roomy.runtime.hub.ring.begin(roomy.runtime.hub.head)  # as after many events
        sign = SIGNS + number
        async with database.write() as tx:
            tx.announce(events.notifications_read(mina.id, sign))
        for page in pages:
            await page.catch_up(sign)
            fresh = OpenPage(roomy.live_url, browser, cookie, page.path)
            assert differing(page.lists, await fresh.load()) == [], (number, page.path)
    for page in pages:
        await page.drop()
