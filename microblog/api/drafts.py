"""Drafts: what one has written and not yet sent, the same on every device and page."""

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from quart import Blueprint, Response, jsonify

from microblog.actions import drafts
from microblog.api import envelope, openapi
from microblog.core.cursors import GREATEST
from microblog.core.drafts import MAX_BYTES, Written, is_context
from microblog.core.errors import NotFound
from microblog.edge import auth, limits
from microblog.queries import drafts as draft_queries
from microblog.render import json as as_json
from microblog.runtime import runtime

DRAFT: JsonDict = {
    "context": "post",
    "title": "",
    "body": "Good morning #서",
    "language": None,
    "version": "3",
    "updated_at": "2026-02-03T04:05:06.789Z",
}

blueprint = Blueprint("drafts", __name__, url_prefix="/drafts")


class Draft(BaseModel):
    """What is kept of one form."""

    model_config = ConfigDict(json_schema_extra={"examples": [DRAFT]})

    context: str = Field(
        description="Which form: “post”, “question”, or “reply:” and the id of a post."
    )
    title: str = Field(description="The title of a question; empty elsewhere.")
    body: str
    language: str | None = Field(description="The BCP 47 code that was chosen for it, if any.")
    version: str = Field(description="Counts the changes of this draft.")
    updated_at: str = Field(json_schema_extra={"format": "date-time"})


class Drafts(BaseModel):
    """All that is kept for one person."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [DRAFT]}]})

    items: list[Draft]


class Writing(BaseModel):
    """What is to be kept, and in place of which version."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"body": "Good morning #서울", "version": "3"}]},
    )

    body: str = Field(description=f"With the title at most {MAX_BYTES} bytes of UTF-8.")
    title: str = Field("", description="For a question.")
    language: str | None = Field(None, description="A BCP 47 code, as “ko”.")
    version: str | None = Field(
        None,
        description="The version that you have seen; leave it out where you know of none.",
        pattern="^[0-9]{1,19}$",
    )


@blueprint.get("")
@openapi.answers(200, Drafts, "Your drafts, the latest first.")
@openapi.signed_in
async def everything() -> Response:
    """List your drafts."""
    user = await auth.person()
    async with runtime().database.read() as read:
        found = await draft_queries.all_of(read, user.id)
    return jsonify({"items": [as_json.draft(row) for row in found]})


@blueprint.get("/<context>")
@openapi.answers(200, Draft, "The draft.")
@openapi.signed_in
async def show(context: str) -> Response:
    """Show one of your drafts."""
    user = await auth.person()
    async with runtime().database.read() as read:
        row = await draft_queries.of(read, user.id, _known(context))
    if row is None or row.is_blank:
        raise NotFound
    return jsonify(as_json.draft(row))


@blueprint.put("/<context>")
@openapi.answers(
    200,
    Draft,
    "The draft.",
    limit="drafts that one person saves in a minute",
    refusals={409: "Another version is kept than you have seen. Show it, then save yours again."},
)
@openapi.signed_in
@openapi.takes(Writing)
async def keep(data: Writing, context: str) -> Response:
    """Keep what is being written.

    Your open pages show it at once. Where more than a hundred are kept, the one that was left
    longest ago goes; publishing by this API leaves them alone.
    """
    user = await auth.person()
    envelope.tell(limits.count_draft(user.id))
    written, now = Written(data.body, data.title, data.language), datetime.now(UTC)
    seen = min(int(data.version or 0), GREATEST)
    async with runtime().database.write() as tx:
        row = await drafts.keep(tx, user.id, _known(context), written, seen, now)
    return jsonify(as_json.draft(row or draft_queries.nothing(context, now)))


@blueprint.delete("/<context>")
@openapi.answers(204, None, "Nothing is kept.")
@openapi.signed_in
async def remove(context: str) -> Response:
    """Take a draft away, whatever it is now."""
    user = await auth.person()
    async with runtime().database.write() as tx:
        await drafts.take_away(tx, user.id, _known(context), datetime.now(UTC))
    return Response(status=204)


def _known(context: str) -> str:
    if not is_context(context):
        raise NotFound
    return context
