"""What tests of questions do in the pages, and look at."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event, select

from microblog.database import Database
from microblog.models import Notification, Post, User
from microblog.queries.rows import PostRow
from tests.people import Browser

FORM = "/main/question"
ASKED = {"title": "Where is the best bread?", "body": "Near the harbour", "tags": "#Bread, 빵집"}


async def row(database: Database, post_id: int) -> Post:
    async with database.read() as read:
        found = await read.get(Post, post_id)
        assert found is not None
        return found


async def told(database: Database, user: User) -> list[tuple[str, int | None]]:
    async with database.read() as read:
        statement = select(Notification.kind, Notification.post_id).order_by(Notification.id)
        found = await read.execute(statement.where(Notification.user_id == user.id))
        return [tuple(each) for each in found]


async def accept(browser: Browser, question: PostRow, answer_id: object) -> int:
    path = f"/question/{question.id}/accepted"
    answer = await browser.post(path, {"answer_id": str(answer_id)})
    return int(answer.status_code)


def shown(page: str) -> list[int]:
    return [int(found) for found in re.findall(r'data-post="(\d+)"', page)]


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect what the databases are asked."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)
