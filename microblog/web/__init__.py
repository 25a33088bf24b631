"""The HTML pages: a module a noun, each with its blueprint. `install` adds them all."""

from quart import Quart

from microblog.web import (
    addresses,
    assets,
    auth,
    edits,
    exports,
    health,
    jobs,
    layout,
    notifications,
    people,
    posts,
    resets,
    search,
    settings,
    setup,
    timelines,
    translations,
)


def install(app: Quart) -> None:
    """Add the pages, their static files and what every template may use to an application."""
    layout.install(app)
    assets.install(app)
    for module in (
        addresses,
        auth,
        edits,
        exports,
        health,
        jobs,
        notifications,
        people,
        posts,
        resets,
    ):
        app.register_blueprint(module.blueprint)
    for module in (search, settings, setup):
        app.register_blueprint(module.blueprint)
    for module in (timelines, translations):
        app.register_blueprint(module.blueprint)
