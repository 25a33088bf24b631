"""Where a program begins: the links of the API, and its document."""

from quart import Blueprint, Response, current_app, jsonify, request
from quart_schema import hide, security_scheme

from microblog.api import asyncapi, expectations, openapi, schemas
from microblog.edge import templates
from microblog.edge.headers import CONTENT_SECURITY_POLICY
from microblog.runtime import runtime

# Swagger UI writes markup, after cleaning it, without a policy of trusted types.
READERS_POLICY = "; ".join(
    part for part in CONTENT_SECURITY_POLICY.split("; ") if "trusted-types" not in part
)

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
        "events": "/api/events",
        "drafts": "/api/drafts",
        "notifications": "/api/notifications",
        "live": "/live",
        "openapi": "/api/openapi.json",
        "asyncapi": "/api/asyncapi.json",
        "docs": "/api/docs",
    }
    return jsonify({"name": runtime().settings.site_name, "_links": links})


@blueprint.get("/openapi.json")
@hide
async def document() -> Response:
    """Send the OpenAPI document of these calls."""
    return jsonify(current_app.extensions["QUART_SCHEMA"].openapi_provider.whole)


@blueprint.get("/asyncapi.json")
@hide
async def live_document() -> Response:
    """Send the AsyncAPI document of `/live`."""
    return jsonify(asyncapi.document(request.host, is_secure=request.is_secure))


@blueprint.get("/docs")
@hide
@expectations.offers("text/html")
async def docs() -> Response:
    """Show the document, to read and to try."""
    page = await templates.render("api/docs.html")
    headers = {"Content-Security-Policy": READERS_POLICY}
    return Response(page, content_type="text/html; charset=utf-8", headers=headers)
