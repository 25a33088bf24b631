"""Errors of every kind, provoked, for the tests of what they say."""

from typing import Any

from quart import Quart

from microblog.core.errors import Unavailable
from tests.people import Browser


async def answers(app: Quart, browser: Browser, headers: dict[str, str]) -> dict[int, Any]:
    """Return an answer of each kind of error, by its status."""

    async def broken() -> None:
        raise RuntimeError("by intent")

    async def breathless(**_: str) -> None:
        raise Unavailable(3)

    app.view_functions |= {"timelines.explore": broken, "timelines.tag": breathless}
    client = browser.client
    asked = [
        await client.get("/?before=x", headers=headers),
        await client.post("/posts", headers=headers | {"Origin": "null"}),
        await client.get("/nowhere", headers=headers),
        await client.get("/posts", headers=headers),
        await client.post("/posts", form={"post": "x" * 300_000}, headers=headers),
        await client.get("/explore", headers=headers),
        await client.get("/tag/python", headers=headers),
    ]
    return {answer.status_code: answer for answer in asked}
