"""Who may see what: one predicate, for a page and for a set of listeners.

Timelines, posts, the API and the replay of the log all filter with `visible_to`.
"""

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import ColumnElement, and_, or_, select

from microblog.database import Read
from microblog.models import Follow, Post, User


def visible_to(viewer_id: int | None) -> ColumnElement[bool]:
    """Return the condition under which `viewer_id` may read a post (None: not signed in)."""
    public = and_(Post.deleted_at.is_(None), Post.visibility == "public")
    author_is_active = (
        select(User.id)
        .where(User.id == Post.author_id, User.deactivated_at.is_not(None))
        .correlate(Post)
        .exists()
        .__invert__()
    )
    own = Post.author_id == viewer_id if viewer_id is not None else None
    seen = public if own is None else or_(public, and_(own, Post.deleted_at.is_(None)))
    return and_(seen, author_is_active)


def in_home_of(viewer_id: int) -> ColumnElement[bool]:
    """Return the condition under which a post belongs in a person's home feed."""
    followed = select(Follow.followed_id).where(Follow.follower_id == viewer_id)
    return or_(Post.author_id == viewer_id, Post.author_id.in_(followed))


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
        statement = select(Follow.followed_id, Follow.follower_id).where(
            Follow.follower_id.in_(listener_ids), Follow.followed_id.in_(author_ids)
        )
        for followed_id, follower_id in await read.execute(statement):
            homes[followed_id].add(follower_id)
    return homes
