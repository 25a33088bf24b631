"""Searching: posts, people, hashtags, own messages, and what the search box suggests meanwhile."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup
from quart import Blueprint, Response, jsonify, request

from microblog.core import search_query
from microblog.core.errors import Invalid, NotSignedIn, Unavailable, message
from microblog.core.search_query import Query
from microblog.database import Read
from microblog.edge import auth, searching, templates
from microblog.edge.auth import Visitor
from microblog.edge.language import say
from microblog.queries import message_search, search
from microblog.queries.search import Found, TagRow
from microblog.render import fragments, messages, views
from microblog.render.messages import HitView
from microblog.render.views import PersonView
from microblog.runtime import runtime
from microblog.web import layout

KINDS = ("posts", "people", "tags", "messages")
ORDERS = ("best", "newest")
SUGGESTED = 5
SUGGESTIONS_KEPT = "private, max-age=30"

blueprint = Blueprint("search", __name__)


@dataclass(slots=True)
class SearchPage:
    """What the page shows: what was asked for, the hits of its kind, and what went wrong."""

    q: str
    kind: str
    order: str
    posts: tuple[Markup, ...] = ()
    people: tuple[PersonView, ...] = ()
    tags: tuple[TagRow, ...] = ()
    messages: tuple[HitView, ...] = ()
    more: str | None = None
    is_first: bool = True
    problems: list[str] = field(default_factory=list)
    status: int = 200

    @property
    def is_empty(self) -> bool:
        """Whether something was looked for and nothing is shown."""
        found = self.posts or self.people or self.tags or self.messages
        return bool(self.q) and not self.problems and not found

    def address(self, **changed: str) -> str:
        """Return the address of this search with something changed."""
        chosen = {"q": self.q, "type": self.kind, "sort": self.order} | changed
        usual = {"type": KINDS[0], "sort": ORDERS[0]}
        left = {name: value for name, value in chosen.items() if usual.get(name) != value}
        return f"{request.path}?{urlencode(left)}"


@blueprint.get("/search")
async def index() -> Any:
    """Show what was found; a query that cannot be understood stays in its field."""
    page = SearchPage(
        request.args.get("q", "").strip(),
        _choice("type", KINDS),
        _choice("sort", ORDERS),
        is_first=not request.args.get("before"),
    )
    async with runtime().database.read() as read:
        visitor = await layout.open_page(read)
        try:
            await _find(read, visitor, page)
        except Invalid as invalid:
            page.problems = [say(one) for found in invalid.errors.values() for one in found]
            page.status = 400
        except Unavailable as away:
            sentence = message("Search is out of reach just now. Please try again in a moment.")
            page.problems, page.status = [say(sentence)], 503
            answer = Response(await templates.render("search/index.html", page=page))
            answer.headers["Retry-After"] = str(away.retry_after_seconds)
            return answer, page.status
    return await templates.render("search/index.html", page=page), page.status


def _choice(name: str, choices: tuple[str, ...]) -> str:
    value = request.args.get(name, "")
    return value if value in choices else choices[0]


async def _find(read: Read, visitor: Visitor, page: SearchPage) -> None:
    """Put the hits into the page; raises Invalid for what cannot be understood."""
    if page.kind == "messages" and visitor.id is None:
        raise NotSignedIn
    of_texts = page.kind in {"posts", "messages"}
    query = search_query.parse(page.q) if of_texts else Query(page.q)
    if query.is_empty:
        return
    asked = searching.asked(visitor.id, runtime().settings.posts_per_page)
    if page.kind == "posts":
        posts = await search.posts(read, query, asked, by_time=page.order == "newest")
        terms = query.terms
        page.posts = tuple(
            fragments.hit(row, terms, own=row.author_id == visitor.id) for row in posts.items
        )
        page.more = _more(page, posts)
    elif page.kind == "people":
        people = await search.people(read, query.text, asked)
        page.people = tuple(views.person(row) for row in people.items)
        page.more = _more(page, people)
    elif page.kind == "messages" and visitor.id is not None:
        hits = await message_search.find(read, visitor.id, query, asked)
        page.messages = tuple(messages.hit(row, visitor.id, query.terms) for row in hits.items)
        page.more = _more(page, hits)
    else:
        page.tags = tuple(await search.tags(read, query.text, asked))


def _more(page: SearchPage, found: Found[Any]) -> str | None:
    return page.address(before=str(found.next)) if found.next is not None else None


@blueprint.get("/search/suggestions")
async def suggestions() -> Response:
    """Say what the last word of a query may become, as JSON for the search box."""
    text = request.args.get("q", "")[: search_query.LONGEST_QUERY]
    before, _, word = text.rpartition(" ")
    start = f"{before} " if before else ""
    async with runtime().database.read() as read:
        visitor = await auth.may_read(read)
        items = await _suggested(read, visitor, word) if word else []
    found = [{"value": start + value, "label": label} for value, label in items]
    answer = jsonify({"items": found})
    answer.headers["Cache-Control"] = SUGGESTIONS_KEPT
    return answer


async def _suggested(read: Read, visitor: Visitor, word: str) -> list[tuple[str, str]]:
    asked = searching.asked(visitor.id, SUGGESTED)
    operator = "from:" if word.lower().startswith("from:") else ""
    name = word[len(operator) :]
    found: list[tuple[str, str]] = []
    if not name.startswith("#"):
        people = await search.people(read, name, asked)
        mark = operator or "@"
        found += [(f"{mark}{person.username}", person.name) for person in people.items]
    if not operator and not name.startswith("@"):
        tags = await search.tags(read, name, asked)
        found += [(f"#{tag.name}", f"#{tag.name}") for tag in tags]
    return found
