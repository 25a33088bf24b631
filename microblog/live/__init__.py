"""The live connection, `/live`: a WebSocket on which events arrive as they happen."""

from quart import Quart

from microblog.live import figures, whispers
from microblog.live.socket import blueprint
from microblog.runtime import Runtime


def install(app: Quart) -> None:
    """Add the live connection to an application."""
    app.register_blueprint(blueprint)


def begin(opened: Runtime) -> None:
    """Connect the live connections with what is open now."""
    whispers.listen(opened)
    figures.begin(opened)
