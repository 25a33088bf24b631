"""Conversations: what a post answers, and the replies to it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from quart import Blueprint, Response
from quart_schema import validate_querystring

from microblog.api import openapi, paging, schemas
from microblog.api.paging import CursorQuery
from microblog.core.cursors import Page, Window
from microblog.edge import auth
from microblog.edge.request import here
from microblog.queries import threads
from microblog.queries.threads import Place
from microblog.render import json as as_json
from microblog.runtime import runtime

blueprint = Blueprint("threads", __name__)

_GONE: Any = {"id": "1041", "deleted": True}
_META: Any = {"per_page": 25, "has_more": False}
_LINKS: Any = {"self": "/api/posts/1042/replies", "next": None, "prev": None}


class Gone(BaseModel):
    """A post that was deleted, or that you may not see, where others answered it."""

    id: str
    deleted: Literal[True]


class ReplyPage(BaseModel):
    """A page of replies, oldest first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"items": [schemas.POST], "_meta": _META, "_links": _LINKS}]
        }
    )

    items: list[schemas.Post | Gone]
    meta: schemas.CursorMeta = Field(alias="_meta")
    links: schemas.Neighbours = Field(alias="_links")


class ThreadLinks(BaseModel):
    """Addresses around a conversation."""

    self: str
    replies: str = Field(description="The replies alone, a page at a time.")


class Thread(BaseModel):
    """A post with what it answers and the first replies to it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "ancestors": [_GONE],
                    "post": schemas.POST,
                    "replies": {"items": [schemas.POST], "_meta": _META, "_links": _LINKS},
                    "_links": {
                        "self": "/api/posts/1042/thread",
                        "replies": "/api/posts/1042/replies",
                    },
                }
            ]
        }
    )

    ancestors: list[schemas.Post | Gone] = Field(
        description="What the post answers, and what that answers: the nearest forty, oldest first."
    )
    post: schemas.Post | Gone
    replies: ReplyPage
    links: ThreadLinks = Field(alias="_links")


@blueprint.get("/posts/<post_id>/thread")
@openapi.answers(200, Thread, "The conversation around the post.")
@openapi.open_to_all
async def thread(post_id: str) -> Response:
    """Show a post with what it answers and the first replies to it.

    A post that was deleted keeps its place for as long as something answers it.
    """
    number = paging.number(post_id)
    window = Window(runtime().settings.posts_per_page)
    async with runtime().database.read() as read:
        visitor = await auth.may_read(read)
        place = await threads.place(read, number, visitor.id)
        above = await threads.ancestors(read, number, visitor.id)
        page = await threads.replies(read, number, visitor.id, window)
    replies = f"/api/posts/{number}/replies"
    following, previous = _beside(page, window, replies)
    first = {"self": replies, "next": following, "prev": previous}
    links = as_json.dump({"self": here(), "replies": replies})
    return _json(
        f'{{"ancestors":[{_texts(above)}],"post":{_text(place)},'
        f'"replies":{_page(page, window, first)},"_links":{links}}}'
    )


@blueprint.get("/posts/<post_id>/replies")
@openapi.answers(200, ReplyPage, "A page of replies.")
@openapi.open_to_all
@validate_querystring(CursorQuery)
async def replies(query_args: CursorQuery, post_id: str) -> Response:
    """List the replies to a post, oldest first.

    `_links.next` leads on to later ones.
    """
    number = paging.number(post_id)
    window = paging.window(query_args)
    async with runtime().database.read() as read:
        visitor = await auth.may_read(read)
        await threads.place(read, number, visitor.id)
        page = await threads.replies(read, number, visitor.id, window)
    return _json(_page(page, window, paging.links(*_beside(page, window))))


def _beside(page: Page[Place], asked: Window, path: str | None = None) -> list[str | None]:
    """Return the addresses of the later replies, and of the earlier ones."""
    ways = (("after", page.after), ("before", page.before))
    return [paging.neighbour(asked.limit, name, cursor, path) for name, cursor in ways]


def _page(page: Page[Place], asked: Window, links: dict[str, str | None]) -> str:
    meta = {"per_page": asked.limit, "has_more": page.after is not None}
    rest = {"_meta": meta, "_links": links}
    return f'{{"items":[{_texts(page.items)}],{as_json.dump(rest)[1:]}'


def _texts(places: list[Place] | tuple[Place, ...]) -> str:
    return ",".join(map(_text, places))


def _text(place: Place) -> str:
    if place.post is None:
        return as_json.dump({"id": str(place.id), "deleted": True})
    return as_json.post_text(place.post)


def _json(text: str) -> Response:
    return Response(text, mimetype="application/json")
