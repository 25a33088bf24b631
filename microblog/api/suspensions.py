"""For administrators: keeping somebody out, and letting them in again."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field
from quart import Blueprint, Response

from microblog.actions import departures
from microblog.api import openapi, paging, shapes
from microblog.core import names, scopes
from microblog.core.errors import Forbidden, NotFound, message
from microblog.core.leaving import Left
from microblog.database import Read, Tx
from microblog.edge import auth
from microblog.models import User
from microblog.queries import users
from microblog.runtime import runtime

Judge = Callable[[Tx, User | None, User, str, datetime], Awaitable[None]]

blueprint = Blueprint("suspensions", __name__)


class Reason(BaseModel):
    """Why somebody is suspended, or restored."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"reason": "Unwanted advertising, three times"}]},
    )

    reason: str = Field(
        description="They read it; the log of administrators keeps it.",
        json_schema_extra=shapes.TEXT,
    )


@blueprint.put("/users/<who>/suspension")
@openapi.answers(
    204,
    None,
    "They are logged out everywhere, and nothing of theirs can be seen.",
    refusals={409: "They are suspended already, or are you."},
)
@openapi.signed_in
@auth.takes_scope(scopes.ADMIN)
@openapi.takes(Reason)
async def suspend(who: str, data: Reason) -> Response:
    """Keep a person out, with a reason that they will read. For administrators."""
    return await _judge(who, departures.suspend, data.reason)


@blueprint.delete("/users/<who>/suspension")
@openapi.answers(204, None, "They may log in again.", refusals={409: "They are not suspended."})
@openapi.signed_in
@auth.takes_scope(scopes.ADMIN)
@openapi.takes(Reason)
async def restore(who: str, data: Reason) -> Response:
    """Let a suspended person in again. For administrators."""
    return await _judge(who, departures.restore, data.reason)


async def _judge(who: str, judge: Judge, reason: str) -> Response:
    admin = await auth.person()
    if not admin.is_admin:
        raise Forbidden(message("This is for administrators."))
    async with runtime().database.write() as tx:
        await judge(tx, admin, await _known(tx, who), reason, datetime.now(UTC))
    return Response(status=204)


async def _known(read: Read, who: str) -> User:
    """Return a person, there or not, but no deleted one; raises NotFound."""
    if re.fullmatch(names.USERNAME_PATTERN, who):
        user = await users.of_name(read, who)
    else:
        user = await users.of_id(read, paging.number(who))
    if user is None or user.left_because == Left.DELETED:
        raise NotFound
    return user
