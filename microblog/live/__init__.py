"""The live connection, `/live`: a WebSocket on which events arrive as they happen."""

from quart import Quart

from microblog.live.socket import blueprint


def install(app: Quart) -> None:
    """Add the live connection to an application."""
    app.register_blueprint(blueprint)
