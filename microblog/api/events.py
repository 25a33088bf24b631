"""What has happened since a position: the log as a page, or as a stream of server-sent events."""

from collections.abc import AsyncIterator
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field
from quart import Blueprint, Response, current_app, request
from quart_schema import validate_querystring

from microblog.api import envelope, expectations, openapi, shapes
from microblog.api.event_stream import EventStream
from microblog.core import scopes
from microblog.core.errors import Invalid, TooManyTries, Unavailable, message
from microblog.core.events import Kind
from microblog.edge import auth, language, room
from microblog.edge.auth import Visitor
from microblog.edge.connection import goes_on
from microblog.edge.request import here
from microblog.realtime import replay, topics
from microblog.realtime.listeners import Listener
from microblog.realtime.replay import Start
from microblog.render import frames
from microblog.render import json as as_json
from microblog.runtime import runtime

RETRY_AFTER_SECONDS = 30
STREAM = "text/event-stream"
EXAMPLE = 'event: post.deleted\nid: 1050\ndata: {"id": "1042"}\n\n'

blueprint = Blueprint("events", __name__)


class EventsQuery(BaseModel):
    """From where, and of what."""

    model_config = ConfigDict(extra="forbid")

    since: str | None = Field(
        None,
        description="A cursor: that of `/live`, of a page, or the last `id` of a stream. Without "
        "one a page is empty and tells the position of now.",
    )
    epoch: str | None = Field(
        None, description="The history that the cursor is of, as it was told with it."
    )
    topics: str | None = Field(
        None,
        description="What to hear beside what is one's own, with commas: `home`, `explore`, "
        "`user:<id>`, `post:<id>`, `tag:<name>`. At most 50.",
        json_schema_extra=shapes.TOPICS,
    )


class Item(BaseModel):
    """Something that happened, as `/live` tells it."""

    id: str
    kind: str
    data: dict[str, object]


class EventsMeta(BaseModel):
    """What else there is."""

    has_more: bool


class EventsLinks(BaseModel):
    """Addresses around a page."""

    self: str
    next: str | None


class EventPage(BaseModel):
    """A page of the log, oldest first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [{"id": "1050", "kind": "post.deleted", "data": {"id": "1042"}}],
                    "cursor": "1051",
                    "epoch": "5f0c…",
                    "resync": None,
                    "_meta": {"has_more": False},
                    "_links": {"self": "/api/events?since=1042&topics=home", "next": None},
                }
            ]
        }
    )

    items: list[Item]
    cursor: str = Field(description="All that concerns you up to here, you have: the next `since`.")
    epoch: str
    resync: str | None = Field(
        description="Why what was loaded before must be loaded anew; null where it holds: "
        "`epoch`, `future`, `expired`, `behind`, `malformed`, `relations`."
    )
    meta: EventsMeta = Field(alias="_meta")
    links: EventsLinks = Field(alias="_links")


@blueprint.get("/events")
@openapi.answers(
    200,
    EventPage,
    "The events; with `Accept: text/event-stream` a stream of them that does not end.",
    limit="live connections that one person has at once, streams and sockets together",
    refusals={503: "The server has too many live connections."},
)
@openapi.signed_in
@expectations.offers(expectations.JSON, STREAM)
@openapi.streams(STREAM, EXAMPLE)
@validate_querystring(EventsQuery)
async def since(query_args: EventsQuery) -> Response:
    """Tell what has happened since a cursor, oldest first.

    The cursor is the same as that of `/live`: the three may be mixed at will. As a stream, each
    message's `id` is a cursor, and `Last-Event-ID` wins over `since`.
    """
    streams = request.accept_mimetypes.best_match(["application/json", STREAM]) == STREAM
    try:
        listed = topics.topics(query_args.topics or "")
    except ValueError:
        raise Invalid(
            {"topics": [message("There is no such topic, or these are too many.")]}
        ) from None
    cursor = query_args.since
    if streams:
        cursor = request.headers.get("Last-Event-ID") or cursor
    async with runtime().database.read() as read:
        started = await replay.start(read, cursor, query_args.epoch)
        visitor = await auth.visitor(read)
    if streams:
        visitor.check(scopes.LIVE)
        return await _stream(visitor, started, listed)
    return await _page(visitor, started, listed)


async def _page(visitor: Visitor, started: Start, listed: list[str]) -> Response:
    listener = Listener(visitor.id, listed, started.cursor, family_id=visitor.family_id)
    async with runtime().database.read() as read:
        found, cursor = await replay.page(read, listener, started.head.cursor)
    code = language.current()
    items = [text for one in found if (text := frames.item(one, frames.JSON_FORM, code))]
    changed = any(one.event.kind is Kind.RELATIONS_CHANGED for one in found)
    more = cursor < started.head.cursor
    asked = request.args.to_dict() | {"since": str(cursor), "epoch": started.head.epoch}
    following = f"{request.path}?{urlencode(asked)}" if more else None
    rest = {
        "cursor": str(cursor),
        "epoch": started.head.epoch,
        "resync": started.resync or ("relations" if changed else None),
        "_meta": {"has_more": more},
        "_links": {"self": here(), "next": following},
    }
    envelope.link(next=following)
    body = f'{{"items":[{",".join(items)}],{as_json.dump(rest)[1:]}'
    return Response(body, mimetype="application/json")


async def _stream(visitor: Visitor, started: Start, listed: list[str]) -> Response:
    now = runtime()
    if request.method == "HEAD":
        return _streamed("")
    if now.sockets >= now.most_sockets or now.stopping.is_set():
        raise Unavailable(RETRY_AFTER_SECONDS)
    if visitor.id is not None and now.hub.count_of(visitor.id) >= now.settings.sockets_per_person:
        raise TooManyTries(RETRY_AFTER_SECONDS, now.settings.sockets_per_person)
    await room.leave(None)  # it stays for hours: the places are for requests
    goes_on(request)
    stream = EventStream(now, visitor, started, listed)
    return _streamed(stream.text(current_app.app_context()))


def _streamed(text: str | AsyncIterator[str]) -> Response:
    answer = Response(text, mimetype=STREAM)
    answer.timeout = None
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Accel-Buffering"] = "no"  # nginx would keep it back
    return answer
