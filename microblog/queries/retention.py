"""What may be forgotten."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from microblog.core.events import Kind
from microblog.database import Read
from microblog.models import EventRow, History, Post

TOMBSTONES_AT_ONCE = 1000


async def prunable_to(read: Read, before: datetime, keep_events: int) -> int:
    """Return the id up to which the log may go: older than `before`, or beyond `keep_events`.

    0 where nothing may go. Never the newest event.
    """
    pruned_to = int(await read.scalar(select(History.pruned_to)) or 0)
    greatest = int(await read.scalar(select(func.max(EventRow.id))) or 0)
    old = await read.scalar(select(func.max(EventRow.id)).where(EventRow.created_at < before))
    ids = select(EventRow.id).order_by(EventRow.id.desc())
    surplus = await read.scalar(ids.offset(keep_events).limit(1))
    limit = min(max(int(old or 0), int(surplus or 0)), greatest - 1)
    return limit if limit > pruned_to else 0


async def unmentioned_tombstones(read: Read) -> list[int]:
    """Return deleted posts, at most a thousand, of whose deletion the log no longer speaks.

    What is answered stays: it holds a conversation together.
    """
    told = select(EventRow.id).where(
        EventRow.actor_id == Post.author_id,
        EventRow.kind == str(Kind.POST_DELETED),
        EventRow.ref_id == Post.id,
    )
    answer = aliased(Post)
    answered = select(answer.id).where(answer.reply_to_id == Post.id)
    statement = (
        select(Post.id)
        .where(Post.deleted_at.is_not(None), ~told.exists(), ~answered.exists())
        .limit(TOMBSTONES_AT_ONCE)
    )
    return list(await read.scalars(statement))
