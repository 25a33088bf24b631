"""The log, read. A tail reads it once for its process; a socket that comes back reads its part.

Both get `Delivery`s: an event, whom it concerns, and the thing it speaks of as it is now.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import selectinload

from microblog.core.events import Kind, LoggedEvent
from microblog.database import Read
from microblog.models import EventRow, Follow, History, Notification, Post, PostTag, User
from microblog.queries import notifications
from microblog.queries.posts import WHOLE
from microblog.queries.visibility import followers_among

HOME = "home"
EXPLORE = "explore"
_POSTS = {Kind.POST_PUBLISHED, Kind.POST_DELETED}


@dataclass(frozen=True, slots=True)
class Head:
    """A position: the history's epoch, the greatest id, and up to where the log was pruned."""

    epoch: str
    cursor: int
    pruned_to: int


@dataclass(slots=True)
class Delivery:
    """An event ready to be delivered.

    It concerns `event.user_id` alone where that is set; else everyone who listens to one of
    `topics`, and those of `homes` who listen to their home feed. `subject` is the post, person or
    notification; `unread` the recipient's unread notifications. `encoded` keeps what
    `render.frames` made of it, once for each form and language.
    """

    event: LoggedEvent
    topics: frozenset[str] = frozenset()
    homes: Collection[int] = ()
    subject: Post | User | Notification | None = None
    unread: int = 0
    encoded: dict[tuple[str, str], str | None] = field(default_factory=dict)

    def concerns(self, viewer_id: int | None, topics: Collection[str]) -> bool:
        """Tell whether a listener of these topics is to have this event."""
        if self.event.user_id is not None:
            if self.event.user_id != viewer_id:
                return False
            return self.event.kind is not Kind.RELATIONS_CHANGED or HOME in topics
        if not self.topics.isdisjoint(topics):
            return True
        return HOME in topics and viewer_id in self.homes


async def head(read: Read) -> Head:
    """Return where the log ends now. Read it before the page that is to carry it."""
    statement = select(
        History.epoch, History.pruned_to, select(func.max(EventRow.id)).scalar_subquery()
    )
    epoch, pruned_to, greatest = (await read.execute(statement)).one()
    return Head(epoch, greatest or pruned_to, pruned_to)


async def after(read: Read, cursor: int, limit: int) -> list[LoggedEvent]:
    """Return the events after `cursor`, oldest first, at most `limit`."""
    return await _events(read, EventRow.id > cursor, limit)


async def concerning(
    read: Read, viewer_id: int | None, topics: Collection[str], window: tuple[int, int], limit: int
) -> list[LoggedEvent]:
    """Return the events with `window[0] < id <= window[1]` that may concern one listener.

    Oldest first, at most `limit`. May return more than concerns: `deliveries` decides.
    """
    low, high = window
    candidates = [c for topic in topics for c in _conditions_of(topic, viewer_id)]
    if viewer_id is not None:
        candidates.append(EventRow.user_id == viewer_id)
    if not candidates:
        return []
    condition = and_(EventRow.id > low, EventRow.id <= high, or_(*candidates))
    return await _events(read, condition, limit)


def _conditions_of(topic: str, viewer_id: int | None) -> Iterable[ColumnElement[bool]]:
    shared = EventRow.user_id.is_(None)
    of_posts = and_(shared, EventRow.kind.in_([str(kind) for kind in _POSTS]))
    kind, _, name = topic.partition(":")
    if topic == EXPLORE:
        yield of_posts
    elif topic == HOME and viewer_id is not None:
        followed = select(Follow.followed_id).where(Follow.follower_id == viewer_id)
        yield and_(of_posts, or_(EventRow.actor_id == viewer_id, EventRow.actor_id.in_(followed)))
    elif kind == "user":
        yield and_(shared, EventRow.actor_id == int(name))
    elif kind == "post":
        yield and_(of_posts, EventRow.ref_id == int(name))
    elif kind == "tag":
        tagged = select(PostTag.post_id).where(PostTag.tag == name)
        yield and_(of_posts, EventRow.ref_id.in_(tagged))


async def count_between(read: Read, low: int, limit: int) -> int:
    """Count the events after `low`, but no further than `limit`."""
    some = select(EventRow.id).where(EventRow.id > low).limit(limit).subquery()
    return int(await read.scalar(select(func.count()).select_from(some)))


async def _events(read: Read, condition: ColumnElement[bool], limit: int) -> list[LoggedEvent]:
    statement = (
        select(EventRow.id, EventRow.kind, EventRow.actor_id, EventRow.user_id, EventRow.ref_id)
        .where(condition)
        .order_by(EventRow.id)
        .limit(limit)
    )
    return [_logged(*row) for row in await read.execute(statement)]


def _logged(
    event_id: int, kind: str, actor_id: int, user_id: int | None, ref_id: int | None
) -> LoggedEvent:
    if kind == Kind.POST_PUBLISHED:
        ref_id = event_id
    return LoggedEvent(event_id, Kind(kind), actor_id, user_id, ref_id)


async def deliveries(
    read: Read, events: Sequence[LoggedEvent], listener_ids: Collection[int]
) -> list[Delivery]:
    """Say of each event whom it concerns, and load what it speaks of.

    Who may see what takes two statements for the whole page: the posts (by the predicate that
    the pages use) and the followers among `listener_ids`. Three more load people, notifications
    and unread counts where the page has any; a page of posts alone needs none of them.
    """
    posts = await _posts(read, _refs(events, _POSTS))
    authors = {post.author_id for post in posts.values()}
    homes = await followers_among(read, authors, listener_ids)
    people = await _people(read, _refs(events, {Kind.USER_CHANGED}))
    mine = [e for e in events if e.user_id in listener_ids]
    notes = await notifications.by_ids(read, _refs(mine, {Kind.NOTIFIED}))
    told = {Kind.NOTIFIED, Kind.NOTIFICATION_READ, Kind.NOTIFICATIONS_READ}
    unread = await notifications.unread(
        read, {e.user_id for e in mine if e.kind in told and e.user_id is not None}
    )
    made = []
    for event in events:
        if event.kind in _POSTS:
            delivery = _of_post(event, posts.get(event.ref_id or 0), homes)
        elif event.kind is Kind.USER_CHANGED:
            topics = frozenset({f"user:{event.ref_id}"})
            delivery = Delivery(event, topics, subject=people.get(event.ref_id or 0))
        else:
            note = notes.get(event.ref_id or 0) if event.kind is Kind.NOTIFIED else None
            delivery = Delivery(event, subject=note, unread=unread.get(event.user_id or 0, 0))
        made.append(delivery)
    return made


def _refs(events: Iterable[LoggedEvent], kinds: Collection[Kind]) -> list[int]:
    return [e.ref_id for e in events if e.kind in kinds and e.ref_id is not None]


async def _posts(read: Read, ids: Sequence[int]) -> dict[int, Post]:
    """Load posts with their tags, tombstones too: their deletion must be told."""
    if not ids:
        return {}
    statement = select(Post).where(Post.id.in_(ids)).options(*WHOLE, selectinload(Post.tags))
    return {post.id: post for post in await read.scalars(statement)}


async def _people(read: Read, ids: Sequence[int]) -> dict[int, User]:
    if not ids:
        return {}
    statement = select(User).where(User.id.in_(ids), User.deactivated_at.is_(None))
    return {user.id: user for user in await read.scalars(statement)}


def _of_post(event: LoggedEvent, post: Post | None, homes: dict[int, set[int]]) -> Delivery:
    if post is None or (event.kind is Kind.POST_PUBLISHED and not _is_there(post)):
        return Delivery(event)
    topics = {EXPLORE, f"user:{post.author_id}", f"post:{post.id}"}
    topics.update(f"tag:{tag.tag}" for tag in post.tags)
    return Delivery(event, frozenset(topics), homes.get(post.author_id, ()), post)


def _is_there(post: Post) -> bool:
    return post.deleted_at is None and post.author.deactivated_at is None
