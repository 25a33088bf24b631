"""One's own notifications: pages of them, what has changed since a moment, marking them as read."""

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from quart import Blueprint, Response, jsonify
from quart_schema import validate_querystring

from microblog.actions import notifications
from microblog.api import openapi, paging, schemas, shapes
from microblog.api.paging import CursorQuery
from microblog.core import notices
from microblog.core.cursors import Window
from microblog.core.errors import Invalid, NotFound, message
from microblog.edge import auth
from microblog.edge.paging import moment
from microblog.queries import changes
from microblog.queries import notifications as notification_queries
from microblog.render import json as as_json
from microblog.render import polling
from microblog.runtime import runtime

MOST_IDS = 100
Kind = Literal["mention", "reply", "answer", "accepted", "follow", "message", "job"]
EXAMPLE: JsonDict = {
    "id": "31",
    "kind": "mention",
    "name": "mention",
    "data": {"id": "31", "actor": "mina", "others": 0, "page": "/post/1042"},
    "timestamp": 1770091446.789,
    "created_at": "2026-02-03T04:05:06.789Z",
    "position": "44",
    "read": False,
    "count": 1,
    "others": 0,
    "actor": schemas.USER,
    "post": schemas.POST,
    "job": None,
    "_links": {"page": "/post/1042"},
}

blueprint = Blueprint("notifications", __name__)


class NotificationData(BaseModel):
    """A notification in short, as scripts for the tutorial's microblog look at it."""

    id: str
    actor: str = Field(description="The username of whoever did it last.")
    others: int
    page: str


class Job(BaseModel):
    """A job that ended."""

    id: str
    kind: str
    state: str
    progress: int
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    finished_at: str | None = Field(json_schema_extra={"format": "date-time"})


class NotificationLinks(BaseModel):
    """Addresses around a notification."""

    page: str = Field(description="The page that it is about, for people.")


class Notification(BaseModel):
    """Something that somebody did, and others before them: “Mina and 3 others followed you”."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: str = Field(description="Opaque. It stays while others join.")
    kind: Kind
    name: Kind = Field(description="The same as `kind`.")
    data: NotificationData
    timestamp: float = Field(description="Seconds since 1970: when it last changed.")
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    position: str = Field(description="Pages are in its order; it rises when somebody joins.")
    read: bool
    count: int = Field(description="How many notifications it is made of.")
    others: int = Field(description="How many people did it besides the actor.")
    actor: schemas.User = Field(description="Who did it last.")
    post: schemas.Post | None = Field(
        description="The post that did it last, where you may see it."
    )
    job: Job | None
    links: NotificationLinks = Field(alias="_links")


class NotificationPage(BaseModel):
    """A page of notifications, newest first; with `since` what has changed, earliest first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [EXAMPLE],
                    "_meta": {"per_page": 25, "has_more": False},
                    "_links": {"self": "/api/notifications", "next": None, "prev": None},
                }
            ]
        }
    )

    items: list[Notification]
    meta: schemas.CursorMeta = Field(alias="_meta")
    links: schemas.Neighbours = Field(alias="_links")


class NotificationQuery(CursorQuery):
    """Which of the notifications are wanted."""

    since: float | None = Field(
        None,
        ge=0,
        le=253_402_300_799,
        description="A `timestamp`: what has changed after it, read marks too, earliest first. Ask "
        "again with the last one. The log is kept for some days; pages go further back.",
    )
    kinds: str | None = Field(
        None,
        description="Kinds with commas between, as “mention,reply”: no others.",
        json_schema_extra=shapes.KINDS,
    )


@blueprint.get("/notifications")
@openapi.answers(200, NotificationPage, "A page of notifications.")
@openapi.signed_in
@validate_querystring(NotificationQuery)
async def mine(query_args: NotificationQuery) -> Response:
    """List what one was told of, newest first."""
    kinds = _kinds(query_args.kinds)
    window = paging.window(query_args)
    reader = await auth.person()
    async with runtime().database.read() as read:
        if query_args.since is None:
            page = await notification_queries.page(read, reader.id, window, kinds)
        else:
            found = await changes.since(read, reader.id, moment(query_args.since))
    if query_args.since is None:
        items = [as_json.notification(row) for row in page.items]
        return _answer(items, window, before=page.before, after=page.after)
    told = polling.items([one for one in found.items if not kinds or one[0].kind in kinds])
    shown = told[: window.limit]
    more = len(told) > window.limit
    return _answer(shown, window, since=shown[-1]["timestamp"] if more else None)


def _kinds(written: str | None) -> list[str]:
    kinds = written.split(",") if written else []
    if not set(kinds) <= set(notices.KINDS):
        told = message("Some of %(kinds)s, with commas between.", kinds=", ".join(notices.KINDS))
        raise Invalid({"kinds": [told]})
    return kinds


def _answer(
    items: list[dict[str, Any]],
    asked: Window,
    *,
    before: int | None = None,
    after: int | None = None,
    since: float | None = None,
) -> Response:
    """Answer with a page and the addresses of its neighbours, which choose the same kinds."""
    name, cursor = ("before", before) if since is None else ("since", since)
    following = paging.neighbour(asked.limit, name, cursor)
    previous = paging.neighbour(asked.limit, "after", after)
    meta = {"per_page": asked.limit, "has_more": cursor is not None}
    return jsonify({"items": items, "_meta": meta, "_links": paging.links(following, previous)})


class Seen(BaseModel):
    """What has been read: with nothing said, everything."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"ids": ["31"], "post": "1042"}]}
    )

    ids: list[str] = Field(
        [],
        max_length=MOST_IDS,
        description="The ids of notifications; none for all.",
        json_schema_extra=shapes.IDS,
    )
    post: str | None = Field(
        None,
        description="The id of a post: what was told of it and of its answers.",
        json_schema_extra=shapes.ID,
    )


@blueprint.put("/notifications/read")
@openapi.answers(204, None, "They are read.")
@openapi.signed_in
@openapi.takes(Seen)
async def read(data: Seen) -> Response:
    """Mark notifications as read.

    Ids that are nobody's, or another's, change nothing.
    """
    reader = await auth.person()
    ids = [_id("ids", each) for each in data.ids]
    post_id = None if data.post is None else _id("post", data.post)
    now = datetime.now(UTC)
    async with runtime().database.write() as tx:
        if ids:
            await notifications.mark_groups_read(tx, reader.id, ids, None, now)
        if post_id is not None:
            await notifications.mark_post_read(tx, reader.id, post_id, now)
        if not ids and post_id is None:
            await notifications.mark_read(tx, reader.id, None, now)
    return Response(status=204)


def _id(field: str, written: str) -> int:
    try:
        return paging.number(written)
    except NotFound:
        raise Invalid({field: [message("This is not an id.")]}) from None
