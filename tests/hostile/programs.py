"""Programs on the stage, which see all of an answer; what they change stays until `Stage.ask`."""

from typing import Any

from quart import Response

from tests.hostile import good
from tests.hostile.asking import Way
from tests.hostile.stage import Stage
from tests.people import PASSWORD

JSON = "application/json"
MOST_BYTES = 256 * 1024


async def good_request(stage: Stage, way: Way, role: str = "owner") -> dict[str, Any]:
    """Return the headers and the body of a request that is served."""
    headers = dict(good.HEADERS.get(way.name, {}))
    if way.rule.endpoint == "api.tokens.take":
        return {"auth": ("bora", PASSWORD), "headers": headers}
    if (token := stage.proofs[role].token) is not None:
        headers["Authorization"] = f"Bearer {token}"
    return {"headers": headers, **await stage.body(way)}


async def send(stage: Stage, way: Way, method: str, query: str = "", **how: Any) -> Response:
    """Send a request by some method, and return the answer."""
    address = stage.address(way)
    if query:
        address += ("&" if "?" in address else "?") + query
    client: Any = stage.app.test_client(use_cookies=False)
    answer: Response = await client.open(address, method=method, **how)
    return answer


def takes_json(way: Way, how: dict[str, Any]) -> bool:
    """Tell whether a good request of a route brings JSON."""
    return way.is_api and "json" in how
