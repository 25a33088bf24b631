"""Timelines: one's home feed, what everyone writes, and what has a hashtag."""

from quart import Blueprint, Response
from quart_schema import validate_querystring

from microblog.api import openapi, paging, schemas
from microblog.api.paging import CursorQuery
from microblog.core.cursors import Page
from microblog.core.markup import tag_name
from microblog.edge import auth
from microblog.queries import posts
from microblog.runtime import runtime

blueprint = Blueprint("timelines", __name__, url_prefix="/timelines")


@blueprint.get("/home")
@openapi.answers(200, schemas.PostPage, "A page of the home feed.")
@openapi.signed_in
@validate_querystring(CursorQuery)
async def home(query_args: CursorQuery) -> Response:
    """List one's own posts and those of the people one follows, newest first."""
    window = paging.window(query_args)
    reader = await auth.person()
    async with runtime().database.read() as read:
        page = await posts.home(read, reader.id, window)
    return paging.of_posts(page, window)


@blueprint.get("/public")
@openapi.answers(200, schemas.PostPage, "A page of posts.")
@openapi.open_to_all
@validate_querystring(CursorQuery)
async def public(query_args: CursorQuery) -> Response:
    """List what everyone writes, newest first."""
    window = paging.window(query_args)
    async with runtime().database.read() as read:
        visitor = await auth.may_read(read)
        page = await posts.everything(read, visitor.id, window)
    return paging.of_posts(page, window)


@blueprint.get("/tags/<tag>")
@openapi.answers(200, schemas.PostPage, "A page of posts.")
@openapi.open_to_all
@validate_querystring(CursorQuery)
async def tagged(query_args: CursorQuery, tag: str) -> Response:
    """List the posts with a hashtag, newest first."""
    window = paging.window(query_args)
    folded = tag_name(tag)
    async with runtime().database.read() as read:
        visitor = await auth.may_read(read)
        found = Page(()) if folded is None else await posts.by_tag(read, folded, visitor.id, window)
    return paging.of_posts(found, window)
