"""The JSON API under `/api`: a module a noun."""

from quart import Blueprint, Quart

from microblog.api import (
    entry,
    envelope,
    follows,
    openapi,
    posts,
    questions,
    resets,
    search,
    timelines,
    tokens,
    users,
)


def install(app: Quart) -> None:
    """Add the API to an application."""
    openapi.install(app)
    blueprint = Blueprint("api", __name__, url_prefix="/api")
    envelope.install(app, blueprint)
    for module in (entry, follows, posts, questions, resets):
        blueprint.register_blueprint(module.blueprint)
    for module in (search, timelines, tokens, users):
        blueprint.register_blueprint(module.blueprint)
    app.register_blueprint(blueprint)
