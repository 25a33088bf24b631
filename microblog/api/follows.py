"""Following people and no longer following them. Doing either twice changes nothing."""

from datetime import UTC, datetime

from quart import Blueprint, Response

from microblog.actions import follows
from microblog.api import openapi
from microblog.api.users import named
from microblog.edge import auth
from microblog.runtime import runtime

blueprint = Blueprint("follows", __name__, url_prefix="/me/following")


@blueprint.put("/<who>")
@openapi.answers(
    204, None, "You follow the person.", refusals={409: "Nobody can follow themselves."}
)
@openapi.signed_in
async def follow(who: str) -> Response:
    """Follow a person."""
    actor = await auth.person()
    async with runtime().database.write() as tx:
        await follows.follow(tx, actor, await named(tx, who), datetime.now(UTC))
    return Response(status=204)


@blueprint.delete("/<who>")
@openapi.answers(204, None, "You do not follow the person.")
@openapi.signed_in
async def unfollow(who: str) -> Response:
    """Stop following a person."""
    actor = await auth.person()
    async with runtime().database.write() as tx:
        await follows.unfollow(tx, actor, await named(tx, who))
    return Response(status=204)
