"""Whom and what somebody may mean who is still typing a name: people and hashtags, as they begin.

Pages ask at each pause of a writer: the number of statements does not depend on what there is.
"""

from dataclasses import replace

from sqlalchemy import bindparam, func, or_, select

from microblog.core import search_tokens
from microblog.core.cursors import GREATEST
from microblog.core.markup import tag_name
from microblog.core.search_plan import Plan
from microblog.core.search_tokens import Term
from microblog.database import Read
from microblog.models import Follow, table
from microblog.queries import rows, search
from microblog.queries.rows import PERSON, Person, person_table
from microblog.queries.search import WINDOW, Asked, TagRow
from microblog.queries.visibility import VIEWER

LIKELY = 200
"""How many of those whose names answer best are put in order by who follows them."""

MOST_FOLLOWED = 500
"""How many of the most followed are looked at where more names answer than are looked at."""

_BEGINS, _WITHIN, _NOT_AT_ALL = range(3)

_follow, _person = table(Follow), person_table.c
_name = func.lower(_person.display_name)
_LEAST = _person.follower_count + 0  # which no index has: SQLite would walk along all people
_FRIENDS = (
    select(*PERSON)
    .select_from(_follow.join(person_table, _person.id == _follow.c.followed_id))
    .where(
        _follow.c.follower_id == VIEWER,
        _person.deactivated_at.is_(None),
        or_(
            _person.username_key.like(bindparam("begins"), escape="/"),
            _name.like(bindparam("begins"), escape="/"),
            _person.display_name.like(bindparam("capital"), escape="/"),
            _name.like(bindparam("word"), escape="/"),
        ),
    )
    .order_by(_LEAST.desc(), _person.id)
    .limit(bindparam("limit"))
)
_MOST_FOLLOWED = (
    select(*PERSON)
    .where(_person.deactivated_at.is_(None))
    .order_by(_person.follower_count.desc(), _person.id.desc())
    .limit(MOST_FOLLOWED)
)


async def people(read: Read, text: str, asked: Asked) -> list[Person]:
    """Return people whose username, or a word of whose name, begins with `text`, at most `limit`.

    Those whom the viewer follows come first, then those who have the most followers, then those
    with `text` within their names: a Korean given name follows the family's.
    """
    needle = search_tokens.fold(text.strip())
    if not needle or "\0" in needle:
        return []
    followed = await friends(read, needle, asked)
    if len(followed) >= asked.limit:
        return followed
    found = await search.people(read, text, replace(asked, limit=LIKELY))
    likely = list(found.items)
    if found.next is not None:
        likely += [rows.person(row) for row in await read.execute_aside(_MOST_FOLLOWED)]
    known = {person.id for person in followed} | {asked.viewer_id}
    others = {person.id: person for person in likely if person.id not in known}
    ranked = sorted((_rank(needle, person), person) for person in others.values())
    fitting = [person for rank, person in ranked if rank[0] < _NOT_AT_ALL]
    return (followed + fitting)[: asked.limit]


async def friends(read: Read, needle: str, asked: Asked) -> list[Person]:
    """Return whom the viewer follows of those people, given a folded text."""
    if asked.viewer_id is None:
        return []
    given = {"viewer": asked.viewer_id, "limit": asked.limit, "begins": f"{_plain(needle)}%"}
    given |= {"word": f"% {_plain(needle)}%", "capital": f"{_plain(needle.capitalize())}%"}
    found = await read.execute_aside(_FRIENDS.params(given))
    return [rows.person(row) for row in found]


def _plain(text: str) -> str:
    """Take from signs what they mean in a LIKE."""
    return text.replace("/", "//").replace("%", "/%").replace("_", "/_")


def _rank(needle: str, person: Person) -> tuple[int, int, str]:
    name = search_tokens.fold(person.display_name)
    names = (person.username.lower(), name, *name.split())
    if any(each.startswith(needle) for each in names):
        how = _BEGINS
    else:
        how = _WITHIN if needle in name or needle in names[0] else _NOT_AT_ALL
    return how, -person.follower_count, names[0]


async def tags(read: Read, text: str, asked: Asked) -> list[TagRow]:
    """Return hashtags that begin with `text`, those of most of the newest posts first."""
    name = tag_name(text)
    if name is None:
        return []
    term = Term((search_tokens.tag(name),), open=True, needle=name)
    source = await asked.source(read, "post", Plan((term,)))
    found = await search.counted_tags(read, await source(GREATEST, WINDOW), asked.viewer_id)
    fitting = [each for each in found if each.name.startswith(name)]
    fitting.sort(key=lambda each: (-each.times, each.name))
    return fitting[: asked.limit]
