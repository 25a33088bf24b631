"""All that is somebody's, in pages, to be written down: posts, messages, and who follows whom."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, literal, select

from microblog.database import Database, Read
from microblog.models import ConversationSide, Follow, Message, Post, PostVersion, User, table
from microblog.queries.messages import NOT_GONE, pair
from microblog.queries.paging import AnySelect

PAGE_ROWS = 500
_post, _follow, _user = table(Post).c, table(Follow).c, table(User).c
_message, _side, _version = table(Message).c, table(ConversationSide).c, table(PostVersion).c


class OwnPost(NamedTuple):
    """What somebody wrote; a question has a title."""

    id: int
    title: str | None
    body: str
    created_at: datetime
    edited_at: datetime | None
    reply_to_id: int | None


class OldVersion(NamedTuple):
    """What a post said before it was edited."""

    id: int
    post_id: int
    body: str
    written_at: datetime


class Related(NamedTuple):
    """Somebody whom one follows, or who follows one, and since when."""

    id: int
    username: str
    display_name: str
    since: datetime


class OwnMessage(NamedTuple):
    """A private message that somebody wrote or received."""

    id: int
    other: str
    sender_id: int
    body: str
    created_at: datetime


async def count_posts(read: Read, user_id: int) -> tuple[int, int]:
    """Return how many posts a person has, and the greatest id of them (0 where there is none)."""
    mine = _post.author_id == user_id, _post.deleted_at.is_(None)
    count, greatest = (
        await read.execute(select(func.count(), func.max(_post.id)).where(*mine))
    ).one()
    return int(count), int(greatest or 0)


def posts(database: Database, user_id: int, until: int) -> AsyncIterator[Sequence[OwnPost]]:
    """Read a person's posts up to the id `until`, oldest first, a page at a time."""
    statement = select(*(_post[name] for name in OwnPost._fields)).where(
        _post.author_id == user_id, _post.deleted_at.is_(None), _post.id <= until
    )
    return _pages(database, statement, _post.id, OwnPost)


async def messages(database: Database, user_id: int) -> AsyncIterator[Sequence[OwnMessage]]:
    """Read the private messages that a person has, a conversation after the other, oldest first."""
    columns = _side.other_id, _side.other_id, _user.username, _side.cleared_to
    sides = select(*columns).join(table(User), _user.id == _side.other_id)
    mine = sides.where(_side.user_id == user_id, _side.last_id > 0)
    async for conversations in _pages(database, mine, _side.other_id, _Side):
        for side in conversations:
            low, high = pair(user_id, side.other_id)
            statement = select(
                _message.id,
                literal(side.other).label("other"),
                _message.sender_id,
                _message.body,
                _message.created_at,
            ).where(
                _message.low_id == low,
                _message.high_id == high,
                _message.id > side.cleared_to,
                NOT_GONE,
            )
            given = statement.params(viewer=user_id)
            async for page in _pages(database, given, _message.id, OwnMessage):
                yield page


class _Side(NamedTuple):
    id: int
    other_id: int
    other: str
    cleared_to: int


async def versions(database: Database, posts: Sequence[OwnPost]) -> dict[int, list[OldVersion]]:
    """Return what those of the posts that were edited said before, oldest first."""
    found: dict[int, list[OldVersion]] = {}
    edited = [each.id for each in posts if each.edited_at is not None]
    if edited:
        statement = select(*(_version[name] for name in OldVersion._fields))
        wanted = statement.where(_version.post_id.in_(edited)).order_by(_version.id)
        async with database.read() as read:
            for row in await read.execute(wanted):
                found.setdefault(row.post_id, []).append(OldVersion._make(row))
    return found


def following(database: Database, user_id: int) -> AsyncIterator[Sequence[Related]]:
    """Read whom a person follows, in the order of following."""
    return _related(database, _follow.follower_id == user_id, _follow.followed_id)


def followers(database: Database, user_id: int) -> AsyncIterator[Sequence[Related]]:
    """Read who follows a person, in the order of following."""
    return _related(database, _follow.followed_id == user_id, _follow.follower_id)


def _related(database: Database, condition: Any, other: Any) -> AsyncIterator[Sequence[Related]]:
    columns = _follow.id, _user.username, _user.display_name, _follow.created_at
    joined = table(Follow).join(table(User), _user.id == other)
    statement = select(*columns).select_from(joined).where(condition)
    return _pages(database, statement.where(_user.deactivated_at.is_(None)), _follow.id, Related)


async def _pages(
    database: Database, statement: AnySelect, key: Any, row: Any
) -> AsyncIterator[Sequence[Any]]:
    """Read page after page; no connection is held between two of them."""
    after = 0
    while True:
        page = statement.where(key > after).order_by(key).limit(PAGE_ROWS)
        async with database.read() as read:
            found = [row._make(one) for one in await read.execute(page)]
        if found:
            yield found
            after = found[-1].id
        if len(found) < PAGE_ROWS:
            return
