"""The JSON API under `/api`: a module a noun."""

from quart import Blueprint, Quart

from microblog.api import (
    edits,
    entry,
    envelope,
    follows,
    openapi,
    posts,
    resets,
    search,
    threads,
    timelines,
    tokens,
    users,
)


def install(app: Quart) -> None:
    """Add the API to an application."""
    openapi.install(app)
    blueprint = Blueprint("api", __name__, url_prefix="/api")
    envelope.install(app, blueprint)
    for module in (edits, entry, follows, posts, resets, search, threads, timelines, tokens, users):
        blueprint.register_blueprint(module.blueprint)
    app.register_blueprint(blueprint)
