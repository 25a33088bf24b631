"""What someone is told of: pages of it, what of it is unread, and what they want to hear.

An item of a list is a group of notifications. Whatever the number of either, a page takes four
statements: which groups, what is in them, their posts and their jobs.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, case, func, or_, select

from microblog.core import notices
from microblog.core.cursors import Page, Window
from microblog.database import Read
from microblog.models import Notification, NotificationGroup, SilencedKind, table
from microblog.queries import jobs, rows
from microblog.queries.jobs import JobRow
from microblog.queries.paging import AnySelect, turn, within
from microblog.queries.rows import (
    PERSON,
    WHOLE_POST,
    NotificationRow,
    PostRow,
    person_table,
    post_table,
)
from microblog.queries.visibility import visible_to

_notes, _groups = table(Notification), table(NotificationGroup)
_note, _group, _silenced = _notes.c, _groups.c, table(SilencedKind).c
_reader = person_table.alias("reader")
_is_unread = _note.read_at.is_(None)
# Of people who are not there nobody is told.
_is_there = person_table.c.deactivated_at.is_(None)
_in_it = (
    select(_note.id)
    .join(person_table, person_table.c.id == _note.actor_id)
    .where(_note.group_id == _group.id, _is_there)
    .correlate(_groups)
)

_PLACE = select(
    select(_silenced.kind)
    .where(_silenced.user_id == bindparam("user"), _silenced.kind == bindparam("kind"))
    .exists(),
    select(_group.id)
    .where(
        _group.user_id == bindparam("user"),
        _group.kind == bindparam("kind"),
        _group.subject_id == bindparam("subject"),
        _in_it.where(_is_unread).exists(),
    )
    .order_by(_group.position.desc())
    .limit(1)
    .scalar_subquery(),
)
_ITEMS = select(_group.id, _group.position).where(_in_it.exists())
_contents = (
    select(
        _note.group_id,
        func.max(_note.id).label("newest"),
        func.count().label("count"),
        func.count(case((_is_unread, 1))).label("unread"),
        func.count(_note.actor_id.distinct()).label("people"),
    )
    .join(person_table, person_table.c.id == _note.actor_id)
    .where(_note.group_id.in_(bindparam("ids", expanding=True)), _is_there)
    .group_by(_note.group_id)
    .subquery()
)
_WHOLE = (
    select(
        *(_note.id, _note.post_id, _group.id, _group.kind, _group.position, _group.subject_id),
        *(_contents.c["count"], _contents.c.unread, _contents.c.people - 1, _note.created_at),
        *(_reader.c.username, *PERSON),
    )
    .select_from(_contents)
    .join(_notes, _note.id == _contents.c.newest)
    .join(_groups, _group.id == _note.group_id)
    .join(_reader, _reader.c.id == _group.user_id)
    .join(person_table, person_table.c.id == _note.actor_id)
)
_POSTS = (
    select(_note.id, *WHOLE_POST)
    .select_from(_notes)
    .join(post_table, post_table.c.id == _note.post_id)
    .join(person_table, person_table.c.id == post_table.c.author_id)
    .where(_note.id.in_(bindparam("ids", expanding=True)), visible_to(_note.user_id))
)
_UNREAD = (
    select(_note.user_id, func.count())
    .join(person_table, person_table.c.id == _note.actor_id)
    .where(_note.user_id.in_(bindparam("ids", expanding=True)), _is_unread, _is_there)
    .group_by(_note.user_id)
)
_WHOSE = select(_group.id, _group.user_id).where(_group.id.in_(bindparam("ids", expanding=True)))


class Place(NamedTuple):
    """Whether a person wants to hear of something, and the unread group that it belongs to."""

    silenced: bool
    group_id: int | None


async def place(read: Read, user_id: int, kind: str, subject_id: int) -> Place:
    """Say where a new notification belongs."""
    given = {"user": user_id, "kind": kind, "subject": subject_id}
    silenced, group_id = (await read.execute(_PLACE, given)).one()
    return Place(bool(silenced), group_id)


async def page(
    read: Read, user_id: int, window: Window, kinds: Sequence[str] = ()
) -> Page[NotificationRow]:
    """Return the items of a person's list, newest first; of these `kinds`, where any are given."""
    statement = _ITEMS.where(_group.user_id == user_id)
    if kinds:
        statement = statement.where(_group.kind.in_(kinds))
    found = (await read.execute(within(statement, _group.position, window))).all()
    chosen = turn([(row[1], row[0]) for row in found], window)
    whole = await by_ids(read, chosen.items)
    # One that went between the two statements is left out, and pages still join on.
    items = tuple(whole[group_id] for group_id in chosen.items if group_id in whole)
    return Page(items, chosen.before, chosen.after)


async def by_ids(read: Read, ids: Collection[int]) -> dict[int, NotificationRow]:
    """Return items by id, as they are now; those that are gone or empty are left out."""
    if not ids:
        return {}
    found = (await read.execute(_WHOLE, {"ids": list(ids)})).all()
    posts = await _posts(read, [row[0] for row in found if row[1] is not None])
    ended = await jobs.by_ids(read, [row[5] for row in found if row[3] == notices.JOB])
    return {
        row[2]: NotificationRow._make(
            (*row[2:11], rows.person(row[11:]), posts.get(row[0]), _job(row[3], row[5], ended))
        )
        for row in found
    }


def _job(kind: str, subject_id: int, ended: dict[int, JobRow]) -> JobRow | None:
    return ended.get(subject_id) if kind == notices.JOB else None


async def _posts(read: Read, note_ids: Sequence[int]) -> dict[int, PostRow]:
    """Return the posts of notifications, by these, where each reader may see theirs."""
    if not note_ids:
        return {}
    found = await read.execute(_POSTS, {"ids": list(note_ids)})
    return {row[0]: rows.post(row[1:]) for row in found}


async def told_of(read: Read, post_id: int) -> set[int]:
    """Return the people who have been told of a post."""
    return set(await read.scalars(select(_note.user_id).where(_note.post_id == post_id)))


async def unread(read: Read, user_ids: Collection[int]) -> dict[int, int]:
    """Return the number of unread notifications of each person who has any."""
    if not user_ids:
        return {}
    return {row[0]: row[1] for row in await read.execute(_UNREAD, {"ids": list(user_ids)})}


async def last(read: Read, user_id: int) -> int:
    """Return the position of the newest item of a person's list, 0 where there is none."""
    newest = select(func.max(_group.position)).where(_group.user_id == user_id)
    return int(await read.scalar(newest) or 0)


async def whose(read: Read, group_ids: Iterable[int]) -> list[tuple[int, int]]:
    """Return of each group its id and whose it is."""
    found = await read.execute(_WHOSE, {"ids": sorted(set(group_ids))})
    return [(row[0], row[1]) for row in found]


async def answers_to(read: Read, user_id: int, post_id: int) -> list[int]:
    """Return the ids of the groups in which a person is told of answers to a post."""
    return list(await read.scalars(_answers_to(user_id, post_id)))


def _answers_to(user_id: int, post_id: int) -> AnySelect:
    answers = _group.kind.in_([notices.REPLY, notices.ANSWER])
    return select(_group.id).where(_group.user_id == user_id, answers, _group.subject_id == post_id)


async def unread_post(read: Read, user_id: int | None, post_id: int) -> int | None:
    """Return the id of a post, if a person has not read of it or of its answers."""
    if user_id is None:
        return None
    about = or_(_note.post_id == post_id, _note.group_id.in_(_answers_to(user_id, post_id)))
    found = select(_note.id).where(_note.user_id == user_id, _is_unread, about).limit(1)
    return None if await read.scalar(found) is None else post_id


async def silenced(read: Read, user_id: int) -> set[str]:
    """Return the kinds of which a person does not want to be told."""
    return set(await read.scalars(select(_silenced.kind).where(_silenced.user_id == user_id)))
