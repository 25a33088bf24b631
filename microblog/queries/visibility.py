"""Who may see what: one predicate, for a page and for a set of listeners.

Timelines, posts, the API and the replay of the log all filter with `VISIBLE`.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Set
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Text,
    and_,
    bindparam,
    column,
    func,
    or_,
    select,
    text,
)

from microblog.database import Read
from microblog.models import Follow, table
from microblog.queries.paging import AnySelect
from microblog.queries.rows import PostRow, person_table, post_table

_follow = table(Follow)

VIEWER = bindparam("viewer", type_=BigInteger)
"""Who reads: an id, or None for somebody who is not signed in."""


def visible_to(viewer: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the condition under which `viewer`, a parameter or a column, may read a post."""
    post = post_table.c
    there = post.deleted_at.is_(None)
    author_left = (
        select(person_table.c.id)
        .where(person_table.c.id == post.author_id, person_table.c.deactivated_at.is_not(None))
        .correlate(post_table)
        .exists()
    )
    return and_(there, or_(post.visibility == "public", post.author_id == viewer), ~author_left)


VISIBLE = visible_to(VIEWER)
"""The condition under which `VIEWER` may read a post."""

FOLLOWED = select(_follow.c.followed_id).where(_follow.c.follower_id == VIEWER)
"""The ids of the people whom `VIEWER` follows."""

KNOWS_BOTH = or_(
    post_table.c.reply_to_user_id.is_(None),
    post_table.c.author_id == VIEWER,
    post_table.c.reply_to_user_id == VIEWER,
    post_table.c.reply_to_user_id == post_table.c.author_id,
    select(_follow.c.id)
    .where(_follow.c.follower_id == VIEWER, _follow.c.followed_id == post_table.c.reply_to_user_id)
    .correlate(post_table)
    .exists(),
)
"""The condition under which a post of somebody at home belongs there: of replies those alone whose
other side is at home too. `at_home` says the same of listeners.
"""


def at_home(post: PostRow, homes: Mapping[int, Set[int]]) -> Set[int]:
    """Return who has a post at home, where `homes` says it of people (`followers_among`)."""
    among = homes.get(post.author_id, frozenset())
    if len(post.at_home_with) == 1:
        return among
    both = among & homes.get(post.at_home_with[1], frozenset())
    return both | {post.author_id} if post.author_id in among else both


_GIVEN_TO_MARIADB = text(
    "SELECT value FROM JSON_TABLE(:listeners, '$[*]' COLUMNS (value BIGINT PATH '$')) AS given"
).columns(column("value", BigInteger))


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
        listeners = list(listener_ids)
        one = listeners if read.vendor == "postgresql" else json.dumps(listeners)
        found = await read.execute(
            _following(read.vendor), {"listeners": one, "authors": list(author_ids)}
        )
        for followed_id, follower_id in found:
            homes[followed_id].add(follower_id)
    return homes


@cache
def _following(vendor: str) -> AnySelect:
    """Return the statement with all listeners in one parameter: a thousand take long to bind."""
    listeners: Any
    if vendor == "sqlite":
        given = func.json_each(bindparam("listeners", type_=Text)).table_valued("value")
        listeners = _follow.c.follower_id.in_(select(given.c.value))
    elif vendor == "mysql":
        listeners = _follow.c.follower_id.in_(_GIVEN_TO_MARIADB)
    else:
        given_ids = bindparam("listeners", type_=ARRAY(BigInteger))
        listeners = _follow.c.follower_id == func.any(given_ids)
    authors = _follow.c.followed_id.in_(bindparam("authors", expanding=True))
    return select(_follow.c.followed_id, _follow.c.follower_id).where(listeners, authors)
