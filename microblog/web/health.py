"""Whether the server is alive, and whether it is ready to serve."""

from typing import Any

from quart import Blueprint, jsonify

from microblog.core.errors import Unavailable
from microblog.queries import schema
from microblog.runtime import runtime

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
async def alive() -> Any:
    """Tell that the process answers."""
    return jsonify({"status": "alive"})


@blueprint.get("/readyz")
async def ready() -> Any:
    """Tell whether database, bell and migrations are as they must be; 503 where one is not.

    A bell that is away makes delivery slower, not wrong, so it is told but does not count.
    """
    database, migrations = "ready", "ready"
    try:
        async with runtime().database.read() as read:
            migrations = str(await schema.problem(read) or "ready")
    except Unavailable:
        database, migrations = "out of reach", "unknown"
    bell = "ready" if await runtime().bell.is_ready() else "away: delivery by poll"
    good = migrations == "ready" and runtime().not_ready is None
    state = {"database": database, "migrations": migrations, "bell": bell}
    body = {"status": "ready" if good else "not ready", **state}
    return jsonify(body), 200 if good else 503
