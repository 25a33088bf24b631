"""One's own picture: giving one, and going back to the one that is drawn from the name."""

from datetime import UTC, datetime

from quart import Blueprint, Response, jsonify, request
from werkzeug.exceptions import UnsupportedMediaType

from microblog.actions import avatars
from microblog.api import openapi, schemas
from microblog.core import pictures
from microblog.core.errors import Invalid, message
from microblog.edge import auth, uploads
from microblog.queries import users
from microblog.render import json as as_json
from microblog.runtime import runtime

MULTIPART = "multipart/form-data"
_FILE = {"type": "string", "format": "binary"}
_FORM = {"type": "object", "properties": {uploads.FIELD: _FILE}, "required": [uploads.FIELD]}
BODY = {
    "description": "The picture, 8 MB at most; or a form with the file in its field `avatar`.",
    "content": {f"image/{kind.lower()}": {"schema": _FILE} for kind in pictures.FORMATS}
    | {MULTIPART: {"schema": _FORM}},
}

blueprint = Blueprint("avatars", __name__, url_prefix="/me/avatar")


@blueprint.put("")
@openapi.answers(
    200,
    schemas.User,
    "You, with the new picture.",
    limit="pictures of one person in ten minutes",
    refusals={
        400: "The form cannot be read.",
        413: "More than 8 MB.",
        415: "The body is no `image/…` and no form.",
        422: "The picture is broken, of another kind, or has too many pixels.",
    },
)
@openapi.signed_in
@openapi.takes_other(BODY)
async def change() -> Response:
    """Give yourself a picture: PNG, JPEG, WebP, GIF or AVIF.

    Its middle is drawn anew in two sizes; nothing else of the file is kept.
    """
    if request.mimetype != MULTIPART and not request.mimetype.startswith("image/"):
        raise UnsupportedMediaType
    actor = await auth.person()
    squares = await uploads.squares_sent()
    if squares is None:
        raise Invalid({uploads.FIELD: [message("This is missing.")]})
    async with runtime().database.write() as tx:
        await avatars.change(tx, actor, squares, datetime.now(UTC))
        actor = await users.by_id(tx, actor.id)
    return jsonify(as_json.own(actor))


@blueprint.delete("")
@openapi.answers(204, None, "You have the picture that is drawn from your name.")
@openapi.signed_in
async def remove() -> Response:
    """Take your picture away."""
    actor = await auth.person()
    async with runtime().database.write() as tx:
        await avatars.remove(tx, actor)
    return Response(status=204)
