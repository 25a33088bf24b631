"""Where a program begins: the links of the API, and its document."""

from quart import Blueprint, Response, current_app, jsonify, request
from quart_schema import hide, security_scheme

from microblog.api import asyncapi, envelope, expectations, openapi, schemas
from microblog.edge import templates
from microblog.edge.headers import CONTENT_SECURITY_POLICY
from microblog.runtime import runtime

# Swagger UI writes markup, after cleaning it, without a policy of trusted types.
READERS_POLICY = "; ".join(
    part for part in CONTENT_SECURITY_POLICY.split("; ") if "trusted-types" not in part
)

LINKS = {
    "self": "/api",
    "tokens": "/api/tokens",
    "sign_in": "/api/tokens/{family_id}",
    "reset": "/api/tokens/reset",
    "me": "/api/me",
    "avatar": "/api/me/avatar",
    "follow": "/api/me/following/{who}",
    "users": "/api/users",
    "user": "/api/users/{who}",
    "followers": "/api/users/{who}/followers",
    "following": "/api/users/{who}/following",
    "user_posts": "/api/users/{who}/posts",
    "suspension": "/api/users/{who}/suspension",
    "posts": "/api/posts",
    "post": "/api/posts/{post_id}",
    "thread": "/api/posts/{post_id}/thread",
    "replies": "/api/posts/{post_id}/replies",
    "history": "/api/posts/{post_id}/history",
    "translation": "/api/posts/{post_id}/translation",
    "home": "/api/timelines/home",
    "public": "/api/timelines/public",
    "tag": "/api/timelines/tags/{tag}",
    "questions": "/api/questions",
    "accepted": "/api/questions/{question_id}/accepted",
    "messages": "/api/messages",
    "conversation": "/api/messages/{who}",
    "message": "/api/messages/{who}/{message_id}",
    "conversation_read": "/api/messages/{who}/read",
    "notifications": "/api/notifications",
    "notifications_read": "/api/notifications/read",
    "drafts": "/api/drafts",
    "draft": "/api/drafts/{context}",
    "exports": "/api/exports",
    "export": "/api/exports/{export_id}",
    "export_file": "/api/exports/{export_id}/file",
    "search": "/api/search",
    "search_for": "/api/search{?q,type,sort}",
    "events": "/api/events",
    "live": "/live",
    "openapi": "/api/openapi.json",
    "asyncapi": "/api/asyncapi.json",
    "docs": "/api/docs",
}
"""Where everything is, as URI templates (RFC 6570): each address of the API, a test says."""

blueprint = Blueprint("entry", __name__)


@blueprint.get("")
@openapi.answers(200, schemas.Entry, "The links to begin with.")
@security_scheme([])
async def begin() -> Response:
    """Show where everything begins."""
    envelope.link(**{"service-desc": LINKS["openapi"], "service-doc": LINKS["docs"]})
    return jsonify({"name": runtime().settings.site_name, "_links": LINKS})


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
