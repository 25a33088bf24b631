"""Editing one's own posts, and what posts said before."""

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field
from quart import Blueprint, Response, jsonify
from quart_schema import validate_headers
from werkzeug.exceptions import PreconditionRequired

from microblog.actions import posts
from microblog.actions.posts import Edit
from microblog.api import envelope, openapi, paging, schemas, shapes
from microblog.api.posts import answer, told_of_body
from microblog.core.errors import Invalid
from microblog.edge import auth, authoring, limits
from microblog.queries import posts as post_queries
from microblog.render import json as as_json
from microblog.runtime import runtime

ANY = "*"

blueprint = Blueprint("edits", __name__)


class Change(BaseModel):
    """What a post is to say."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"body": "Good evening #서울"}]}
    )

    body: str = Field(description="As for a new post.", json_schema_extra=shapes.TEXT)
    language: str | None = Field(
        None,
        description="As for a new post. Guessed anew where you say nothing.",
        json_schema_extra=shapes.LANGUAGE_OR_NONE,
    )


class Precondition(BaseModel):
    """Which version of the post is changed."""

    if_match: str | None = Field(
        None,
        description="The `ETag` that came with the post, or `*` for whatever it says now. "
        "Replies to the post don't change its version.",
    )


@blueprint.patch("/posts/<post_id>")
@openapi.answers(
    200,
    schemas.Post,
    "The post as it is now.",
    limit="posts that one person writes in a minute",
    refusals={
        412: "The post was changed since you read it. Read it again, then send your change.",
        428: "`If-Match` is missing.",
    },
)
@openapi.signed_in
@validate_headers(Precondition)
@openapi.takes(Change)
async def edit(data: Change, headers: Precondition, post_id: str) -> Response:
    """Change one's own post.

    What it said stays readable in its history. Whom it mentions now, and did not before, is told.
    """
    author = await auth.person()
    if headers.if_match is None:
        raise PreconditionRequired
    number = paging.number(post_id)
    envelope.tell(limits.count_post(author.id))
    try:
        language = await authoring.language_of(data.body, data.language)
        async with runtime().database.write() as tx:
            post = await post_queries.own(tx, number, author.id)
            version = post.version if headers.if_match == ANY else _version(headers.if_match)
            change = Edit(data.body, version, language)
            post = await posts.edit(tx, author, number, change, datetime.now(UTC))
    except Invalid as invalid:
        raise told_of_body(invalid) from None
    return answer(post)


def _version(tag: str) -> str:
    """Return the part of an ETag that names the version of the text."""
    return tag.strip().removeprefix("W/").strip('"').partition(".")[0]


class Told(BaseModel):
    """What a post says, or said."""

    body: str
    html: str = Field(description="The text as safe markup.")
    title: str | None
    written_at: str = Field(json_schema_extra={"format": "date-time"})


class History(BaseModel):
    """What a post says, and what it said before."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {
                            "body": "Good evening",
                            "html": "<p>Good evening</p>",
                            "title": None,
                            "written_at": "2026-02-03T04:05:06.789Z",
                        }
                    ]
                }
            ]
        }
    )

    items: list[Told] = Field(description="The latest first; the first is what it says now.")


@blueprint.get("/posts/<post_id>/history")
@openapi.answers(200, History, "The versions of the post.")
@openapi.open_to_all
async def history(post_id: str) -> Response:
    """Show what a post says and what it said before.

    The latest hundred versions; all are gone once the post is deleted.
    """
    number = paging.number(post_id)
    async with runtime().database.read() as read:
        visitor = await auth.may_read(read)
        post = await post_queries.visible(read, number, visitor.id)
        versions = await post_queries.versions(read, post)
    return jsonify({"items": [as_json.version(each) for each in versions]})
