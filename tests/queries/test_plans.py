"""No timeline reads a whole table, on any database: their own plans say so."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, text

from microblog.core.cursors import Window
from microblog.core.events import Kind, LoggedEvent
from microblog.database import Database, Read
from microblog.models import Model, User, table
from microblog.queries import (
    changes,
    correspondents,
    drafts,
    events,
    jobs,
    message_news,
    messages,
    notifications,
    posts,
    questions,
    recommendations,
    suggestions,
    users,
)
from microblog.queries.search import Asked
from tests.conftest import all_databases
from tests.queries.test_home import person
from tests.realtime.made import post

PEOPLE, POSTS = 1000, 10_000
VIEWER = PEOPLE
LONG_AGO, LONG_AFTER = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
FILLED = """
INSERT INTO post (id, author_id, body, visibility, created_at)
    SELECT a.id + 1000 * (b.id - 1), a.id, 'hello', 'public', a.first_seen
    FROM "user" a JOIN "user" b ON b.id <= 10;
UPDATE post SET title = 'why?', question = CASE id % 40 WHEN 0 THEN 'open' ELSE 'answered' END
    WHERE id % 20 = 0;
UPDATE post SET reply_to_id = 20 * (id % 100 + 1), reply_to_user_id = 1
    WHERE id % 20 BETWEEN 1 AND 5;
INSERT INTO follow (follower_id, followed_id, created_at)
    SELECT a.id, b.id, a.first_seen FROM "user" a JOIN "user" b ON b.id <= 10 WHERE a.id <> b.id;
INSERT INTO follow (follower_id, followed_id, created_at)
    SELECT 1000, id, first_seen FROM "user" WHERE id BETWEEN 100 AND 300;
INSERT INTO post_tag (tag, post_id, position)
    SELECT CASE id % 50 WHEN 0 THEN 'python' ELSE 'other' END, id, 0 FROM post;
INSERT INTO mention (post_id, user_id, username_key, position)
    SELECT id, 1 + id % 1000, 'somebody', 0 FROM post;
INSERT INTO notification_group (id, user_id, kind, subject_id, position)
    SELECT id, 1 + id % 1000, 'mention', id, id FROM post;
INSERT INTO notification (group_id, user_id, actor_id, kind, post_id, created_at)
    SELECT id, 1 + id % 1000, author_id, 'mention', id, created_at FROM post;
INSERT INTO silenced_kind (user_id, kind) SELECT id, 'job' FROM "user";
INSERT INTO job (kind, payload, state, again, attempt, progress, created_at, due_at)
    SELECT 'prune', '{}', CASE WHEN id % 100 = 0 THEN 'waiting' ELSE 'dead' END, id < 0, 0, 0,
        created_at, CASE WHEN id % 100 = 0 THEN created_at END FROM post;
INSERT INTO draft (user_id, context, title, body, version, updated_at)
    SELECT a.id, b.id, '', 'hello', 1, a.first_seen
    FROM "user" a JOIN "user" b ON b.id <= 10;
INSERT INTO message (low_id, high_id, sender_id, body, created_at, gone_for_sender,
        gone_for_recipient)
    SELECT b.id, a.id, a.id, 'hello', a.first_seen, b.id < 0, b.id < 0
    FROM "user" a JOIN "user" b ON b.id <= 10 WHERE b.id < a.id;
INSERT INTO message (low_id, high_id, sender_id, body, created_at, gone_for_sender,
        gone_for_recipient)
    SELECT 7, 1000, 7, 'hello', a.first_seen, a.id < 0, a.id < 0
    FROM "user" a JOIN "user" b ON b.id <= 5;
INSERT INTO conversation_side (user_id, other_id, last_id, unread_count, read_to, seen_to,
        cleared_to)
    SELECT high_id, low_id, max(id), 0, 0, 0, 0 FROM message GROUP BY low_id, high_id;
INSERT INTO conversation_side (user_id, other_id, last_id, unread_count, read_to, seen_to,
        cleared_to)
    SELECT low_id, high_id, max(id), count(*), 0, 0, 0 FROM message GROUP BY low_id, high_id;
INSERT INTO event (id, kind, actor_id, created_at)
    SELECT id, 'post.published', author_id, created_at FROM post
"""
MEASURED = {
    "sqlite": "SELECT 1",  # which nobody tells how full its tables are
    "postgresql": "ANALYZE",
    "mysql": "ANALYZE TABLE user, post, follow, post_tag, mention, notification,"
    " notification_group, silenced_kind, event, job, draft, message, conversation_side",
}
QUESTION = post(40)
FIRST, LATER, BACK = Window(25), Window(25, before=POSTS // 2), Window(25, after=POSTS // 2)

NEWS = [
    *(LoggedEvent(n, Kind.MESSAGED, 7, VIEWER, n) for n in range(1, 40)),
    *(LoggedEvent(n, Kind.CONVERSATION_CHANGED, 7, 7, 900 + n) for n in range(40, 80)),
]

Reading = Callable[[Read, Window], Awaitable[Any]]
READINGS: dict[str, Reading] = {
    "home": lambda read, window: posts.home(read, VIEWER, window),
    "everything": lambda read, window: posts.everything(read, VIEWER, window),
    "of an author": lambda read, window: posts.by_author(read, 7, VIEWER, window),
    "with a tag": lambda read, window: posts.by_tag(read, "python", VIEWER, window),
    "questions": lambda read, window: questions.newest(read, VIEWER, window),
    "open questions": lambda read, window: questions.newest(read, VIEWER, window, "open"),
    "own questions": lambda read, window: questions.by_author(read, VIEWER, VIEWER, window),
    "questions with a tag": lambda read, window: questions.by_tag(read, "python", VIEWER, window),
    "answers": lambda read, window: questions.answers(read, QUESTION, VIEWER, window),
    "notifications": lambda read, window: notifications.page(read, VIEWER, window),
    "mentions": lambda read, window: notifications.page(read, VIEWER, window, ("mention", "job")),
    "unread notifications": lambda read, window: notifications.unread(read, {VIEWER}),
    "where a notification belongs": lambda read, window: notifications.place(
        read, VIEWER, "follow", 0
    ),
    "a post of which one has not read": lambda read, window: notifications.unread_post(
        read, VIEWER, 5000
    ),
    "what has changed": lambda read, window: changes.since(read, VIEWER, LONG_AGO),
    "followers": lambda read, window: users.followers(read, 7, window),
    "following": lambda read, window: users.following(read, VIEWER, window),
    "a draft": lambda read, window: drafts.of(read, VIEWER, "post"),
    "all drafts": lambda read, window: drafts.all_of(read, VIEWER),
    "drafts beyond": lambda read, window: drafts.beyond(read, VIEWER, 99),
    "friends": lambda read, window: suggestions.friends(read, "p", Asked(VIEWER, 6)),
    "recommendations": lambda read, window: recommendations.people(read, VIEWER, 5),
    "recommendations of many friends": lambda read, window: recommendations.people(read, 7, 5),
    "the next job": lambda read, window: jobs.next_due(read, ["prune", "other"]),
    "jobs that are due": lambda read, window: jobs.due(read, ["prune"], LONG_AFTER, 4),
    "conversations": lambda read, window: messages.conversations(read, 7, window),
    "a conversation": lambda read, window: messages.thread(read, VIEWER, 7, 0, window),
    "one conversation": lambda read, window: messages.between(read, VIEWER, 7),
    "unread messages": lambda read, window: messages.unread(read, {7}),
    "what the log tells of messages": lambda read, window: message_news.news(read, NEWS),
    "who may write": lambda read, window: correspondents.may_whisper(read, 7, VIEWER),
    "the log": lambda read, window: events.after(read, window.after or 0, 25),
}


@pytest.fixture
async def filled(database: Database) -> Database:
    """A village that is large enough for an index to be worth it."""
    async with database.write() as tx:
        await tx.execute(insert(table(User)), [person(n) for n in range(1, PEOPLE + 1)])
        for statement in FILLED.split(";"):
            quoted = statement.replace('"', "`") if tx.vendor == "mysql" else statement
            await tx.execute(text(quoted))
    async with database.write() as tx:
        await tx.execute(text(MEASURED[tx.vendor]))
    return database


@all_databases
async def test_no_timeline_reads_a_whole_table(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole: dict[str, set[str]] = {}
    for near in (posts.NEAR_EVENTS, 50):
        monkeypatch.setattr(posts, "NEAR_EVENTS", near)
        for name, work in READINGS.items():
            for window in (FIRST, LATER, BACK):
                async with filled.read() as read:
                    for plan in await plans(read, work, window):
                        found = scanned(read.vendor, plan)
                        if found and not walks_along(name, plan):
                            whole.setdefault(name, set()).update(found)
    assert whole == {}


async def plans(read: Read, work: Reading, window: Window) -> list[list[str]]:
    """Return the plan of each statement of a reading, a line a step."""
    asked: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, values: Any, *_: Any) -> None:
        asked.append((statement, values))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        await work(read, window)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN " if read.vendor == "sqlite" else "EXPLAIN "

    def explained(session: Any) -> list[list[str]]:
        connection = session.connection()
        found = [connection.exec_driver_sql(explain + one, values).all() for one, values in asked]
        return [[" ".join(map(str, row)) for row in rows] for rows in found]

    return await read._scope.do(explained)


def walks_along(name: str, plan: list[str]) -> bool:
    """Tell whether SQLite reads in the order that is wanted, and stops when it has enough."""
    in_order = not any("TEMP B-TREE" in row for row in plan)
    return in_order and name.startswith(("everything", "recommendations"))


WHOLE = {
    "sqlite": re.compile(r"\bSCAN (\w+)"),
    "postgresql": re.compile(r"Seq Scan on (\w+)"),
    "mysql": re.compile(r"^\S+ [A-Z ]+ (\w+) ALL "),
}


def scanned(vendor: str, plan: list[str]) -> set[str]:
    """Return which of our tables are read from one end to the other."""
    found = {hit[1] for row in plan if (hit := WHOLE[vendor].search(row))}
    return found & set(Model.metadata.tables)
