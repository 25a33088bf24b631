"""Telling people what concerns them, and marking it as read.

Other actions call `notify` and `withdraw`; pages and the API let people mark what they have seen
and choose what they want to hear. An event names a group, and clients are told what that is now.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, or_, update

from microblog.core import events, notices
from microblog.core.tokens import digest
from microblog.database import Tx
from microblog.models import Notification, NotificationGroup, SilencedKind
from microblog.queries import notifications, users


async def notify(
    tx: Tx,
    user_id: int,
    actor_id: int,
    kind: str,
    now: datetime,
    *,
    post_id: int | None = None,
    about_id: int | None = None,
) -> None:
    """Tell `user_id` what `actor_id` did, unless they do not want to hear of it.

    Nobody is told of their own deeds, but of their jobs. `post_id` is the post that did it, or was
    accepted; `about_id` the post that it answers, or the job that ended. A message belongs to the
    conversation with `actor_id` and needs neither; tell of it before `announce_first`, for where an
    older one is unread the new one takes its place.
    """
    if user_id == actor_id and kind != notices.JOB:
        return
    subject_id = notices.subject(kind, actor_id, post_id, about_id)
    await users.hold(tx, {user_id, actor_id})
    if kind == notices.MESSAGE:  # two of one person at once would both find nothing
        await tx.lock_name(digest(f"message:{actor_id}:{user_id}"))
    place = await notifications.place(tx, user_id, kind, subject_id)
    if place.silenced:
        return
    group_id = place.group_id or await _begin(tx, user_id, kind, subject_id)
    if group_id == place.group_id and kind not in notices.GATHERED:
        await tx.execute(delete(Notification).where(Notification.group_id == group_id, _UNREAD))
    row = {"user_id": user_id, "actor_id": actor_id, "kind": kind, "post_id": post_id}
    await _put(tx, group_id, Notification(**row, group_id=group_id, created_at=now))
    tx.announce(events.notified(actor_id, user_id, group_id))


_UNREAD = Notification.read_at.is_(None)


async def _begin(tx: Tx, user_id: int, kind: str, subject_id: int) -> int:
    group = NotificationGroup(user_id=user_id, kind=kind, subject_id=subject_id, position=0)
    tx.add(group)
    await tx.flush()
    return group.id


async def _put(tx: Tx, group_id: int, row: Notification) -> None:
    tx.add(row)
    await tx.flush()
    moved = update(NotificationGroup).where(NotificationGroup.id == group_id)
    await tx.execute(moved.values(position=row.id))


async def withdraw(
    tx: Tx, user_id: int, actor_id: int, kind: str, *, post_id: int | None = None
) -> None:
    """Take back what `actor_id` no longer does, so that a list tells what is so."""
    done = Notification.user_id == user_id, Notification.actor_id == actor_id
    gone = [*done, Notification.kind == kind]
    if post_id is not None:
        gone.append(Notification.post_id == post_id)
    await take_back(tx, actor_id, and_(*gone))


async def withdraw_post(tx: Tx, author_id: int, post_id: int) -> None:
    """Take back what was told of a post that is gone."""
    await take_back(tx, author_id, Notification.post_id == post_id)


async def withdraw_person(tx: Tx, actor_id: int) -> None:
    """Take back all that was told of a person who is gone."""
    others = Notification.user_id != actor_id
    await take_back(tx, actor_id, and_(Notification.actor_id == actor_id, others))


async def take_back(tx: Tx, actor_id: int, condition: ColumnElement[bool]) -> None:
    """Delete what was told under a condition, and tell whose lists are other ones now."""
    statement = delete(Notification).where(condition)
    changed = await tx.change_telling(statement, Notification.group_id)
    if changed:
        for group_id, user_id in await notifications.whose(tx, changed):
            tx.announce(events.notified(actor_id, user_id, group_id))


async def forget_empty(tx: Tx) -> None:
    """Delete the groups of which all that was in them was taken back."""
    inside = exists().where(Notification.group_id == NotificationGroup.id)
    await tx.execute_aside(delete(NotificationGroup).where(~inside))


# --- What one has read ---------------------------------------------------------------------------


def count_anew(tx: Tx, user_ids: Collection[int]) -> None:
    """Tell people how many unread notifications they have now, whatever became of the others."""
    for user_id in user_ids:
        tx.announce(events.notifications_read(user_id, 0))


async def mark_read(tx: Tx, user_id: int, up_to: int | None, now: datetime) -> None:
    """Mark a person's notifications up to the id `up_to` as read, or all of them."""
    if up_to is not None:
        await _mark(tx, user_id, _marking(user_id, now).where(Notification.id <= up_to))
    elif await tx.change(_marking(user_id, now)):
        tx.announce(events.notifications_read(user_id, await notifications.last(tx, user_id)))


async def mark_groups_read(
    tx: Tx, user_id: int, group_ids: Collection[int], up_to: int | None, now: datetime
) -> None:
    """Mark these items of a person's list as read, with `up_to` only what was in them then."""
    if not group_ids:
        return
    statement = _marking(user_id, now).where(Notification.group_id.in_(group_ids))
    if up_to is not None:
        statement = statement.where(Notification.id <= up_to)
    await _mark(tx, user_id, statement)


async def mark_post_read(tx: Tx, user_id: int, post_id: int, now: datetime) -> None:
    """Mark as read what a person was told of a post and its answers: they have seen it."""
    answers = await notifications.answers_to(tx, user_id, post_id)
    of_it = or_(Notification.post_id == post_id, Notification.group_id.in_(answers))
    await _mark(tx, user_id, _marking(user_id, now).where(of_it))


async def mark_messages_read(tx: Tx, user_id: int, actor_id: int, now: datetime) -> None:
    """Mark as read that `actor_id` wrote messages to a person, who has seen them."""
    of_it = Notification.actor_id == actor_id, Notification.kind == notices.MESSAGE
    await _mark(tx, user_id, _marking(user_id, now).where(*of_it))


def _marking(user_id: int, now: datetime) -> Any:
    unread = update(Notification).where(Notification.user_id == user_id, _UNREAD)
    return unread.values(read_at=now)


async def _mark(tx: Tx, user_id: int, statement: Any) -> None:
    for group_id in sorted(set(await tx.change_telling(statement, Notification.group_id))):
        tx.announce(events.notification_read(user_id, group_id))


# --- What one wants to hear ----------------------------------------------------------------------


async def choose_kinds(tx: Tx, user_id: int, wanted: Iterable[str]) -> None:
    """Keep of which kinds a person wants to be told; what was told already stays."""
    await tx.execute(delete(SilencedKind).where(SilencedKind.user_id == user_id))
    unwanted = [kind for kind in notices.KINDS if kind not in set(wanted)]
    await tx.insert(SilencedKind, *({"user_id": user_id, "kind": kind} for kind in unwanted))
