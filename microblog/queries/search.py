"""Search: posts, people and hashtags, whichever store finds them. Pages and API call this.

A source proposes ids, newest first (`search_index.source`, or a server's); what is shown is loaded
under the one predicate of `visibility`, and the page is refilled until it is full. By relevance,
the newest `WINDOW` hits are put in order by `search_ranking`, then the next ones, and so on: so
the cost is bounded, and a place in the order stays what it is while others write.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import BindParameter, bindparam, func, select

from microblog.backends.search import SearchServer
from microblog.core import search_plan, search_query, search_ranking, search_tokens
from microblog.core.cursors import GREATEST
from microblog.core.errors import Invalid, message
from microblog.core.search_plan import Plan, Source, Subject
from microblog.core.search_query import ME, Query
from microblog.core.search_ranking import Place
from microblog.core.search_tokens import Term
from microblog.database import Read
from microblog.models import PostTag, table
from microblog.queries import posts as post_queries
from microblog.queries import rows, search_index, users
from microblog.queries.rows import PERSON, Person, PostRow, person_table, post_table
from microblog.queries.visibility import VISIBLE

T = TypeVar("T")
Scores = Callable[[Sequence[int]], Awaitable[Mapping[int, int]]]

WINDOW = 300
"""Hits that are put in order of relevance at once."""

SQL = "sql"
"""The name of the store that is the database itself."""

PEOPLE_WINDOW = 2000
"""The same for people, whose names are short: the best of them should not be far behind."""

ROUNDS = 10
"""How often a source is asked for one page; a page may then be short, with a way on."""

_tag = table(PostTag).c
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_WORDS = select(post_table.c.id, post_table.c.title, post_table.c.body).where(
    post_table.c.id.in_(_IDS), VISIBLE
)
_PEOPLE = select(*PERSON).where(
    person_table.c.id.in_(_IDS), person_table.c.deactivated_at.is_(None)
)
_TAGS = (
    select(_tag.tag, func.count().label("times"))
    .join(post_table, post_table.c.id == _tag.post_id)
    .where(_tag.post_id.in_(_IDS), VISIBLE)
    .group_by(_tag.tag)
)


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """A page of hits, best or newest first, and the place from which the next page goes on."""

    items: tuple[T, ...]
    next: Place | None = None


class TagRow(NamedTuple):
    """A hashtag, and how many of the posts that were looked at have it."""

    name: str
    times: int


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for which page; `server` is what finds ids where the database does not."""

    viewer_id: int | None
    limit: int
    place: Place | None = None
    server: SearchServer | None = None

    async def source(self, read: Read, subject: Subject, plan: Plan) -> Source:
        """Return what proposes ids: an index, and what was published since it was fed."""
        if self.server is not None:
            indexed = self.server.source(subject, plan)
        else:
            indexed = search_index.source(read, subject, plan, self.viewer_id)
        if subject != "post":
            return indexed
        store = SQL if self.server is None else self.server.name
        waiting = await search_index.not_yet_in(read, store, WINDOW)
        fitting = [document.id for document in waiting if search_plan.matches(plan, document)]
        return _together(fitting, indexed) if fitting else indexed


def _together(waiting: Sequence[int], indexed: Source) -> Source:
    async def find(below: int, limit: int) -> list[int]:
        ids = {each for each in waiting if each < below}.union(await indexed(below, limit))
        return sorted(ids, reverse=True)[:limit]

    return find


async def posts(read: Read, query: Query, asked: Asked, *, by_time: bool) -> Found[PostRow]:
    """Return the posts that answer a query; raises Invalid for authors who do not exist."""
    plan = search_plan.plan(
        query,
        await authors_of(read, query.authors, asked.viewer_id, must_exist=True),
        await authors_of(read, query.unwanted_authors, asked.viewer_id, must_exist=False),
    )
    source = await asked.source(read, "post", plan)
    scores = partial(_scores_of_posts, read, query, asked.viewer_id)
    hits = await (newest if by_time else _ranked)(source, scores, asked)
    items = await post_queries.readable(read, hits.items, asked.viewer_id)
    return Found(tuple(items), hits.next)


async def people(read: Read, text: str, asked: Asked) -> Found[Person]:
    """Return the people whose names, or words about themselves, have what is looked for."""
    term = search_query.names_of(text)
    if term is None:
        return Found(())
    loaded: dict[int, Person] = {}

    async def scores(ids: Sequence[int]) -> dict[int, int]:
        found = await read.execute_aside(_PEOPLE.params(ids=list(ids)))
        loaded.update({row[0]: rows.person(row) for row in found})
        return {each: _score_of_person(term, loaded[each]) for each in ids if each in loaded}

    hits = await _ranked(
        await asked.source(read, "user", Plan((term,))), scores, asked, PEOPLE_WINDOW
    )
    return Found(tuple(loaded[each] for each in hits.items), hits.next)


async def tags(read: Read, text: str, asked: Asked) -> list[TagRow]:
    """Return the hashtags with what is looked for in the newest posts that say it.

    Those that begin with it come first, then those that more posts have; at most `limit`.
    """
    term = search_query.names_of(text)
    if term is None:
        return []
    source = await asked.source(read, "post", Plan((term,)))
    ids = await source(GREATEST, WINDOW)
    found = await counted_tags(read, ids, asked.viewer_id)
    needle = term.needle.lstrip("#")
    fitting = [each for each in found if needle in each.name]
    fitting.sort(key=lambda each: (not each.name.startswith(needle), -each.times, each.name))
    return fitting[: asked.limit]


async def counted_tags(read: Read, post_ids: Sequence[int], viewer_id: int | None) -> list[TagRow]:
    """Return the hashtags of those of the posts that the viewer may see, in any order."""
    given = {"ids": list(post_ids), "viewer": viewer_id}
    found = await read.execute_aside(_TAGS.params(given)) if post_ids else ()
    return [TagRow(*row) for row in found]


# --- How pages are made -------------------------------------------------------------------------


async def newest(source: Source, scores: Scores, asked: Asked) -> Found[int]:
    """Return the newest hits that may be shown."""
    below = asked.place.top if asked.place else GREATEST
    shown: list[int] = []
    size = asked.limit + 1
    for _ in range(ROUNDS):
        ids = await source(below, size)
        kept = await scores(ids) if ids else {}
        shown += [each for each in ids if each in kept]
        if len(shown) > asked.limit:
            return Found(tuple(shown[: asked.limit]), Place(shown[asked.limit - 1]))
        if len(ids) < size:
            return Found(tuple(shown))
        below, size = ids[-1], WINDOW
    return Found(tuple(shown), Place(below))


async def _ranked(source: Source, scores: Scores, asked: Asked, window: int = WINDOW) -> Found[int]:
    """Return the best hits of the newest window, then those of the next."""
    place = asked.place or Place(GREATEST)
    shown: list[Place] = []
    for _ in range(ROUNDS):
        ids = await source(place.top, window)
        # What is published from here on does not move this window.
        top = min(place.top, ids[0] + 1) if ids else place.top
        kept = await scores(ids) if ids else {}
        places = sorted((Place(top, score, each) for each, score in kept.items()), reverse=True)
        after = Place(top, place.score, place.id)
        shown += [each for each in places if place.score < 0 or each < after]
        if len(shown) > asked.limit:
            page = shown[: asked.limit]
            return Found(tuple(each.id for each in page), page[-1])
        if len(ids) < window:
            return Found(tuple(each.id for each in shown))
        place = Place(ids[-1])
    return Found(tuple(each.id for each in shown), place)


async def _scores_of_posts(
    read: Read, query: Query, viewer_id: int | None, ids: Sequence[int]
) -> dict[int, int]:
    """Return how well each of these posts answers; who asks may see none of the others."""
    given = {"ids": list(ids), "viewer": viewer_id}
    found = (await read.execute_aside(_WORDS.params(given))).all()
    said = {row.id: f"{row.title}\n{row.body}" if row.title else row.body for row in found}
    doubted = [term for term in query.terms if not search_plan.is_exact(term)]
    excluded = [term for term in query.unwanted if not search_plan.is_exact(term)]
    return {
        post_id: search_ranking.score(query.terms, words)
        for post_id, words in said.items()
        if not (doubted or excluded) or holds(doubted, excluded, words)
    }


def holds(wanted: Sequence[Term], unwanted: Sequence[Term], words: str) -> bool:
    said = search_tokens.texts(words)

    def says(term: Term) -> bool:
        return any(True for _ in search_tokens.found(term, said))

    return all(map(says, wanted)) and not any(map(says, unwanted))


def _score_of_person(term: Term, person: Person) -> int:
    named = search_ranking.score_name(term.needle.lstrip("@"), person.username, person.display_name)
    return 10 * named + min(9, person.follower_count.bit_length())


async def authors_of(
    read: Read, names: Sequence[str], viewer_id: int | None, *, must_exist: bool
) -> list[int]:
    known = await users.ids_of(read, [name for name in names if name != ME])
    if viewer_id is not None:
        known[ME] = viewer_id
    if must_exist:
        for name in names:
            if name == ME and viewer_id is None:
                raise Invalid({"q": [message("“from:me” needs you to log in first.")]})
            if name not in known:
                raise Invalid({"q": [message("There is nobody called @%(name)s.", name=name)]})
    return [known[name] for name in dict.fromkeys(names) if name in known]
