"""Questions: lists of them, asking, and accepting an answer. An answer is a post that replies."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from quart import Blueprint, Response
from quart_schema import validate_headers, validate_querystring

from microblog.actions import questions
from microblog.actions.questions import Asking
from microblog.api import envelope, fields, openapi, paging, schemas, shapes
from microblog.api.paging import CursorQuery
from microblog.api.posts import KEY, Repeatable
from microblog.core.cursors import Page, Window
from microblog.core.errors import Conflict, Invalid, message
from microblog.core.markup import tag_name
from microblog.core.questions import LONGEST_TITLE, MOST_TAGS, SHORTEST_TITLE
from microblog.database import Read
from microblog.edge import auth, authoring, limits
from microblog.models import User
from microblog.queries import questions as question_queries
from microblog.queries.rows import PostRow
from microblog.render import json as as_json
from microblog.runtime import runtime

blueprint = Blueprint("questions", __name__)


class QuestionQuery(CursorQuery):
    """Which questions are wanted, and which part of their list."""

    state: Literal["open", "answered"] | None = Field(
        None, description="Only those without an accepted answer, or only those with one."
    )
    tag: str | None = Field(
        None, description="Only those with this hashtag, written without #; of both states."
    )


@blueprint.get("/questions")
@openapi.answers(200, schemas.PostPage, "A page of questions.")
@openapi.open_to_all
@validate_querystring(QuestionQuery)
async def index(query_args: QuestionQuery) -> Response:
    """List questions, newest first."""
    window = paging.window(query_args)
    async with runtime().database.read() as read:
        visitor = await auth.may_read(read)
        page = await _chosen(read, visitor.id, window, query_args)
    return paging.of_posts(page, window)


async def _chosen(
    read: Read, viewer_id: int | None, window: Window, query: QuestionQuery
) -> Page[PostRow]:
    if query.tag is None:
        return await question_queries.newest(read, viewer_id, window, query.state)
    if query.state is not None:
        raise Invalid({"tag": [message("Ask for a tag or for a state, not for both.")]})
    folded = tag_name(query.tag)
    if folded is None:
        return Page(())
    return await question_queries.by_tag(read, folded, viewer_id, window)


class NewQuestion(BaseModel):
    """What is to be asked."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "title": "Where is the best bread?",
                    "body": "Near the harbour, and on Sundays too",
                    "tags": ["bread", "서울"],
                }
            ]
        },
    )

    title: fields.Title = Field(
        description=f"{SHORTEST_TITLE} to {LONGEST_TITLE} characters as people see them, one line."
    )
    body: fields.PostBody = Field(description="As the body of a post; the tags count with it.")
    tags: fields.Tags = Field(
        [],
        description=f"At most {MOST_TAGS} hashtags, with or without #. They are put behind the "
        "body where it has them not.",
    )
    language: fields.Language | None = Field(None, description="As that of a post.")


@blueprint.post("/questions")
@openapi.answers(
    201,
    schemas.Post,
    "The question, which is a post; for a repeated request that of the first time.",
    location=True,
    limit="posts that one person writes in a minute",
)
@openapi.signed_in
@validate_headers(Repeatable)
@openapi.takes(NewQuestion)
async def ask(data: NewQuestion, headers: Repeatable) -> Response:
    """Ask a question.

    Whoever is connected and may see it, sees it at once. Answer by a post with `reply_to`.
    """
    asker = await auth.person()
    envelope.tell(limits.count_post(asker.id))
    try:
        language = await authoring.language_of(f"{data.title}\n{data.body}", data.language)
        tags = " ".join(data.tags)
        asking = Asking(data.title, data.body, tags, headers.idempotency_key, language)
        async with runtime().database.write() as tx:
            question = await questions.ask(tx, asker, asking, datetime.now(UTC))
    except Invalid as invalid:
        raise Invalid({{"post": "body"}.get(k, k): v for k, v in invalid.errors.items()}) from None
    except Conflict as reused:
        raise Invalid({KEY: [reused.reason] if reused.reason else []}) from None
    answer = _answer(question)
    answer.status_code = 201
    answer.headers["Location"] = f"/api/posts/{question.id}"
    return answer


def _answer(question: PostRow) -> Response:
    return Response(as_json.post_text(question), mimetype="application/json")


class Accepted(BaseModel):
    """Which answer helped."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"answer_id": "7"}]})

    answer_id: str = Field(
        description="The id of a post that replies to the question.", json_schema_extra=shapes.ID
    )


@blueprint.put("/questions/<question_id>/accepted")
@openapi.answers(200, schemas.Post, "The question, which is answered now.")
@openapi.signed_in
@openapi.takes(Accepted)
async def accept(data: Accepted, question_id: str) -> Response:
    """Accept an answer to one's own question.

    In place of the one that was accepted before, if any. Who answered is told.
    """
    return await _accept(await auth.person(), question_id, paging.number(data.answer_id))


@blueprint.delete("/questions/<question_id>/accepted")
@openapi.answers(200, schemas.Post, "The question, which is open now.")
@openapi.signed_in
async def accept_none(question_id: str) -> Response:
    """Accept no answer to one's own question any more."""
    return await _accept(await auth.person(), question_id, None)


async def _accept(asker: User, question_id: str, answer_id: int | None) -> Response:
    number = paging.number(question_id)
    async with runtime().database.write() as tx:
        question = await questions.accept(tx, asker, number, answer_id, datetime.now(UTC))
    return _answer(question)
