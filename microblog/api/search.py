"""Search: posts, people and hashtags."""

from typing import Any, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field
from quart import Blueprint, Response, jsonify, request
from quart_schema import validate_querystring

from microblog.api import openapi, paging, schemas
from microblog.api.paging import MOST_ITEMS
from microblog.core import search_query
from microblog.core.errors import Invalid, message
from microblog.core.search_query import LONGEST_QUERY
from microblog.core.search_ranking import Place
from microblog.database import Read
from microblog.edge import auth, searching
from microblog.edge.request import here
from microblog.queries import search
from microblog.queries.search import Asked
from microblog.render import json as as_json
from microblog.runtime import runtime

blueprint = Blueprint("search", __name__)


class SearchQuery(BaseModel):
    """What is looked for, and which page of it is wanted."""

    model_config = ConfigDict(extra="forbid")

    q: str = Field(
        min_length=1,
        description=f"At most {LONGEST_QUERY} characters. Words, a “phrase” in quotation marks, "
        "-without, #tag, @mention, from:name, has:link, lang:ko, before:2026-01-31, after:2026.",
    )
    type: Literal["posts", "users", "tags"] = Field("posts", description="What is to be found.")
    sort: Literal["relevance", "time"] = Field(
        "relevance", description="Whether the best or the newest posts come first."
    )
    limit: int | None = Field(None, ge=1, le=MOST_ITEMS, description="How many items at most.")
    per_page: int | None = Field(None, ge=1, le=MOST_ITEMS, description="Another name of `limit`.")
    before: str | None = Field(
        None,
        description="Where the page before ended: its `_links.next` has it.",
        json_schema_extra={"pattern": r"^[0-9]{1,19}(\.[0-9]{1,4}\.[0-9]{1,19})?$"},
    )


@blueprint.get("/search")
@openapi.answers(
    200,
    schemas.SearchPage,
    "A page of what was found.",
    refusals={503: "The search server is out of reach."},
)
@openapi.open_to_all
@validate_querystring(SearchQuery)
async def find(query_args: SearchQuery) -> Response:
    """Search posts, people or hashtags; hashtags have one page only."""
    limit = paging.size(query_args.limit, query_args.per_page)
    async with runtime().database.read() as read:
        visitor = await auth.may_read(read)
        asked = searching.asked(visitor.id, limit)
        items, place = await _FINDERS[query_args.type](read, query_args, asked)
    following = None if place is None else request.args.to_dict() | {"before": str(place)}
    links = {
        "self": here(),
        "next": None if following is None else f"{request.path}?{urlencode(following)}",
        "prev": None,
    }
    meta = {"per_page": limit, "has_more": place is not None}
    return jsonify({"items": items, "_meta": meta, "_links": links})


Page = tuple[list[dict[str, Any]], Place | None]


async def _posts(read: Read, query: SearchQuery, asked: Asked) -> Page:
    parsed = search_query.parse(query.q)
    if parsed.is_empty:
        raise Invalid({"q": [message("Say what is to be found.")]})
    found = await search.posts(read, parsed, asked, by_time=query.sort == "time")
    return [as_json.post(row) for row in found.items], found.next


async def _users(read: Read, query: SearchQuery, asked: Asked) -> Page:
    found = await search.people(read, query.q, asked)
    return [as_json.user(row) for row in found.items], found.next


async def _tags(read: Read, query: SearchQuery, asked: Asked) -> Page:
    return [as_json.tag(row) for row in await search.tags(read, query.q, asked)], None


_FINDERS = {"posts": _posts, "users": _users, "tags": _tags}
