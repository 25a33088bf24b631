"""The badge is the number of unread rows, and the list a fresh page: whatever happens, in
whatever order and however often it is delivered.
"""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, example, given
from hypothesis import settings as how
from hypothesis import strategies as some
from quart import Quart

from microblog.actions import follows, notifications, posts
from microblog.actions.posts import Draft
from microblog.core.cursors import Window
from microblog.core.errors import NotFound
from microblog.database import Database, Tx
from microblog.models import User
from microblog.queries import events
from microblog.queries import notifications as notification_queries
from microblog.queries.events import Delivery
from microblog.render import json as as_json
from microblog.render.frames import JSON_FORM, item
from tests.conftest import both_databases
from tests.people import MakeUser

ALL = Window(100)
Step = tuple[str, int, int]
DEEDS = ("mention", "reply", "follow", "unfollow", "message", "delete", "forget")
WHAT = (*DEEDS, "one", "all", "up_to", "seen", "heard")
STEPS = some.lists(
    some.tuples(
        some.sampled_from(WHAT),
        some.integers(0, 2),
        some.integers(0, 9),
    ),
    min_size=1,
    max_size=14,
)


@dataclass
class Tab:
    """What a client makes of the items that it is told: each is the state, applied by its id."""

    badge: int = 0
    items: dict[str, dict[str, Any]] = field(default_factory=dict)

    def take(self, kind: str, data: dict[str, Any]) -> None:
        self.badge = data["unread_count"]
        if kind == "notifications.read":
            for one in self.items.values():
                one["read"] |= int(one["position"]) <= int(data["up_to"])
            return
        if data.get("gone"):
            self.items.pop(data["id"], None)
        elif kind == "notification":
            self.items[data["id"]] = data
        elif data["id"] in self.items:
            self.items[data["id"]]["read"] = data["read"]

    @property
    def list(self) -> dict[str, tuple[str, int, bool]]:
        return {
            one["id"]: (one["actor"]["username"], one["count"], one["read"])
            for one in self.items.values()
        }


class Village:
    """Mina is told what three others do."""

    def __init__(self, database: Database, mina: User, others: list[User], post_id: int) -> None:
        self.database = database
        self.mina, self.others, self.post_id = mina, others, post_id
        self.written: list[tuple[User, int]] = []

    async def do(self, tx: Tx, what: str, who: int, which: int) -> None:
        actor, now, me = self.others[who], datetime.now(UTC), self.mina.id
        if what in {"mention", "reply"}:
            answered = self.post_id if what == "reply" else None
            draft = Draft(f"Hello @{self.mina.username}", reply_to=answered)
            post = await posts.publish(tx, actor, draft, now)
            self.written.append((actor, post.id))
        elif what == "follow":
            await follows.follow(tx, actor, self.mina, now)
        elif what == "unfollow":
            await follows.unfollow(tx, actor, self.mina)
        elif what == "message":
            await notifications.notify(tx, me, actor.id, "message", now)
        elif what == "forget":
            await notifications.withdraw_person(tx, actor.id)
        elif what == "all":
            await notifications.mark_read(tx, me, None, now)
        elif what == "heard":
            await notifications.mark_messages_read(tx, me, actor.id, now)
        else:
            await self.choose(tx, what, which, now)

    async def choose(self, tx: Tx, what: str, which: int, now: datetime) -> None:
        """Do what is done to one of several things."""
        if what in {"delete", "seen"} and self.written:
            author, post_id = self.written[which % len(self.written)]
            if what == "seen":
                return await notifications.mark_post_read(tx, self.mina.id, post_id, now)
            try:
                await posts.delete_post(tx, author, post_id, now)
            except NotFound:
                return None
        shown = (await notification_queries.page(tx, self.mina.id, ALL)).items
        if what in {"one", "up_to"} and shown:
            chosen = shown[which % len(shown)]
            if what == "one":
                await notifications.mark_groups_read(tx, self.mina.id, [chosen.id], None, now)
            else:
                await notifications.mark_read(tx, self.mina.id, chosen.position, now)
        return None

    async def told(self, after: int) -> tuple[list[Delivery], int, Tab]:
        """Return what is delivered after a position, where that ends, and what is so there."""
        async with self.database.read() as read:
            logged = await events.after(read, after, 1000)
            made = await events.deliveries(read, logged, {self.mina.id})
            count = (await notification_queries.unread(read, {self.mina.id})).get(self.mina.id, 0)
            page = await notification_queries.page(read, self.mina.id, ALL)
        assert sum(row.unread for row in page.items) == count
        positions = [row.position for row in page.items]
        assert positions == sorted(positions, reverse=True)
        tab = Tab(count, {str(row.id): as_json.notification(row) for row in page.items})
        mine = [one for one in made if one.event.user_id == self.mina.id]
        return mine, logged[-1].id if logged else after, tab


def deliver(tab: Tab, deliveries: list[Delivery]) -> None:
    for one in deliveries:
        written = item(one, JSON_FORM, "en")
        if written is not None:
            told = json.loads(written)
            if told["kind"].startswith("notification"):
                tab.take(told["kind"], told["data"])


@both_databases
async def test_badge_is_the_number_of_unread_rows(
    app: Quart, database: Database, make_user: MakeUser
) -> None:
    numbers = iter(range(1000))
    loop = asyncio.get_running_loop()

    async def live(steps: list[Step], seed: int) -> None:
        village, start = await begin(database, make_user, next(numbers))
        chance = random.Random(seed)
        steady, jumpy = Tab(), Tab()
        at, later = start, start
        for step in steps:
            async with database.write() as tx:
                await village.do(tx, *step)
            new, at, fresh = await village.told(at)
            deliver(steady, new)
            assert (steady.badge, steady.list) == (fresh.badge, fresh.list), step
            if chance.random() < 0.4:
                # This one was away, gets some of it twice, and not in the order of the log.
                missed, ended, fresh = await village.told(chance.randint(start, later))
                chance.shuffle(missed)
                deliver(jumpy, missed)
                later = ended
                if missed:
                    assert (jumpy.badge, jumpy.list) == (fresh.badge, fresh.list), step

    def within(work: Callable[..., Awaitable[None]], *what: Any) -> None:
        asyncio.run_coroutine_threadsafe(work(*what), loop).result(60)  # type: ignore[arg-type]

    @how(max_examples=25, suppress_health_check=list(HealthCheck), database=None)
    @given(STEPS, some.integers(0, 999))
    @example([("reply", 0, 0), ("reply", 1, 0), ("delete", 0, 1), ("all", 0, 0)], 1)
    @example([("message", 0, 0), ("message", 0, 0), ("heard", 0, 0), ("message", 0, 0)], 2)
    @example([("follow", 0, 0), ("follow", 1, 0), ("one", 0, 0), ("unfollow", 1, 0)], 3)
    def tries(steps: list[Step], seed: int) -> None:
        within(live, steps, seed)

    async with app.app_context():
        await asyncio.to_thread(tries)


async def begin(database: Database, make_user: MakeUser, number: int) -> tuple[Village, int]:
    """Make people who have not met, and tell where the log ends."""
    mina, *others = [await make_user(f"{name}{number}") for name in ("mina", "ara", "bora", "chul")]
    async with database.write() as tx:
        post = await posts.publish(tx, mina, Draft("What do you think?"), datetime.now(UTC))
    async with database.read() as read:
        head = await events.head(read)
    return Village(database, mina, others, post.id), head.cursor
