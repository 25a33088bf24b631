"""Where a program begins: the links of the API, and its document."""

from quart import Blueprint, Response, current_app, jsonify
from quart_schema import hide, security_scheme

from microblog.api import openapi, schemas
from microblog.runtime import runtime

blueprint = Blueprint("entry", __name__)


@blueprint.get("")
@openapi.answers(200, schemas.Entry, "The links to begin with.")
@security_scheme([])
async def begin() -> Response:
    """Show where everything begins."""
    links = {
        "self": "/api",
        "tokens": "/api/tokens",
        "users": "/api/users",
        "posts": "/api/posts",
        "home": "/api/timelines/home",
        "public": "/api/timelines/public",
        "search": "/api/search",
        "notifications": "/api/notifications",
        "live": "/live",
        "openapi": "/api/openapi.json",
    }
    return jsonify({"name": runtime().settings.site_name, "_links": links})


@blueprint.get("/openapi.json")
@hide
async def document() -> Response:
    """Send the OpenAPI document of these calls."""
    return jsonify(current_app.extensions["QUART_SCHEMA"].openapi_provider.whole)
