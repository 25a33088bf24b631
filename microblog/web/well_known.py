"""What other programs look for at addresses that are the same everywhere (RFC 8615)."""

from typing import Any

from quart import Blueprint, jsonify

from microblog.runtime import runtime

KEYS_SECONDS = 300

blueprint = Blueprint("well_known", __name__, url_prefix="/.well-known")


@blueprint.get("/jwks.json")
async def keys() -> Any:
    """Send the public keys of access tokens (RFC 7517): none where they are signed with a secret.

    The one in force comes first; the others verify what was signed before a change of keys.
    """
    answer = jsonify({"keys": runtime().access_keys.published()})
    answer.headers["Cache-Control"] = f"public, max-age={KEYS_SECONDS}"
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer
