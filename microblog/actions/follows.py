"""Following and no longer following. Counts change with the rows, in one transaction."""

from datetime import datetime

from sqlalchemy import delete, update

from microblog.actions import notifications
from microblog.core import events
from microblog.core.errors import Conflict, message
from microblog.core.tokens import digest
from microblog.database import Tx
from microblog.models import Follow, User
from microblog.queries import users


async def follow(tx: Tx, follower: User, followed: User, now: datetime) -> None:
    """Let `follower` read `followed` and tell `followed`; doing it twice changes nothing.

    Raises Conflict for following oneself.
    """
    if follower.id == followed.id:
        raise Conflict(message("You cannot follow yourself."))
    await tx.lock_name(_pair(follower, followed))
    if await users.is_following(tx, follower.id, followed.id):
        return
    # The counts first: MariaDB lets a new row lock those it refers to, and two transactions that
    # both hold such a lock would wait for each other to change them.
    await _count(tx, follower, followed, +1)
    tx.add(Follow(follower_id=follower.id, followed_id=followed.id, created_at=now))
    await notifications.notify(tx, followed.id, follower.id, "follow", now)


async def unfollow(tx: Tx, follower: User, followed: User) -> None:
    """Undo `follow`; doing it twice changes nothing."""
    await tx.lock_name(_pair(follower, followed))
    pair = Follow.follower_id == follower.id, Follow.followed_id == followed.id
    if await tx.change(delete(Follow).where(*pair)):
        await _count(tx, follower, followed, -1)
        await notifications.withdraw(tx, followed.id, follower.id, "follow")


def _pair(follower: User, followed: User) -> bytes:
    return digest(f"follow:{follower.id}:{followed.id}")


async def _count(tx: Tx, follower: User, followed: User, step: int) -> None:
    changes = {follower.id: "following_count", followed.id: "follower_count"}
    for user_id in sorted(changes):  # one order, so that two who follow each other cannot deadlock
        column = changes[user_id]
        values = {column: getattr(User, column) + step}
        await tx.execute(update(User).where(User.id == user_id).values(values))
        tx.announce(events.user_changed(user_id))
    tx.announce(events.relations_changed(follower.id))
