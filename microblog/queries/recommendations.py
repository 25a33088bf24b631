"""Whom to follow: whom those follow whom one follows, and then whom most follow."""

from collections.abc import Sequence

from sqlalchemy import bindparam, func, select

from microblog.database import Read
from microblog.models import Follow, table
from microblog.queries import rows
from microblog.queries.rows import PERSON, Person, person_table
from microblog.queries.visibility import VIEWER

LATEST_FRIENDS = 25  # whose choices are asked for: those whom one followed last
MOST_CHOICES = 400  # of all of them together, so that it costs the same whatever they follow

_mine, _theirs = table(Follow).alias("mine"), table(Follow).alias("theirs")
_follow, _person = table(Follow).c, person_table.c
_friends = (
    select(_mine.c.followed_id)
    .where(_mine.c.follower_id == VIEWER)
    .order_by(_mine.c.id.desc())
    .limit(LATEST_FRIENDS)
    .subquery("friend")
)
_choices = (
    select(_theirs.c.followed_id)
    .select_from(_friends.join(_theirs, _theirs.c.follower_id == _friends.c.followed_id))
    .limit(MOST_CHOICES)
    .subquery("choice")
)
_counted = (
    select(_choices.c.followed_id.label("id"), func.count().label("times"))
    .group_by(_choices.c.followed_id)
    .subquery("counted")
)
_is_followed = (
    select(_follow.id)
    .where(_follow.follower_id == VIEWER, _follow.followed_id == _person.id)
    .correlate(person_table)
    .exists()
)
_NEW = (_person.id != VIEWER, ~_is_followed, _person.deactivated_at.is_(None))
_OF_FRIENDS = (
    select(*PERSON)
    .select_from(_counted.join(person_table, _person.id == _counted.c.id))
    .where(*_NEW)
    .order_by(_counted.c.times.desc(), _person.follower_count.desc(), _person.id.desc())
    .limit(bindparam("limit"))
)
_OF_MOST = (
    select(*PERSON)
    .where(*_NEW)
    .order_by(_person.follower_count.desc(), _person.id.desc())
    .limit(bindparam("limit"))
)

_THOSE = select(*PERSON).where(_person.id.in_(bindparam("ids", expanding=True)), *_NEW)


async def people(read: Read, viewer_id: int, limit: int) -> list[Person]:
    """Return active people whom the viewer does not follow yet, at most `limit`.

    Those first whom most of the viewer's friends follow, then those who have most followers; in
    two statements, or in one where friends suffice.
    """
    found = await read.execute(_OF_FRIENDS, {"viewer": viewer_id, "limit": limit})
    chosen = {row[0]: rows.person(row) for row in found}
    if len(chosen) < limit:
        for row in await read.execute(_OF_MOST, {"viewer": viewer_id, "limit": limit}):
            chosen.setdefault(row[0], rows.person(row))
    return list(chosen.values())[:limit]


async def those(read: Read, viewer_id: int, ids: Sequence[int]) -> list[Person]:
    """Return these people as they are now, in this order, without whom the viewer follows."""
    found = await read.execute(_THOSE, {"viewer": viewer_id, "ids": list(ids)})
    chosen = {row[0]: rows.person(row) for row in found}
    return [chosen[one] for one in ids if one in chosen]
