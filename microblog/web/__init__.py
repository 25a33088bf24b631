"""The HTML pages: a module a noun, each with its blueprint. `install` adds them all."""

from quart import Quart

from microblog.web import (
    account,
    addresses,
    administration,
    assets,
    auth,
    avatars,
    devices,
    drafts,
    edits,
    exports,
    figures,
    health,
    jobs,
    layout,
    messages,
    metrics,
    notifications,
    people,
    posts,
    program_tokens,
    questions,
    resets,
    search,
    settings,
    setup,
    suggestions,
    timelines,
    translations,
    well_known,
)

MODULES = (
    account,
    addresses,
    administration,
    auth,
    avatars,
    devices,
    drafts,
    edits,
    exports,
    figures,
    health,
    jobs,
    messages,
    metrics,
    notifications,
    people,
    posts,
    program_tokens,
    questions,
    resets,
    search,
    settings,
    setup,
    suggestions,
    timelines,
    translations,
    well_known,
)


def install(app: Quart) -> None:
    """Add the pages, their static files and what every template may use to an application."""
    layout.install(app)
    assets.install(app)
    for module in MODULES:
        app.register_blueprint(module.blueprint)
