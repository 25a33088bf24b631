"""Many tell one person something at once, while that person reads: nobody waits for ever."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

from microblog.actions import follows, notifications, posts
from microblog.core import notices
from microblog.core.cursors import Window
from microblog.database import Database, Tx
from microblog.queries import notifications as notification_queries
from tests.conftest import all_databases
from tests.people import MakePost, MakeUser
from tests.web.test_notification_lists import notify


@all_databases
async def test_many_who_tell_one_person_at_once_wait_for_nothing_for_ever(
    database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    """Answers, messages, follows and deletions, while the person reads all of it."""
    mina = await make_user("mina")
    others = [await make_user(f"person_{n}") for n in range(4)]
    mine = [await make_post(mina, "What do you think?") for _ in range(2)]
    gone = [await make_post(other, "Soon gone @mina") for other in others]

    async def write(work: Callable[[Tx], Awaitable[None]]) -> None:
        async with database.write() as tx:
            await work(tx)

    now = datetime.now(UTC)
    deeds: list[Coroutine[Any, Any, Any]] = []
    for n, other in enumerate(others):
        deeds += [make_post(other, "This @mina", reply_to=mine[k % 2].id) for k in range(3)]
        deeds += [notify(database, mina, other, notices.MESSAGE) for _ in range(3)]
        deeds.append(write(lambda tx, who=other: follows.follow(tx, who, mina, now)))
        deeds.append(write(lambda tx, who=other, k=n: posts.delete_post(tx, who, gone[k].id, now)))
        deeds.append(write(lambda tx: notifications.mark_read(tx, mina.id, None, now)))
        deeds.append(
            write(lambda tx, k=n: notifications.mark_post_read(tx, mina.id, mine[k % 2].id, now))
        )
    for start in range(4):
        await asyncio.gather(*deeds[start::4])
    async with database.read() as read:
        page = await notification_queries.page(read, mina.id, Window(100))
        unread_rows = (await notification_queries.unread(read, {mina.id})).get(mina.id, 0)
    assert sum(item.unread for item in page.items) == unread_rows
    told_of = Counter(kind for item in page.items for kind in [item.kind] * item.size)
    assert (told_of["reply"], told_of["follow"], told_of["mention"]) == (12, 4, 0)
    assert all(item.unread <= 1 for item in page.items if item.kind == notices.MESSAGE)
