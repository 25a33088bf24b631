"""Around a person: who follows them, whom they follow, what they wrote."""

from collections.abc import Awaitable, Callable

from quart import Blueprint, Response, jsonify
from quart_schema import validate_querystring

from microblog.api import openapi, paging, schemas
from microblog.api.paging import CursorQuery
from microblog.api.users import named
from microblog.core.cursors import Page, Window
from microblog.database import Read
from microblog.edge import auth
from microblog.models import User
from microblog.queries import posts, users
from microblog.render import json as as_json
from microblog.runtime import runtime

blueprint = Blueprint("relations", __name__, url_prefix="/users/<who>")


@blueprint.get("/followers")
@openapi.answers(200, schemas.PeoplePage, "A page of people.")
@openapi.open_to_all
@validate_querystring(CursorQuery)
async def followers(query_args: CursorQuery, who: str) -> Response:
    """List who follows a person, the latest first."""
    return await _related(who, query_args, users.followers)


@blueprint.get("/following")
@openapi.answers(200, schemas.PeoplePage, "A page of people.")
@openapi.open_to_all
@validate_querystring(CursorQuery)
async def following(query_args: CursorQuery, who: str) -> Response:
    """List whom a person follows, the latest first."""
    return await _related(who, query_args, users.following)


async def _related(
    who: str, query: CursorQuery, find: Callable[[Read, int, Window], Awaitable[Page[User]]]
) -> Response:
    window = paging.window(query)
    async with runtime().database.read() as read:
        await auth.may_read(read)
        person = await named(read, who)
        page = await find(read, person.id, window)
    items = [as_json.user(each) for each in page.items]
    return jsonify({"items": items, **paging.beside(page, window)})


@blueprint.get("/posts")
@openapi.answers(200, schemas.PostPage, "A page of posts.")
@openapi.open_to_all
@validate_querystring(CursorQuery)
async def written(query_args: CursorQuery, who: str) -> Response:
    """List what a person wrote, replies too, newest first."""
    window = paging.window(query_args)
    async with runtime().database.read() as read:
        visitor = await auth.may_read(read)
        person = await named(read, who)
        page = await posts.by_author(read, person.id, visitor.id, window)
    return paging.of_posts(page, window)
