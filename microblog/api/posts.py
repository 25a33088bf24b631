"""Posts: everyone's, one of them, publishing and deleting."""

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field
from quart import Blueprint, Response, jsonify
from quart_schema import validate_headers, validate_querystring

from microblog.actions import posts
from microblog.actions.posts import Draft
from microblog.api import envelope, fields, openapi, paging, schemas, shapes, versions
from microblog.api.expectations import versioned
from microblog.api.paging import CursorQuery
from microblog.core import cursors
from microblog.core.errors import Conflict, Invalid, message
from microblog.edge import auth, authoring, limits, translations
from microblog.queries import posts as post_queries
from microblog.queries.rows import PostRow
from microblog.render import json as as_json
from microblog.runtime import runtime

KEY = "idempotency_key"

blueprint = Blueprint("posts", __name__)


@blueprint.get("/posts")
@openapi.answers(200, schemas.PostPage, "A page of posts.")
@openapi.open_to_all
@validate_querystring(CursorQuery)
async def everything(query_args: CursorQuery) -> Response:
    """List everyone's posts, newest first."""
    window = paging.window(query_args)
    async with runtime().database.read() as read:
        visitor = await auth.may_read(read)
        page = await post_queries.everything(read, visitor.id, window)
    return paging.of_posts(page, window)


class NewPost(BaseModel):
    """What is to be published."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"body": "Good morning #서울"}]}
    )

    body: fields.PostBody = Field(
        description="1 to 500 characters as people see them; a link counts 23. "
        "Links, @mentions, #hashtags and `code` are recognised."
    )
    language: fields.Language | None = Field(
        None,
        description="The BCP 47 code of its language, as “ko” or “en-GB”. Guessed where you say "
        "nothing.",
    )
    reply_to: str | None = Field(
        None, description="The id of the post that it answers.", json_schema_extra=shapes.ID_OR_NONE
    )

    @property
    def answers(self) -> int | None:
        """The number of the post that it answers; raises Invalid where that is none."""
        try:
            return cursors.parse(self.reply_to)
        except ValueError:
            raise Invalid({"reply_to": [message("The post that you answer is gone.")]}) from None


class Repeatable(BaseModel):
    """What makes a request safe to be sent again."""

    idempotency_key: str | None = Field(
        None,
        description="1 to 200 ASCII characters of your choice, new for each thing that you make. "
        "The same request with the same key makes one, however often it is sent.",
        json_schema_extra=shapes.KEY,
    )


@blueprint.post("/posts")
@openapi.answers(
    201,
    schemas.Post,
    "The post; for a repeated request that of the first time.",
    location=True,
    limit="posts that one person writes in a minute",
)
@openapi.signed_in
@validate_headers(Repeatable)
@openapi.takes(NewPost)
async def publish(data: NewPost, headers: Repeatable) -> Response:
    """Publish a post.

    Whoever is connected and may see it, sees it at once.
    """
    author = await auth.person()
    envelope.tell(limits.count_post(author.id))
    try:
        language = await authoring.language_of(data.body, data.language)
        draft = Draft(data.body, headers.idempotency_key, language, data.answers)
        async with runtime().database.write() as tx:
            post = await posts.publish(tx, author, draft, datetime.now(UTC))
    except Invalid as invalid:
        raise told_of_body(invalid) from None
    except Conflict as reused:
        raise _not_this_key(reused) from None
    made = answer(post)
    made.status_code = 201
    made.headers["Location"] = f"/api/posts/{post.id}"
    return made


def answer(post: PostRow) -> Response:
    """Answer with a post, whose version is that of its text: replies do not change it."""
    return versions.tagged(as_json.post_text(post), post.version)


def told_of_body(invalid: Invalid) -> Invalid:
    """Name the text as the API does: the form of the pages calls it "post"."""
    return Invalid({{"post": "body"}.get(k, k): v for k, v in invalid.errors.items()})


def _not_this_key(reused: Conflict) -> Invalid:
    """Refuse a key with another text by 422, as its draft asks for (section 2.7), not by 409."""
    return Invalid({KEY: [reused.reason] if reused.reason else []})


@blueprint.get("/posts/<post_id>")
@openapi.answers(200, schemas.Post, "The post.")
@openapi.open_to_all
async def show(post_id: str) -> Response:
    """Show a post."""
    number = paging.number(post_id)
    async with runtime().database.read() as read:
        visitor = await auth.may_read(read)
        post = await post_queries.visible(read, number, visitor.id)
    return answer(post)


class Wanted(BaseModel):
    """Into which language a post is to be translated."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"to": "en"}]})

    to: str = Field(
        description="A BCP 47 code, as “ko” or “en-GB”.", json_schema_extra=shapes.LANGUAGE
    )


@blueprint.post("/posts/<post_id>/translation")
@openapi.answers(
    200,
    schemas.Translation,
    "The translation.",
    limit="new translations that one person asks for in an hour",
    refusals={
        502: "The translation service refuses us, or gave a useless answer.",
        503: "The translation service is away, slow or takes no more. `Retry-After` says when to "
        "try again.",
    },
)
@openapi.signed_in
@openapi.takes(Wanted)
async def translate(data: Wanted, post_id: str) -> Response:
    """Translate a post.

    By the service that this place has; 404 where it has none.
    """
    reader = await auth.person()
    _, made = await translations.of_post(paging.number(post_id), reader, data.to)
    return jsonify(as_json.translation(made))


@blueprint.delete("/posts/<post_id>")
@openapi.answers(204, None, "The post is gone.", refusals={412: versions.CHANGED})
@openapi.signed_in
@versioned
@validate_headers(versions.Precondition)
async def delete(headers: versions.Precondition, post_id: str) -> Response:
    """Delete one's own post."""
    actor, number = await auth.person(), paging.number(post_id)
    async with runtime().database.write() as tx:
        post = await post_queries.own(tx, number, actor.id)
        versions.must_match(post.version, headers.if_match)
        await posts.delete_post(tx, actor, number, datetime.now(UTC))
    return Response(status=204)
