"""Who is told live of a post is who finds it at home: for random people, posts and replies."""

import random
from typing import Any

from sqlalchemy import delete, insert

from microblog.core.cursors import Window
from microblog.core.events import Kind, LoggedEvent
from microblog.database import Database
from microblog.models import Follow, Post, User, table
from microblog.queries import events, posts
from microblog.queries.visibility import followers_among
from microblog.realtime.ring import Ring
from tests.conftest import all_databases
from tests.queries.test_home import NOW, person

PEOPLE = range(1, 8)
POSTS, GRAPHS = 30, 25


def some_posts(chance: random.Random) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for post_id in range(1, POSTS + 1):
        answered = chance.choice(made) if made and chance.random() < 0.7 else None
        row = {"id": post_id, "author_id": chance.choice(PEOPLE), "body": "", "created_at": NOW}
        row |= {"visibility": "public", "reply_to_id": answered and answered["id"]}
        made.append(row | {"reply_to_user_id": answered and answered["author_id"]})
    return made


@all_databases
async def test_live_audience_of_every_post_is_who_has_it_at_home(database: Database) -> None:
    chance = random.Random(19)
    async with database.write() as tx:
        await tx.execute(insert(table(User)), [person(number) for number in range(1, 9)])
    wrong = []
    for _ in range(GRAPHS if database.vendor == "sqlite" else GRAPHS // 5):
        follows = [
            {"follower_id": one, "followed_id": other, "created_at": NOW}
            for one in PEOPLE
            for other in PEOPLE
            if one != other and chance.random() < 0.4
        ]
        async with database.write() as tx:
            await tx.execute(delete(table(Post)))
            await tx.execute(delete(table(Follow)))
            await tx.execute(insert(table(Follow)), follows)
            await tx.execute(insert(table(Post)), some_posts(chance))
        here = set(chance.sample(PEOPLE, chance.randint(0, len(PEOPLE))))
        told = [LoggedEvent(n, Kind.POST_PUBLISHED, 0, None, n) for n in range(1, POSTS + 1)]
        ring = Ring()
        async with database.read() as read:
            at_home = {
                viewer: {row.id for row in (await posts.home(read, viewer, Window(100))).items}
                for viewer in PEOPLE
            }
            deliveries = await events.deliveries(read, told, here)
            for delivery in deliveries:
                ring.share_home(delivery)
                ring.append(delivery)
                expected = {one for one in here if delivery.event.id in at_home[one]}
                if set(delivery.homes) != expected:
                    wrong.append(("live", delivery.event.id, delivery.homes, expected))
            newcomers = set(PEOPLE) - here
            ring.bring_home(await followers_among(read, ring.authors(), newcomers))
        for delivery in deliveries:
            expected = {one for one in PEOPLE if delivery.event.id in at_home[one]}
            if set(delivery.homes) != expected:
                wrong.append(("newcomers", delivery.event.id, delivery.homes, expected))
    assert wrong == []
