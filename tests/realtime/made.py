"""Posts and their events, as `queries.events` hands them to the hub, without a database."""

from collections.abc import Set
from datetime import UTC, datetime

from microblog.core.events import Kind, LoggedEvent
from microblog.queries.events import Delivery
from microblog.queries.rows import Person, PostRow

THEN = datetime(2026, 2, 3, tzinfo=UTC)


def person(user_id: int) -> Person:
    return Person(user_id, f"p{user_id}", "", "", None, "member", THEN, THEN, 0, 0, 0)


def post(post_id: int, author: int = 1, answers: tuple[int, int] | None = None) -> PostRow:
    """Make a post; `answers` are the post that it answers and who wrote that."""
    reply_to_id, reply_to_user_id = answers or (None, None)
    return PostRow(
        id=post_id,
        body="",
        visibility="public",
        created_at=THEN,
        deleted_at=None,
        language=None,
        title=None,
        question=None,
        accepted_id=None,
        edited_at=None,
        reply_to_id=reply_to_id,
        reply_to_user_id=reply_to_user_id,
        reply_count=0,
        mentioned=None,
        reply_to_name=None,
        author=person(author),
    )


def published(made: PostRow, *topics: str, homes: Set[int] = frozenset()) -> Delivery:
    """Make the delivery of a new post."""
    event = LoggedEvent(made.id, Kind.POST_PUBLISHED, made.author_id, None, made.id)
    return Delivery(event, frozenset(topics), homes, made)
