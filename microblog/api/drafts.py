"""Drafts: what one has written and not yet sent, the same on every device and page."""

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from quart import Blueprint, Response
from quart_schema import validate_headers

from microblog.actions import drafts
from microblog.api import envelope, openapi, paging, schemas, versions
from microblog.api.expectations import versioned
from microblog.api.versions import Precondition
from microblog.core.cursors import GREATEST
from microblog.core.drafts import MAX_BYTES, Written, is_context
from microblog.core.errors import NotFound
from microblog.database import Tx
from microblog.edge import auth, limits
from microblog.queries import drafts as draft_queries
from microblog.queries.drafts import DraftRow
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


class Drafts(schemas.Whole):
    """All that is kept for one person."""

    model_config = schemas.all_on_one_page([DRAFT], "/api/drafts")

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
    return paging.whole([as_json.draft(row) for row in found])


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
    return _answer(row)


@blueprint.put("/<context>")
@openapi.answers(
    200,
    Draft,
    "The draft.",
    limit="drafts that one person saves in a minute",
    refusals={
        409: "Another version is kept than you have seen. Show it, then save yours again.",
        412: versions.CHANGED,
    },
)
@openapi.signed_in
@versioned
@validate_headers(Precondition)
@openapi.takes(Writing)
async def keep(data: Writing, headers: Precondition, context: str) -> Response:
    """Keep what is being written.

    Your open pages show it at once. Where more than a hundred are kept, the one that was left
    longest ago goes; publishing by this API leaves them alone.
    """
    user = await auth.person()
    envelope.tell(limits.count_draft(user.id))
    written, now = Written(data.body, data.title, data.language), datetime.now(UTC)
    seen = min(int(data.version or 0), GREATEST)
    async with runtime().database.write() as tx:
        if headers.if_match is not None:
            seen = await _matching(tx, user.id, _known(context), headers)
        row = await drafts.keep(tx, user.id, _known(context), written, seen, now)
    return _answer(row or draft_queries.nothing(context, now))


async def _matching(tx: Tx, user_id: int, context: str, headers: Precondition) -> int:
    """Return the version that is there, if it is one that is meant; raises Changed."""
    await drafts.hold(tx, user_id)
    row = await draft_queries.of(tx, user_id, context)
    is_there = row is not None and not row.is_blank
    versions.must_match(str(row.version) if row and is_there else None, headers.if_match)
    return row.version if row else 0


def _answer(row: DraftRow) -> Response:
    return versions.tagged(as_json.dump(as_json.draft(row)), str(row.version))


@blueprint.delete("/<context>")
@openapi.answers(204, None, "Nothing is kept.", refusals={412: versions.CHANGED})
@openapi.signed_in
@versioned
@validate_headers(Precondition)
async def remove(headers: Precondition, context: str) -> Response:
    """Take a draft away, whatever it is now."""
    user = await auth.person()
    async with runtime().database.write() as tx:
        await _matching(tx, user.id, _known(context), headers)
        await drafts.take_away(tx, user.id, _known(context), datetime.now(UTC))
    return Response(status=204)


def _known(context: str) -> str:
    if not is_context(context):
        raise NotFound
    return context
