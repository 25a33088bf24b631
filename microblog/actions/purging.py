"""Deleting what is left of a person who deleted their account, in small transactions.

`jobs.departures` takes one of the `STEPS` after the other. A step deletes at most `BATCH` things
above an id and returns the last of these ids, or None where there are no more. So it may be begun
anew at any time: what is gone is not there to be found again.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import datetime

from sqlalchemy import delete, update

from microblog.actions import messages, notifications, posts, search_index
from microblog.core import events
from microblog.database import Tx
from microblog.models import (
    Avatar,
    Follow,
    IdempotencyKey,
    Job,
    KnownDevice,
    Mention,
    Notification,
    NotificationGroup,
    SavedDraft,
    Session,
    SilencedKind,
    TokenFamily,
    User,
)
from microblog.queries import departures

BATCH = 50

Step = Callable[[Tx, int, int, datetime], Awaitable[int | None]]


async def bury_posts(tx: Tx, user_id: int, after: int, now: datetime) -> int | None:
    """Make tombstones of posts, as if each were deleted by its author."""
    found = await departures.posts_of(tx, user_id, after, BATCH)
    # What is answered is locked in one order, so that two purges do not wait for each other.
    for post in sorted(found, key=lambda one: (one.reply_to_id or 0, one.id)):
        await posts.bury(tx, post, now)
    search_index.feed_soon(tx, now)
    return found[-1].id if found else None


async def end_follows(tx: Tx, user_id: int, after: int, _now: datetime) -> int | None:
    """Let nobody follow the person, and the person nobody; the others' counts go along."""
    found = await departures.follows_of(tx, user_id, after, BATCH)
    fewer: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for pair in found:
        if not await tx.change(delete(Follow).where(Follow.id == pair.id)):
            continue
        if pair.follower_id == user_id:
            fewer[pair.followed_id]["follower_count"] += 1
        else:
            fewer[pair.follower_id]["following_count"] += 1
    for other, counts in sorted(fewer.items()):
        values = {name: getattr(User, name) - count for name, count in counts.items()}
        await tx.execute(update(User).where(User.id == other).values(values))
        tx.announce(events.user_changed(other))
    return found[-1].id if found else None


async def forget_mentions(tx: Tx, user_id: int, after: int, _now: datetime) -> int | None:
    """Let posts of others name the person without a link."""
    found = await departures.mentions_of(tx, user_id, after, BATCH)
    if not found:
        return None
    named = [one.post_id for one in found]
    await tx.execute(delete(Mention).where(Mention.user_id == user_id, Mention.post_id.in_(named)))
    for one in found:
        tx.announce(events.post_edited(one.author_id, one.post_id))
    return found[-1].post_id


async def delete_notifications(tx: Tx, user_id: int, after: int, _now: datetime) -> int | None:
    """Delete what the person was told, and what others were told of them."""
    found = await departures.notifications_of(tx, user_id, after, BATCH)
    if not found:
        return None
    ids = [one.id for one in found]
    await notifications.take_back(tx, user_id, Notification.id.in_(ids))
    return found[-1].id


async def erase_messages(tx: Tx, user_id: int, after: int, _now: datetime) -> int | None:
    """Delete a conversation: all that the person has of it, and what they wrote for the other."""
    found = await departures.correspondents_of(tx, user_id, after, 1)
    for other_id in found:
        await messages.erase(tx, user_id, other_id)
    return found[-1] if found else None


STEPS: tuple[Step, ...] = (
    bury_posts,
    end_follows,
    forget_mentions,
    delete_notifications,
    erase_messages,
)
OWN = (
    Avatar,
    Session,
    TokenFamily,
    KnownDevice,
    IdempotencyKey,
    NotificationGroup,
    SavedDraft,
    SilencedKind,
)
"""What is about the person alone: their ways in, their lists, their choices, what is unsent."""


async def finish(tx: Tx, user_id: int) -> None:
    """Delete what is about the person alone; what the row counts is nothing now."""
    for model in OWN:
        await tx.execute(delete(model).filter_by(user_id=user_id))
    finished = Job.user_id == user_id, Job.finished_at.is_not(None)
    await tx.execute(delete(Job).where(*finished))
    nothing = {"post_count": 0, "follower_count": 0, "following_count": 0}
    await tx.execute(update(User).where(User.id == user_id).values(nothing))
