"""Lists of notifications: told together, chosen by kind, marked by what was seen, and polled."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, event

from microblog.actions import exports, jobs, messages, notifications
from microblog.actions.messages import Letter
from microblog.core import notices
from microblog.core.cursors import Window
from microblog.core.tasks import ExportPosts
from microblog.database import Database
from microblog.models import Notification, NotificationGroup, User
from microblog.queries import notifications as notification_queries
from tests.conftest import all_databases, both_databases
from tests.people import MakePost, MakeUser, Visit
from tests.web.test_notifications import told, unread

PROGRAM = {"Accept": "application/json"}


async def notify(database: Database, user: User, actor: User, kind: str, **about: int) -> None:
    async with database.write() as tx:
        await notifications.notify(tx, user.id, actor.id, kind, datetime.now(UTC), **about)


@all_databases
async def test_what_belongs_together_is_one_item_until_it_is_read(
    visit: Visit, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, bora, chul, dana = [await make_user(one) for one in ("mina", "bora", "chul", "dana")]
    browser = await visit(mina)
    post = await make_post(mina, "What do you think?")
    question = await make_post(mina, "Which?", title="Which of them is it?")
    for author in (bora, chul, bora, dana):
        await make_post(author, "This", reply_to=post.id)
    for follower in (bora, chul):
        await (await visit(follower)).post("/follow/mina")
    await make_post(chul, "That", reply_to=question.id)
    assert await told(browser) == [
        ("chul", "answered your question", True),
        ("chul", "and 1 other followed you", True),
        ("dana", "and 2 others replied to your post", True),
    ]
    assert await unread(browser) == 7
    page = await browser.text("/notifications")
    targets = re.findall(r'class="post-time" href="([^"]+)"', page)
    assert targets[1:] == ["/user/mina/followers", f"/post/{post.id}"]
    await browser.post("/notifications/read")
    await (await visit(dana)).post("/follow/mina")
    await (await visit(bora)).post("/unfollow/mina")
    assert [one[1:] for one in await told(browser)] == [
        ("followed you", True),
        ("answered your question", False),
        ("followed you", False),
        ("and 2 others replied to your post", False),
    ]


@both_databases
async def test_messages_of_one_person_are_one_that_moves_up(
    visit: Visit, database: Database, make_user: MakeUser
) -> None:
    mina, bora, chul = [await make_user(name) for name in ("mina", "bora", "chul")]
    browser = await visit(mina)
    for actor in (bora, chul, bora, bora):
        await notify(database, mina, actor, notices.MESSAGE)
    told_of = "sent you a message"
    assert await told(browser) == [("bora", told_of, True), ("chul", told_of, True)]
    assert await unread(browser) == 2
    async with database.write() as tx:
        await notifications.mark_messages_read(tx, mina.id, bora.id, datetime.now(UTC))
    assert await unread(browser) == 1
    assert 'href="/messages/bora"' in await browser.text("/notifications?only=messages")


async def test_accepted_answer_is_told_and_taken_back(
    visit: Visit, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, bora = await make_user("mina"), await make_user("bora")
    answer = await make_post(mina, "This one")
    for _ in range(2):
        await notify(database, mina, bora, notices.ACCEPTED, post_id=answer.id)
    browser = await visit(mina)
    assert await told(browser) == [("bora", "accepted your answer", True)]
    async with database.write() as tx:
        await notifications.withdraw(tx, mina.id, bora.id, notices.ACCEPTED, post_id=answer.id)
    assert await told(browser) == []
    assert await unread(browser) == 0


async def test_lists_of_some_kinds_lead_on_to_the_same(
    visit: Visit, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, bora = await make_user("mina"), await make_user("bora")
    browser = await visit(mina)
    for number in range(27):
        await make_post(bora, f"{number} @mina")
    await notify(database, mina, bora, notices.FOLLOW)
    page = await browser.text("/notifications?only=mentions")
    assert page.count("mentioned you") == 25
    assert "followed you" not in page
    older = re.search(r'rel="next" href="([^"]+)"', page)
    assert older
    rest = await browser.text(older[1].replace("&amp;", "&"))
    assert rest.count("mentioned you") == 2
    assert "Nothing of this kind." in await browser.text("/notifications?only=jobs")
    assert (await browser.get("/notifications?only=what")).status_code == 400


@both_databases
async def test_seen_post_is_read_by_the_button_of_its_page(
    visit: Visit, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, bora = await make_user("mina"), await make_user("bora")
    browser, other = await visit(mina), await visit(bora)
    mine = await make_post(mina, "What do you think?")
    replies = [await make_post(bora, text, reply_to=mine.id) for text in ("This", "That")]
    await make_post(bora, "Another @mina")
    button = "Mark the notification as read"
    assert button not in await other.text(f"/post/{mine.id}")
    assert button not in await (await visit()).text(f"/post/{mine.id}")
    await other.post("/notifications/read", {"post_id": str(mine.id)})
    assert await unread(browser) == 3
    first = f"/post/{replies[0].id}"
    assert button in await browser.text(first)
    answer = await browser.post("/notifications/read", {"post_id": str(replies[0].id)})
    assert answer.headers["Location"] == first
    assert button not in await browser.text(first)
    assert await unread(browser) == 2
    assert button in await browser.text(f"/post/{mine.id}")
    await browser.post("/notifications/read", {"post_id": str(mine.id)})
    assert await unread(browser) == 1


async def test_items_are_read_as_far_as_they_were_seen(
    visit: Visit, database: Database, make_user: MakeUser
) -> None:
    mina, bora, chul = [await make_user(name) for name in ("mina", "bora", "chul")]
    browser = await visit(mina)
    await notify(database, mina, bora, notices.FOLLOW)
    page = await browser.text("/notifications")
    (item,) = re.findall(r'data-notification="(\d+)" data-position="(\d+)"', page)
    await notify(database, mina, chul, notices.FOLLOW)
    seen = {"id": item[0], "up_to": item[1]}
    answer = await browser.post("/notifications/read", seen, headers=PROGRAM)
    assert await answer.get_json() == {"unread_count": 1}
    assert await told(browser) == [("chul", "and 1 other followed you", True)]
    back = {"id": item[0], "next": "/notifications?only=follows"}
    answer = await browser.post("/notifications/read", back)
    assert answer.headers["Location"] == "/notifications?only=follows"
    assert await unread(browser) == 0


async def test_kind_that_is_switched_off_is_not_kept(
    visit: Visit, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, bora = await make_user("mina"), await make_user("bora")
    browser, other = await visit(mina), await visit(bora)
    page = await browser.text("/settings/notifications")
    assert page.count("checked") == len(notices.KINDS)
    await make_post(bora, "Before @mina")
    form = {"kind": "follow"}
    answer = await browser.post("/settings/notifications", form, page="/settings/notifications")
    assert answer.headers["Location"] == "/settings/notifications"
    page = await browser.text("/settings/notifications")
    assert "Your choice is kept." in page
    assert page.count(" checked") == 1
    await make_post(bora, "After @mina")
    await other.post("/follow/mina")
    assert await told(browser) == [("bora", "followed you", True), ("bora", "mentioned you", True)]
    assert (await browser.post("/settings/notifications", {"kind": "x"})).status_code == 400
    assert (await browser.post("/settings/notifications")).status_code == 303
    assert " checked" not in await browser.text("/settings/notifications")
    stranger = await (await visit()).get("/settings/notifications")
    assert stranger.headers["Location"] == "/auth/login?next=/settings/notifications"


async def ended(database: Database, person: User, how: str) -> int:
    """Let a person's export end at once, "done" or "dead"."""
    now = datetime.now(UTC)
    async with database.write() as tx:
        await exports.start(tx, person)
    async with database.write() as tx:
        lease = timedelta(minutes=1)
        (run,) = await jobs.claim(tx, "test", [ExportPosts.kind], 1, now + lease, lease)
        if how == "done":
            await jobs.complete(tx, run, now, None)
        else:
            await jobs.fail(tx, run, "It broke.", now, None, counts=True)
    return run.job_id


@both_databases
async def test_job_that_ended_is_told_to_its_owner(
    visit: Visit, database: Database, make_user: MakeUser
) -> None:
    mina = await make_user("mina")
    browser = await visit(mina)
    for how, words in (("done", "Your export is ready."), ("dead", "Your export could not be")):
        await ended(database, mina, how)
        page = await browser.text("/notifications?only=jobs")
        assert words in page
        assert page.count('<a class="post-name" href="/export_posts">') >= 1
    assert await unread(browser) == 2


@both_databases
async def test_scripts_are_answered_in_the_shape_of_the_tutorial(
    visit: Visit, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, bora = await make_user("mina"), await make_user("bora")
    browser = await visit(mina)

    async def poll(since: float) -> list[dict[str, Any]]:
        answer = await browser.get(f"/notifications?since={since!r}")
        assert answer.mimetype == "application/json"
        found: list[dict[str, Any]] = await answer.get_json()
        assert all({"name", "data", "timestamp"} <= set(one) for one in found)
        assert [one["timestamp"] for one in found] == sorted(one["timestamp"] for one in found)
        return found

    first = {one["name"]: one["data"] for one in await poll(0.0)}
    assert first == {"unread_message_count": 0, "unread_notification_count": 0}
    await make_post(bora, "Hello @mina")
    async with database.write() as tx:
        await messages.send(tx, bora, mina, Letter("Hello"), datetime.now(UTC))
    job_id = await ended(database, mina, "done")
    told = await poll(0.0)
    names = {one["name"]: one["data"] for one in told}
    assert names["unread_message_count"] == 1
    assert names["unread_notification_count"] == 3
    assert names["task_progress"]["task_id"] == str(job_id)
    assert names["task_progress"]["progress"] == 100
    assert names["mention"]["actor"] == "bora"
    last = told[-1]["timestamp"]
    assert await poll(last) == []
    await browser.post("/notifications/read")
    assert {one["name"]: one["data"] for one in await poll(last)} == {
        "unread_message_count": 1,
        "unread_notification_count": 0,
    }
    accepted = await browser.get("/notifications", headers=PROGRAM)
    assert len(await accepted.get_json()) == len(told)
    for wrong in ("x", "-1", "nan", "inf", "1e400", "9" * 40):
        assert (await browser.get(f"/notifications?since={wrong}")).status_code == 400, wrong
    assert (await (await visit()).get("/notifications?since=0")).status_code in {303, 401}


async def fill(database: Database, user: User, actor: User, post_id: int) -> None:
    """Tell a person 10,000 things more, half of them together."""
    now, ids = datetime.now(UTC), range(1001, 6001)
    mine = {"user_id": user.id, "kind": "mention"}
    async with database.write() as tx:
        groups = [{"id": n, "subject_id": 0, "position": n, **mine} for n in ids]
        await tx.insert(NotificationGroup, *groups)
        done = {"actor_id": actor.id, "post_id": post_id, "created_at": now, **mine}
        rows = [{"group_id": n, **done} for n in ids]
        await tx.insert(Notification, *rows, *(row | {"group_id": 6000} for row in rows))


async def test_list_takes_as_many_statements_for_10_as_for_10_000(
    database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, bora = await make_user("mina"), await make_user("bora")
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    async def count() -> int:
        asked.clear()
        async with database.read() as read:
            page = await notification_queries.page(read, mina.id, Window(25))
            assert len(page.items) == 25
            await notification_queries.unread(read, {mina.id})
        return len(asked)

    for number in range(25):
        post = await make_post(bora, f"{number} @mina")
    event.listen(Engine, "before_cursor_execute", note)
    try:
        few = await count()
        await fill(database, mina, bora, post.id)
        many = await count()
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert few == many <= 5, asked
