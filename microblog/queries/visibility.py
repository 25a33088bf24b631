"""Who may see what: one predicate, for a page and for a set of listeners.

Timelines, posts, the API and the replay of the log all filter with `VISIBLE`.
"""

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import BigInteger, ColumnElement, and_, bindparam, or_, select

from microblog.database import Read
from microblog.models import Follow
from microblog.queries.rows import person_table, post_table

_follow = Follow.__table__

VIEWER = bindparam("viewer", type_=BigInteger)
"""Who reads: an id, or None for somebody who is not signed in."""


def _visible() -> ColumnElement[bool]:
    post = post_table.c
    there = post.deleted_at.is_(None)
    author_left = (
        select(person_table.c.id)
        .where(person_table.c.id == post.author_id, person_table.c.deactivated_at.is_not(None))
        .correlate(post_table)
        .exists()
    )
    return and_(there, or_(post.visibility == "public", post.author_id == VIEWER), ~author_left)


VISIBLE = _visible()
"""The condition under which `VIEWER` may read a post."""

FOLLOWED = select(_follow.c.followed_id).where(_follow.c.follower_id == VIEWER)
"""The ids of the people whom `VIEWER` follows."""

IN_HOME = or_(post_table.c.author_id == VIEWER, post_table.c.author_id.in_(FOLLOWED))
"""The condition under which a post belongs in the home feed of `VIEWER`."""


async def followers_among(
    read: Read, author_ids: Collection[int], listener_ids: Collection[int]
) -> dict[int, set[int]]:
    """Return, for each author, who of the listeners has the author in their home feed.

    One statement, whatever the number of listeners; its cost does not grow with followers who
    are not connected.
    """
    homes: dict[int, set[int]] = defaultdict(set)
    for author_id in author_ids:
        if author_id in listener_ids:
            homes[author_id].add(author_id)
    if author_ids and listener_ids:
        found = await read.execute(
            _FOLLOWING, {"listeners": list(listener_ids), "authors": list(author_ids)}
        )
        for followed_id, follower_id in found:
            homes[followed_id].add(follower_id)
    return homes


_FOLLOWING = select(_follow.c.followed_id, _follow.c.follower_id).where(
    _follow.c.follower_id.in_(bindparam("listeners", expanding=True)),
    _follow.c.followed_id.in_(bindparam("authors", expanding=True)),
)
