"""Search: posts, people, hashtags, and one's own messages."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from quart import Blueprint, Response, jsonify
from quart_schema import validate_querystring

from microblog.api import openapi, paging, schemas, shapes
from microblog.api.messages import Message
from microblog.api.paging import MOST_ITEMS
from microblog.core import search_query
from microblog.core.errors import Invalid, NotSignedIn, message
from microblog.core.search_query import LONGEST_QUERY, Query
from microblog.core.search_ranking import Place
from microblog.database import Read
from microblog.edge import auth, searching
from microblog.queries import message_search, search
from microblog.queries.search import Asked
from microblog.render import json as as_json
from microblog.render.messages import message_json
from microblog.runtime import runtime

blueprint = Blueprint("search", __name__)


class SearchQuery(BaseModel):
    """What is looked for, and which page of it is wanted."""

    model_config = ConfigDict(extra="forbid")

    q: str = Field(
        min_length=1,
        description=f"At most {LONGEST_QUERY} characters. Words, a “phrase” in quotation marks, "
        "-without, #tag, @mention, from:name, has:link, lang:ko, before:2026-01-31, after:2026.",
        json_schema_extra=shapes.QUERY,
    )
    type: Literal["posts", "users", "tags", "messages"] = Field(
        "posts", description="What is to be found."
    )
    sort: Literal["relevance", "time"] = Field(
        "relevance", description="Whether the best or the newest posts come first."
    )
    limit: int | None = Field(None, ge=1, le=MOST_ITEMS, description="How many items at most.")
    per_page: int | None = Field(None, ge=1, le=MOST_ITEMS, description="Another name of `limit`.")
    before: str | None = Field(
        None,
        description="Where the page before ended: its `_links.next` has it.",
        json_schema_extra=shapes.PLACE,
    )


class SearchPage(BaseModel):
    """A page of what was found, the best or the newest first: all of the type asked for."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [schemas.POST],
                    "_meta": {"per_page": 1, "has_more": True},
                    "_links": {
                        "self": "/api/search?q=morning&limit=1",
                        "next": "/api/search?limit=1&q=morning&before=1043.560.1042",
                        "prev": None,
                    },
                }
            ]
        }
    )

    items: list[schemas.Post] | list[schemas.User] | list[schemas.Tag] | list[Message]
    meta: schemas.CursorMeta = Field(alias="_meta")
    links: schemas.Neighbours = Field(alias="_links")


@blueprint.get("/search")
@openapi.answers(
    200,
    SearchPage,
    "A page of what was found.",
    refusals={503: "The search server is out of reach."},
)
@openapi.open_to_all
@validate_querystring(SearchQuery)
async def find(query_args: SearchQuery) -> Response:
    """Search posts, people, hashtags, or one's own messages.

    Hashtags have one page only; messages come newest first.
    """
    limit = paging.size(query_args.limit, query_args.per_page)
    async with runtime().database.read() as read:
        visitor = await auth.may_read(read)
        asked = searching.asked(visitor.id, limit)
        items, place = await _FINDERS[query_args.type](read, query_args, asked)
    following = paging.neighbour(limit, "before", None if place is None else str(place))
    meta = {"per_page": limit, "has_more": place is not None}
    return jsonify({"items": items, "_meta": meta, "_links": paging.links(following)})


Page = tuple[list[dict[str, Any]], Place | None]


async def _posts(read: Read, query: SearchQuery, asked: Asked) -> Page:
    found = await search.posts(read, _parsed(query), asked, by_time=query.sort == "time")
    return [as_json.post(row) for row in found.items], found.next


def _parsed(query: SearchQuery) -> Query:
    parsed = search_query.parse(query.q)
    if parsed.is_empty:
        raise Invalid({"q": [message("Say what is to be found.")]})
    return parsed


async def _users(read: Read, query: SearchQuery, asked: Asked) -> Page:
    found = await search.people(read, query.q, asked)
    return [as_json.user(row) for row in found.items], found.next


async def _tags(read: Read, query: SearchQuery, asked: Asked) -> Page:
    return [as_json.tag(row) for row in await search.tags(read, query.q, asked)], None


async def _messages(read: Read, query: SearchQuery, asked: Asked) -> Page:
    if asked.viewer_id is None:
        raise NotSignedIn
    viewer_id = asked.viewer_id
    found = await message_search.find(read, viewer_id, _parsed(query), asked)
    return [message_json(hit.message, viewer_id) for hit in found.items], found.next


_FINDERS = {"posts": _posts, "users": _users, "tags": _tags, "messages": _messages}
