"""What the names that somebody begins to type may become: `@` people, `#` hashtags.

static/js/suggest.js asks at each pause.
"""

from quart import Blueprint, Response, jsonify, request

from microblog.core.markup import LONGEST_TAG
from microblog.database import Read
from microblog.edge import auth
from microblog.queries import suggestions
from microblog.queries.search import Asked
from microblog.render import views
from microblog.runtime import runtime

MOST = 6
KEPT = "private, max-age=30"

blueprint = Blueprint("suggestions", __name__, url_prefix="/suggest")


@blueprint.get("/people")
async def people() -> Response:
    """Say who may be meant: whom one follows, then whom most follow."""
    async with runtime().database.read() as read:
        asked = await _asked(read)
        found = await suggestions.people(read, _typed(), asked)
    shown = [views.person(person) for person in found]
    return _told(
        [
            {"value": f"@{each.username}", "name": each.display_name, "avatar": each.avatar_url}
            for each in shown
        ]
    )


@blueprint.get("/tags")
async def tags() -> Response:
    """Say which hashtags of the newest posts may be meant."""
    async with runtime().database.read() as read:
        asked = await _asked(read)
        found = await suggestions.tags(read, _typed(), asked)
    return _told([{"value": f"#{tag.name}"} for tag in found])


async def _asked(read: Read) -> Asked:
    visitor = await auth.may_read(read)
    return Asked(visitor.id, MOST, server=runtime().search)


def _typed() -> str:
    return request.args.get("q", "")[:LONGEST_TAG]


def _told(items: list[dict[str, str]]) -> Response:
    answer = jsonify({"items": items})
    answer.headers["Cache-Control"] = KEPT
    return answer
