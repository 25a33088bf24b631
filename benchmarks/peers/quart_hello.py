"""A peer: the least that Quart can be, to see what a start costs before anything is ours."""

from quart import Quart

app = Quart(__name__)


@app.get("/")
async def hello() -> str:
    """Answer."""
    return "hello"
