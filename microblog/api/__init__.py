"""The JSON API under `/api`: a module a noun."""

from quart import Blueprint, Quart

from microblog.api import (
    avatars,
    drafts,
    edits,
    entry,
    envelope,
    events,
    expectations,
    exports,
    follows,
    me,
    messages,
    notifications,
    openapi,
    paging,
    posts,
    questions,
    relations,
    resets,
    search,
    suspensions,
    threads,
    timelines,
    tokens,
    users,
)

MODULES = (
    avatars,
    drafts,
    edits,
    entry,
    events,
    exports,
    follows,
    me,
    messages,
    notifications,
    posts,
    questions,
    relations,
    resets,
    search,
    suspensions,
    threads,
    timelines,
    tokens,
    users,
)


def install(app: Quart) -> None:
    """Add the API to an application."""
    app.url_map.converters["id"] = paging.Id
    openapi.install(app)
    blueprint = Blueprint("api", __name__, url_prefix="/api")
    envelope.install(app, blueprint)
    expectations.install(blueprint)
    for module in MODULES:
        blueprint.register_blueprint(module.blueprint)
    app.register_blueprint(blueprint)
