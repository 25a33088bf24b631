"""Posts and timelines. A timeline reads ids in order first, then loads those few posts.

The statements are built once: building one takes several times as long as SQLite takes for it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    bindparam,
    func,
    or_,
    select,
    true,
    union_all,
)

from microblog.core.cursors import Page, Window
from microblog.core.errors import NotFound
from microblog.database import Read
from microblog.models import Follow, Mention, PostTag, PostVersion, table
from microblog.queries import rows
from microblog.queries.paging import AnySelect, turn
from microblog.queries.rows import WHOLE_POST, PostRow, person_table, post_table
from microblog.queries.visibility import FOLLOWED, KNOWS_BOTH, VIEWER, VISIBLE

VERSIONS_SHOWN = 100
NEAR_EVENTS = 5000
AUTHORS_AT_ONCE = 100

_ids = select(post_table.c.id)
_tag, _follow = table(PostTag), table(Follow)
_mention, _version = table(Mention).c, table(PostVersion).c
_whole = select(*WHOLE_POST).join(person_table, person_table.c.id == post_table.c.author_id)
_BY_IDS = _whole.where(post_table.c.id.in_(bindparam("ids", expanding=True)))
_READABLE = _BY_IDS.where(VISIBLE)
_VISIBLE_ONE = _whole.where(post_table.c.id == bindparam("id"), VISIBLE)
_GREATEST = select(func.max(post_table.c.id))
_VERSIONS = (
    select(_version.title, _version.body, _version.written_at)
    .where(_version.post_id == bindparam("id"))
    .order_by(_version.id.desc())
    .limit(VERSIONS_SHOWN - 1)
)
_is_followed = (
    select(_follow.c.id)
    .where(_follow.c.follower_id == VIEWER, _follow.c.followed_id == post_table.c.author_id)
    .correlate(post_table)
    .exists()
)
# "+ 0" keeps SQLite from gathering all posts of all authors: the newest are read in their order.
_SOURCES = {
    "near": _ids.where((post_table.c.author_id + 0 == VIEWER) | _is_followed, KNOWS_BOTH),
    "everything": _ids.where(post_table.c.reply_to_id.is_(None)),
    "author": _ids.where(post_table.c.author_id == bindparam("author")),
    "author, no replies": _ids.where(
        post_table.c.author_id == bindparam("author"),
        or_(
            post_table.c.reply_to_user_id.is_(None),
            post_table.c.reply_to_user_id == bindparam("author"),
        ),
    ),
    "tag": _ids.join(_tag, _tag.c.post_id == post_table.c.id).where(_tag.c.tag == bindparam("tag")),
}


class Version(NamedTuple):
    """What a post says, or said, and since when."""

    title: str | None
    body: str
    written_at: datetime


async def visible(read: Read, post_id: int, viewer_id: int | None) -> PostRow:
    """Return a post that the viewer may see; raises NotFound otherwise, whatever the reason."""
    row = (await read.execute(_VISIBLE_ONE, {"id": post_id, "viewer": viewer_id})).one_or_none()
    if row is None:
        raise NotFound
    return rows.post(row)


async def own(read: Read, post_id: int, author_id: int) -> PostRow:
    """Return one's own post; raises NotFound for another's, as for one that does not exist."""
    post = await visible(read, post_id, author_id)
    if post.author_id != author_id:
        raise NotFound
    return post


async def mentioned_in(read: Read, post_id: int) -> set[int]:
    """Return the people whom a post mentions."""
    return set(await read.scalars(select(_mention.user_id).where(_mention.post_id == post_id)))


async def versions(read: Read, post: PostRow) -> list[Version]:
    """Return what a post says and said, the latest first, at most `VERSIONS_SHOWN`."""
    found = await read.execute(_VERSIONS, {"id": post.id})
    now = Version(post.title, post.body, post.edited_at or post.created_at)
    return [now, *(Version._make(row) for row in found)]


async def by_ids(read: Read, ids: Sequence[int]) -> list[PostRow]:
    """Return whole posts in the order of `ids`; ids that are gone are left out."""
    return _in_this_order(ids, await read.execute(_BY_IDS, {"ids": list(ids)})) if ids else []


async def readable(read: Read, ids: Sequence[int], viewer_id: int | None) -> list[PostRow]:
    """Return those of the posts that the viewer may see, whole and in the order of `ids`."""
    given = {"ids": list(ids), "viewer": viewer_id}
    return _in_this_order(ids, await read.execute(_READABLE, given)) if ids else []


def _in_this_order(ids: Sequence[int], found: Iterable[Any]) -> list[PostRow]:
    posts = {row[0]: rows.post(row) for row in found}
    return [posts[post_id] for post_id in ids if post_id in posts]


async def everything(read: Read, viewer_id: int | None, window: Window) -> Page[PostRow]:
    """Return all posts that the viewer may see, newest first, without replies."""
    return await _page(read, await _chosen(read, "everything", viewer_id, window), window)


async def by_author(
    read: Read,
    author_id: int,
    viewer_id: int | None,
    window: Window,
    *,
    with_replies: bool = True,
) -> Page[PostRow]:
    """Return one person's posts, newest first; without replies, those to themselves are left."""
    source = "author" if with_replies else "author, no replies"
    ids = await _chosen(read, source, viewer_id, window, author=author_id)
    return await _page(read, ids, window)


async def by_tag(read: Read, tag: str, viewer_id: int | None, window: Window) -> Page[PostRow]:
    """Return the posts with a hashtag (in its folded form), newest first."""
    return await _page(read, await _chosen(read, "tag", viewer_id, window, tag=tag), window)


async def home(
    read: Read, viewer_id: int, window: Window, newest: int | None = None
) -> Page[PostRow]:
    """Return own posts and those of followed people, newest first; of replies those to such people.

    First among the posts near the position, which nearly always fill a page; where they don't,
    the nearest of each author are merged. So the cost depends neither on the number of posts nor
    on how much the followed have written. `newest` is the position of the log, where the caller
    has read it: no post is after it.
    """
    greatest = newest if newest is not None else (await read.scalar(_GREATEST)) or 0
    if window.rising:
        edge = (window.after or 0) + NEAR_EVENTS
        near = Window(window.limit, min(edge, greatest) + 1, window.after)
    else:
        end = greatest + 1 if window.before is None else min(window.before, greatest + 1)
        edge = end - NEAR_EVENTS
        near = Window(window.limit, window.before, max(edge, window.after or 0))
    ids = await _chosen(read, "near", viewer_id, near, rising=window.rising)
    missing = window.limit + 1 - len(ids)
    beyond = edge < greatest if window.rising else edge > max(window.after or 0, 0)
    if missing and beyond:
        ids += await _merged(read, viewer_id, edge, window, missing)
    return await _page(read, ids, window)


async def _chosen(
    read: Read,
    source: str,
    viewer_id: int | None,
    window: Window,
    *,
    rising: bool | None = None,
    **more: Any,
) -> list[int]:
    """Return the ids of a window, in its order, with one more to look ahead."""
    rising = window.rising if rising is None else rising
    statement = _within(source, window.before is not None, window.after is not None, rising)
    where = {"before": window.before, "after": window.after, "limit": window.limit + 1}
    found = await read.execute(statement, {"viewer": viewer_id, **where, **more})
    return [row[0] for row in found]


@cache
def _within(source: str, before: bool, after: bool, rising: bool) -> AnySelect:
    statement = _SOURCES[source].where(VISIBLE)
    if before:
        statement = statement.where(post_table.c.id < bindparam("before"))
    if after:
        statement = statement.where(post_table.c.id > bindparam("after"))
    return _in_order(statement, post_table.c.id, rising=rising)


def _in_order(statement: AnySelect, key: Any, *, rising: bool) -> AnySelect:
    return statement.order_by(key.asc() if rising else key.desc()).limit(bindparam("limit"))


async def _merged(read: Read, viewer_id: int, edge: int, window: Window, limit: int) -> list[int]:
    """Return the ids from `edge` on, merged from the nearest of each author of the home feed."""
    end = window.before if window.rising else window.after
    if end is None:
        end = 2**63 - 1 if window.rising else 0
    where = {"viewer": viewer_id, "edge": edge, "end": end, "limit": limit}
    if read.vendor == "mysql":
        return await _merged_of_each(read, where, rising=window.rising)
    return list((await read.execute(_merge(read.vendor, window.rising), where)).scalars())


def _of_author(author_id: ColumnElement[int], *, rising: bool) -> AnySelect:
    """Select an author's posts between `edge` and `end`, from `edge` on."""
    edge, end = bindparam("edge", type_=BigInteger), bindparam("end", type_=BigInteger)
    key = post_table.c.id
    between = (key > edge) & (key < end) if rising else (key <= edge) & (key > end)
    ids = _ids.where(post_table.c.author_id == author_id, between, KNOWS_BOTH, VISIBLE)
    return _in_order(ids, key, rising=rising)


async def _merged_of_each(read: Read, where: dict[str, int], *, rising: bool) -> list[int]:
    """Do it for MariaDB, which looks at a few posts of an author only where the author is named.

    First the nearest post of each, then as many of those whose post is among the nearest.
    """
    found = await read.execute(FOLLOWED, {"viewer": where["viewer"]})
    authors = [where["viewer"], *found.scalars()]
    limit = where["limit"]
    for each in (1, limit):
        nearest: list[tuple[int, int]] = []
        for start in range(0, len(authors), AUTHORS_AT_ONCE):
            named = authors[start : start + AUTHORS_AT_ONCE]
            names = {f"author_{n}": author_id for n, author_id in enumerate(named)}
            statement = _of_each(len(named), rising)
            rows = await read.execute(statement, {**where, **names, "limit": each})
            nearest += [(row[0], row[1]) for row in rows]
        nearest = sorted(nearest, reverse=not rising)[:limit]
        authors = [author_id for _, author_id in nearest]
    return [post_id for post_id, _ in nearest]


@cache
def _of_each(number: int, rising: bool) -> CompoundSelect[int, int]:
    author_id = post_table.c.author_id
    named = (bindparam(f"author_{n}", type_=BigInteger) for n in range(number))
    return union_all(*(_of_author(n, rising=rising).add_columns(author_id) for n in named))


@cache
def _merge(vendor: str, rising: bool) -> AnySelect:
    authors = union_all(select(VIEWER.label("author_id")), FOLLOWED).subquery("author")
    of_one = _of_author(authors.c.author_id, rising=rising).correlate(authors)
    if vendor == "sqlite":  # knows no LATERAL, but looks each id up
        chosen = post_table.alias("chosen")
        joined = authors.join(chosen, chosen.c.id.in_(of_one))
        return _in_order(select(chosen.c.id).select_from(joined), chosen.c.id, rising=rising)
    each = of_one.lateral("each_one")
    joined_each = authors.join(each, true())
    return _in_order(select(each.c.id).select_from(joined_each), each.c.id, rising=rising)


async def _page(read: Read, ids: Sequence[int], window: Window) -> Page[PostRow]:
    page = turn([(post_id, post_id) for post_id in ids], window)
    return Page(tuple(await by_ids(read, page.items)), page.before, page.after)
