"""Private messages: one's conversations, each of them, writing, reading and deleting."""

import re
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from quart import Blueprint, Response, jsonify
from quart_schema import validate_headers, validate_querystring

from microblog.actions import messages
from microblog.actions.messages import Letter
from microblog.api import envelope, fields, openapi, paging, schemas, shapes
from microblog.api.paging import CursorQuery
from microblog.api.posts import KEY, Repeatable
from microblog.core import names
from microblog.core.errors import Conflict, Invalid
from microblog.database import Read
from microblog.edge import auth, limits
from microblog.models import User
from microblog.queries import correspondents
from microblog.queries import messages as message_queries
from microblog.render import json as as_json
from microblog.render import messages as shown
from microblog.runtime import runtime

MESSAGE: JsonDict = {
    "id": "31",
    "body": "Are you coming on Friday?",
    "html": "<p>Are you coming on Friday?</p>",
    "created_at": "2026-02-03T04:05:06.789Z",
    "from": "7",
    "to": "8",
    "mine": False,
}
CONVERSATION: JsonDict = {
    "with": schemas.USER,
    "last": MESSAGE,
    "unread_count": 1,
    "read_to": "30",
    "seen_to": "29",
    "_links": {"self": "/api/messages/7", "page": "/messages/mina"},
}
_REST: JsonDict = {
    "_meta": {"per_page": 1, "has_more": True},
    "_links": {"self": "/api/messages?limit=1", "next": "/api/messages?limit=1&before=31"}
    | {"prev": None},
}

blueprint = Blueprint("messages", __name__, url_prefix="/messages")


class Message(BaseModel):
    """A private message, as one of its two people has it."""

    model_config = ConfigDict(json_schema_extra={"examples": [MESSAGE]})

    id: str = Field(description="Opaque; sorts by time within a conversation.")
    body: str = Field(description="The text as it was written.")
    html: str = Field(description="The text as safe markup, with its links.")
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    sender: str = Field(alias="from", description="The id of who wrote it.")
    recipient: str = Field(alias="to", description="The id of who received it.")
    mine: bool = Field(description="Whether you wrote it.")


class ConversationLinks(BaseModel):
    """Addresses around a conversation."""

    self: str
    page: str = Field(description="The conversation's own page, for people.")


class Conversation(BaseModel):
    """A conversation, as you have it."""

    model_config = ConfigDict(json_schema_extra={"examples": [CONVERSATION]})

    other: schemas.User = Field(alias="with")
    last: Message | None = Field(description="Its newest message.")
    unread_count: int
    read_to: str = Field(description="The id of the last message that you have read.")
    seen_to: str = Field(
        description="The id of the last message that the other has read; 0 where one of you "
        "keeps that to themselves."
    )
    links: ConversationLinks = Field(alias="_links")


class ConversationPage(BaseModel):
    """A page of conversations, the one with the newest message first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [CONVERSATION], **_REST}]})

    items: list[Conversation]
    meta: schemas.CursorMeta = Field(alias="_meta")
    links: schemas.Neighbours = Field(alias="_links")


class MessagePage(BaseModel):
    """A page of a conversation's messages, newest first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"items": [MESSAGE], "conversation": CONVERSATION, "can_write": True, **_REST}
            ]
        }
    )

    items: list[Message]
    conversation: Conversation | None = Field(description="Null where nobody has written yet.")
    can_write: bool = Field(description="Whether the other takes messages of yours.")
    meta: schemas.CursorMeta = Field(alias="_meta")
    links: schemas.Neighbours = Field(alias="_links")


@blueprint.get("")
@openapi.answers(200, ConversationPage, "A page of conversations.")
@openapi.signed_in
@validate_querystring(CursorQuery)
async def conversations(query_args: CursorQuery) -> Response:
    """List one's conversations, the one with the newest message first."""
    window = paging.window(query_args)
    reader = await auth.person()
    async with runtime().database.read() as read:
        page = await message_queries.conversations(read, reader.id, window)
    items = [shown.conversation_json(row) for row in page.items]
    return jsonify({"items": items, **paging.beside(page, window)})


class NewMessage(BaseModel):
    """What is to be sent, and to whom."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"to": "mina", "body": "Hello!"}]}
    )

    to: str = Field(description="A person's id or username.", json_schema_extra=shapes.PERSON)
    body: fields.MessageBody = Field(
        description="1 to 2,000 characters as people see them. Links are recognised; @mentions "
        "and #hashtags tell nobody."
    )


@blueprint.post("")
@openapi.answers(
    201,
    Message,
    "The message; for a repeated request that of the first time.",
    location=True,
    limit="messages that one person sends in a minute",
    refusals={403: "The person takes no messages of yours.", 404: "There is no such person."},
)
@openapi.signed_in
@validate_headers(Repeatable)
@openapi.takes(NewMessage)
async def send(data: NewMessage, headers: Repeatable) -> Response:
    """Send a private message.

    Whoever it is for sees it at once.
    """
    sender = await auth.person()
    envelope.tell(limits.count_message(sender.id))
    letter = Letter(data.body, headers.idempotency_key)
    try:
        async with runtime().database.write() as tx:
            other = await _named(tx, sender.id, data.to)
            row = await messages.send(tx, sender, other, letter, datetime.now(UTC))
    except Invalid as invalid:
        # The form of the pages calls the text "message"; here it is the body of one.
        found = {{"message": "body"}.get(k, k): v for k, v in invalid.errors.items()}
        raise Invalid(found) from None
    except Conflict as reused:
        raise Invalid({KEY: [reused.reason] if reused.reason else []}) from None
    answer = jsonify(shown.message_json(row, sender.id))
    answer.status_code = 201
    answer.headers["Location"] = f"/api/messages/{other.id}"
    return answer


async def _named(read: Read, user_id: int, who: str) -> User:
    """Return with whom one may have a conversation, by id or username; raises NotFound."""
    if re.fullmatch(names.USERNAME_PATTERN, who):
        return await correspondents.by_username(read, user_id, who)
    return await correspondents.by_id(read, user_id, paging.number(who))


@blueprint.get("/<who>")
@openapi.answers(200, MessagePage, "A page of messages.")
@openapi.signed_in
@validate_querystring(CursorQuery)
async def thread(query_args: CursorQuery, who: str) -> Response:
    """List the messages with a person, newest first. Reading them marks nothing as read."""
    window = paging.window(query_args)
    reader = await auth.person()
    async with runtime().database.read() as read:
        other = await _named(read, reader.id, who)
        side = await message_queries.between(read, reader.id, other.id)
        cleared_to = side.cleared_to if side else 0
        page = await message_queries.thread(read, reader.id, other.id, cleared_to, window)
        ways = await correspondents.ways(read, reader, other)
    told: dict[str, Any] = {
        "items": [shown.message_json(row, reader.id) for row in page.items],
        "conversation": None if side is None else shown.conversation_json(side),
        "can_write": ways.there,
    }
    return Response(as_json.dump(told | paging.beside(page, window)), mimetype="application/json")


class ReadTo(BaseModel):
    """Up to where a conversation was read."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"up_to": "31"}]})

    up_to: str | None = Field(
        None,
        description="The id of the last message that was read; all of them where it is left out.",
        json_schema_extra=shapes.ID,
    )


@blueprint.put("/<who>/read")
@openapi.answers(204, None, "It is read.")
@openapi.signed_in
@openapi.takes(ReadTo)
async def mark_read(data: ReadTo, who: str) -> Response:
    """Mark a conversation as read.

    The other is told, unless one of you keeps that to themselves.
    """
    reader = await auth.person()
    up_to = None if data.up_to is None else paging.number(data.up_to)
    async with runtime().database.write() as tx:
        other = await _named(tx, reader.id, who)
        await messages.mark_read(tx, reader, other, up_to, datetime.now(UTC))
    return Response(status=204)


@blueprint.delete("/<who>")
@openapi.answers(204, None, "The conversation is gone for you.")
@openapi.signed_in
async def clear(who: str) -> Response:
    """Delete a conversation for oneself; the other keeps theirs."""
    user = await auth.person()
    async with runtime().database.write() as tx:
        other = await _named(tx, user.id, who)
        await messages.clear(tx, user, other.id, datetime.now(UTC))
    return Response(status=204)


@blueprint.delete("/<who>/<id:message_id>")
@openapi.answers(204, None, "The message is gone for you.")
@openapi.signed_in
async def delete(who: str, message_id: str) -> Response:
    """Delete a message for oneself; the other keeps theirs."""
    user = await auth.person()
    async with runtime().database.write() as tx:
        other = await _named(tx, user.id, who)
        await messages.delete_message(tx, user, paging.number(message_id), other.id)
    return Response(status=204)
