"""The log, read. A tail reads it once for its process; a socket that comes back reads its part.

Both get `Delivery`s: an event, whom it concerns, and the thing it speaks of as it is now.
"""

from collections.abc import Collection, Iterable, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select

from microblog.core.events import EVERYONE, OF_MESSAGES, OF_POSTS, Kind, LoggedEvent
from microblog.database import Read
from microblog.models import EventRow, Follow, History, Post, PostTag, table
from microblog.queries import drafts, jobs, message_news, notifications, rows
from microblog.queries.drafts import DraftRow
from microblog.queries.jobs import JobRow
from microblog.queries.message_news import News
from microblog.queries.rows import (
    PERSON,
    WHOLE_POST,
    NotificationRow,
    Person,
    PostRow,
    Presence,
    person_table,
    post_table,
)
from microblog.queries.visibility import at_home, followers_among

HOME = "home"
EXPLORE = "explore"
OF_NOTES = {Kind.NOTIFIED, Kind.NOTIFICATION_READ}
QUESTIONS = "questions"

_event, _history, _tag = table(EventRow).c, table(History).c, table(PostTag)
_COLUMNS = (_event.id, _event.kind, _event.actor_id, _event.user_id, _event.ref_id)
_EPOCH = select(_history.epoch)
_HEAD = select(_history.epoch, _history.pruned_to, select(func.max(_event.id)).scalar_subquery())
_AFTER = (
    select(*_COLUMNS, _event.created_at)
    .where(_event.id > bindparam("cursor"))
    .order_by(_event.id)
    .limit(bindparam("limit"))
)
_BEFORE = (
    select(*_COLUMNS)
    .where(_event.id > bindparam("low"), _event.id <= bindparam("high"))
    .order_by(_event.id.desc())
    .limit(bindparam("limit"))
)
_TAGS = (
    select(func.aggregate_strings(_tag.c.tag, " "))
    .where(_tag.c.post_id == post_table.c.id)
    .correlate(post_table)
    .scalar_subquery()
)
# Tombstones too: their deletion must be told.
_SUBJECTS = (
    select(person_table.c.deactivated_at, _TAGS, *WHOLE_POST)
    .join(person_table, person_table.c.id == post_table.c.author_id)
    .where(post_table.c.id.in_(bindparam("ids", expanding=True)))
)
_OF_PEOPLE = frozenset({Kind.USER_CHANGED, Kind.PROFILE_CHANGED})
_PEOPLE = select(*PERSON).where(
    person_table.c.id.in_(bindparam("ids", expanding=True)), person_table.c.deactivated_at.is_(None)
)
_NEWEST = (
    select(post_table.c.id)
    .where(post_table.c.author_id == person_table.c.id, post_table.c.deleted_at.is_(None))
    .order_by(post_table.c.id.desc())
    .limit(1)
    .correlate(person_table)
    .scalar_subquery()
)
_PRESENCES = select(person_table.c.id, person_table.c.deactivated_at.is_(None), _NEWEST).where(
    person_table.c.id.in_(bindparam("ids", expanding=True))
)


@dataclass(frozen=True, slots=True)
class Head:
    """A position: the history's epoch, the greatest id, and up to where the log was pruned."""

    epoch: str
    cursor: int
    pruned_to: int


@dataclass(slots=True)
class Delivery:
    """An event ready to be delivered.

    It concerns `event.user_id` alone where that is set, or everyone; else whoever listens to one of
    `topics`, and those of `homes` who listen to their home feed. `subject` is the post, person,
    presence, notification, job or news; `unread` the recipient's unread notifications; neither is
    `loaded` where the recipient did not listen. `encoded` keeps what `render.frames` made of it,
    once for each form and language.
    """

    event: LoggedEvent
    topics: frozenset[str] = frozenset()
    homes: Set[int] = frozenset()
    subject: PostRow | Person | Presence | NotificationRow | JobRow | DraftRow | News | None = None
    unread: int = 0
    loaded: bool = False
    encoded: dict[tuple[str, str], str | None] = field(default_factory=dict)

    def concerns(self, viewer_id: int | None, topics: Collection[str]) -> bool:
        """Tell whether a listener of these topics is to have this event."""
        if self.event.user_id == EVERYONE:
            return True
        if self.event.user_id is not None:
            if self.event.user_id != viewer_id:
                return False
            return self.event.kind is not Kind.RELATIONS_CHANGED or HOME in topics
        if not self.topics.isdisjoint(topics):
            return True
        return HOME in topics and viewer_id in self.homes


async def head(read: Read) -> Head:
    """Return where the log ends now. Read it before the page that is to carry it."""
    epoch, pruned_to, greatest = (await read.execute(_HEAD)).one()
    return Head(epoch, greatest or pruned_to, pruned_to)


async def epoch(read: Read) -> str:
    """Return which history the log tells now."""
    return str(await read.scalar(_EPOCH))


async def before(read: Read, low: int, high: int, limit: int) -> list[LoggedEvent]:
    """Return the latest `limit` events with `low < id <= high`, oldest first."""
    found = await read.execute(_BEFORE, {"low": low, "high": high, "limit": limit})
    return [_logged(*row) for row in reversed(found.all())]


async def after(read: Read, cursor: int, limit: int) -> list[LoggedEvent]:
    """Return the events after `cursor`, oldest first, at most `limit`."""
    found = await read.execute(_AFTER, {"cursor": cursor, "limit": limit})
    return [_logged(*row) for row in found]


async def concerning(
    read: Read, viewer_id: int | None, topics: Collection[str], window: tuple[int, int], limit: int
) -> list[LoggedEvent]:
    """Return the events with `window[0] < id <= window[1]` that may concern one listener.

    Oldest first, at most `limit`. May return more than concerns: `deliveries` decides.
    """
    low, high = window
    candidates = [c for topic in topics for c in _conditions_of(topic, viewer_id)]
    own = [EVERYONE] if viewer_id is None else [EVERYONE, viewer_id]
    candidates.append(EventRow.user_id.in_(own))
    condition = and_(EventRow.id > low, EventRow.id <= high, or_(*candidates))
    statement = select(*_COLUMNS).where(condition).order_by(_event.id).limit(limit)
    return [_logged(*row) for row in await read.execute(statement)]


def _conditions_of(topic: str, viewer_id: int | None) -> Iterable[ColumnElement[bool]]:
    shared = EventRow.user_id.is_(None)
    of_posts = and_(shared, EventRow.kind.in_([str(kind) for kind in OF_POSTS]))
    kind, _, name = topic.partition(":")
    if topic == EXPLORE:
        yield of_posts
    elif topic == QUESTIONS:
        asked = select(Post.id).where(Post.question.is_not(None))
        yield and_(of_posts, or_(EventRow.ref_id.in_(asked), EventRow.id.in_(asked)))
    elif topic == HOME and viewer_id is not None:
        followed = select(Follow.followed_id).where(Follow.follower_id == viewer_id)
        yield and_(of_posts, or_(EventRow.actor_id == viewer_id, EventRow.actor_id.in_(followed)))
    elif kind == "user":
        yield and_(shared, EventRow.actor_id == int(name))
    elif kind == "post":
        yield and_(of_posts, or_(EventRow.ref_id == int(name), EventRow.id == int(name)))
        replies = select(Post.id).where(Post.reply_to_id == int(name))
        yield and_(of_posts, or_(EventRow.ref_id.in_(replies), EventRow.id.in_(replies)))
    elif kind == "tag":
        tagged = select(PostTag.post_id).where(PostTag.tag == name)
        # A post has the id of the event that published it, which names no other thing.
        yield and_(of_posts, or_(EventRow.ref_id.in_(tagged), EventRow.id.in_(tagged)))


async def count_between(read: Read, low: int, limit: int) -> int:
    """Count the events after `low`, but no further than `limit`."""
    some = select(EventRow.id).where(EventRow.id > low).limit(limit).subquery()
    return int(await read.scalar(select(func.count()).select_from(some)))


def _logged(event_id: int, kind: str, actor_id: int, *others: Any) -> LoggedEvent:
    user_id, ref_id, *when = others
    ref_id = event_id if kind == Kind.POST_PUBLISHED else ref_id
    return LoggedEvent(event_id, Kind(kind), actor_id, user_id, ref_id, *when)


async def deliveries(
    read: Read, events: Sequence[LoggedEvent], listener_ids: Collection[int]
) -> list[Delivery]:
    """Say of each event whom it concerns, and load what it speaks of.

    Who may see what takes two statements for the whole page: the posts (by the predicate that
    the pages use) and the followers among `listener_ids`. Others load people, notifications,
    unread counts, jobs, drafts and messages where the page has any; a page of posts needs none.
    """
    posts = await _posts(read, _refs(events, OF_POSTS))
    authors = {person for subject in posts.values() for person in subject.post.at_home_with}
    homes = await followers_among(read, authors, listener_ids)
    people = await _people(read, _refs(events, _OF_PEOPLE))
    presences = await _presences(read, _refs(events, {Kind.PRESENCE_CHANGED}))
    mine = [e for e in events if e.user_id in listener_ids]
    own = await _own(read, mine)
    news = await message_news.news(read, [e for e in mine if e.kind in OF_MESSAGES])
    told = OF_NOTES | {Kind.NOTIFICATIONS_READ}
    unread = await notifications.unread(
        read, {e.user_id for e in mine if e.kind in told and e.user_id is not None}
    )
    made = []
    for event in events:
        if event.kind in OF_POSTS:
            delivery = _of_post(event, posts.get(event.ref_id or 0), homes)
        elif event.kind in _OF_PEOPLE:
            topics = frozenset({f"user:{event.ref_id}"})
            delivery = Delivery(event, topics, subject=people.get(event.ref_id or 0))
        elif event.kind is Kind.PRESENCE_CHANGED:
            delivery = Delivery(event, subject=presences.get(event.ref_id or 0))
        else:
            subject = news.get(event.id) or own.get((event.kind, event.ref_id or 0))
            delivery = Delivery(event, subject=subject, unread=unread.get(event.user_id or 0, 0))
            delivery.loaded = event.user_id in listener_ids
        made.append(delivery)
    return made


def _refs(events: Iterable[LoggedEvent], kinds: Collection[Kind]) -> list[int]:
    return [e.ref_id for e in events if e.kind in kinds and e.ref_id is not None]


class _Subject(NamedTuple):
    """A post that an event speaks of, with what decides whom it concerns."""

    post: PostRow
    tags: tuple[str, ...]
    author_left: bool

    @property
    def is_there(self) -> bool:
        return self.post.deleted_at is None and not self.author_left


async def _posts(read: Read, ids: Sequence[int]) -> dict[int, _Subject]:
    if not ids:
        return {}
    found = await read.execute(_SUBJECTS, {"ids": list(ids)})
    return {
        row[2]: _Subject(rows.post(row[2:]), tuple((row[1] or "").split()), row[0] is not None)
        for row in found
    }


async def _people(read: Read, ids: Sequence[int]) -> dict[int, Person]:
    if not ids:
        return {}
    return {row[0]: rows.person(row) for row in await read.execute(_PEOPLE, {"ids": list(ids)})}


async def _presences(read: Read, ids: Sequence[int]) -> dict[int, Presence]:
    if not ids:
        return {}
    found = await read.execute(_PRESENCES, {"ids": list(ids)})
    return {row[0]: Presence(row[0], bool(row[1]), row[2]) for row in found}


async def _own(
    read: Read, events: Sequence[LoggedEvent]
) -> dict[tuple[Kind, int], NotificationRow | JobRow | DraftRow]:
    """Load what is told to one person each, by the kind of event and its `ref_id`."""
    notes = await notifications.by_ids(read, _refs(events, OF_NOTES))
    known = await jobs.by_ids(read, _refs(events, {Kind.JOB_CHANGED}))
    kept = await drafts.by_ids(read, _refs(events, {Kind.DRAFT_CHANGED}))
    found: dict[tuple[Kind, int], NotificationRow | JobRow | DraftRow] = {
        (kind, note.id): note for note in notes.values() for kind in OF_NOTES
    }
    found |= {(Kind.JOB_CHANGED, job.id): job for job in known.values()}
    return found | {(Kind.DRAFT_CHANGED, draft.id): draft for draft in kept}


def _of_post(event: LoggedEvent, subject: _Subject | None, homes: dict[int, set[int]]) -> Delivery:
    if subject is None or (event.kind is not Kind.POST_DELETED and not subject.is_there):
        return Delivery(event)
    post = subject.post
    topics = {f"user:{post.author_id}", f"post:{post.id}"}
    topics.add(EXPLORE if post.reply_to_id is None else f"post:{post.reply_to_id}")
    topics.update(f"tag:{tag}" for tag in subject.tags)
    if post.question is not None:
        topics.add(QUESTIONS)
    return Delivery(event, frozenset(topics), at_home(post, homes), post)
