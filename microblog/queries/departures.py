"""People who left, and what is left of them: for the jobs that finish a departure."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, or_, select

from microblog.core.leaving import Left
from microblog.database import Read
from microblog.models import ConversationSide, Follow, Mention, Notification, Post, User, table
from microblog.queries import posts
from microblog.queries.rows import PostRow

_post, _follow, _mention, _note = (
    table(model).c for model in (Post, Follow, Mention, Notification)
)


class Pair(NamedTuple):
    """Who follows whom."""

    id: int
    follower_id: int
    followed_id: int


class Named(NamedTuple):
    """A post that mentions somebody."""

    post_id: int
    author_id: int


class Told(NamedTuple):
    """A notification, and who has it."""

    id: int
    user_id: int


async def correspondents_of(read: Read, user_id: int, after: int, limit: int) -> list[int]:
    """Return with whom a person has a conversation, above an id, the least first."""
    others = ConversationSide.user_id == user_id, ConversationSide.other_id > after
    statement = select(ConversationSide.other_id).where(*others)
    return list(await read.scalars(statement.order_by(ConversationSide.other_id).limit(limit)))


async def overdue(read: Read, before: datetime, limit: int) -> list[int]:
    """Return who deactivated their account before then, at most `limit` of them."""
    gone = User.left_because == Left.SELF, User.deactivated_at <= before
    return list(await read.scalars(select(User.id).where(*gone).order_by(User.id).limit(limit)))


async def is_deleted(read: Read, user_id: int) -> bool:
    """Tell whether a person deleted their account."""
    because = await read.scalar(select(User.left_because).where(User.id == user_id))
    return bool(because == Left.DELETED)


async def posts_of(read: Read, user_id: int, after: int, limit: int) -> list[PostRow]:
    """Return a person's posts above an id, the least first, tombstones left out."""
    theirs = _post.author_id == user_id, _post.id > after, _post.deleted_at.is_(None)
    ids = await read.scalars(select(_post.id).where(*theirs).order_by(_post.id).limit(limit))
    return await posts.by_ids(read, list(ids))


async def follows_of(read: Read, user_id: int, after: int, limit: int) -> list[Pair]:
    """Return whom a person follows and who follows them, above an id, the least first."""
    theirs = or_(_follow.follower_id == user_id, _follow.followed_id == user_id)
    statement = select(_follow.id, _follow.follower_id, _follow.followed_id)
    statement = statement.where(theirs, _follow.id > after).order_by(_follow.id).limit(limit)
    return [Pair._make(row) for row in await read.execute(statement)]


async def mentions_of(read: Read, user_id: int, after: int, limit: int) -> list[Named]:
    """Return posts that mention a person, above an id, the least first."""
    statement = select(_post.id, _post.author_id).join(table(Mention), _mention.post_id == _post.id)
    statement = statement.where(_mention.user_id == user_id, _post.id > after)
    found = await read.execute(statement.order_by(_post.id).limit(limit))
    return [Named._make(row) for row in found]


async def notifications_of(read: Read, user_id: int, after: int, limit: int) -> list[Told]:
    """Return notifications that a person has or caused, above an id, the least first."""
    theirs = or_(_note.user_id == user_id, _note.actor_id == user_id)
    statement = select(_note.id, _note.user_id).where(theirs, _note.id > after)
    found = await read.execute(statement.order_by(_note.id).limit(limit))
    return [Told._make(row) for row in found]


async def told_by(read: Read, actor_id: int, after: int, limit: int) -> Sequence[int]:
    """Return who has an unread notification that a person caused: ids above `after`, rising."""
    statement = (
        select(_note.user_id)
        .where(_note.actor_id == actor_id, _note.read_at.is_(None), _note.user_id > after)
        .group_by(_note.user_id)
        .order_by(func.min(_note.user_id))
        .limit(limit)
    )
    return list(await read.scalars(statement))
