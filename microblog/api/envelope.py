"""What surrounds every call: caching, the allowance that is left, and other sites' pages.

Pages of any origin may call the API with a Bearer token (CORS, Fetch standard 3.3). Credentials
are never allowed, and no cookie counts here, so nobody's browser can be used against them.
"""

from quart import Blueprint, Quart, Response, g, request

from microblog.edge.limits import Allowance
from microblog.edge.request import is_api

PREFLIGHT_SECONDS = 86_400
_MAY_SEND = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID"
_MAY_READ = (
    "Allow, Content-Language, ETag, Link, Location, RateLimit-Limit, RateLimit-Remaining, "
    "RateLimit-Reset, Retry-After, WWW-Authenticate, X-Request-ID"
)


def tell(allowance: Allowance) -> None:
    """Tell with the answer how much of a limit is left."""
    g.allowance = allowance


def link(**targets: str | None) -> None:
    """Tell with the answer where its neighbours are, by relation (RFC 8288); None is none."""
    g.links = {name: address for name, address in targets.items() if address is not None}


def install(app: Quart, blueprint: Blueprint) -> None:
    """Put the envelope around the calls of a blueprint, and around errors under `/api`."""
    blueprint.after_request(_keep)
    app.after_request(_count)
    app.after_request(_let_pages_in)


async def _keep(response: Response) -> Response:
    """Say who may keep an answer: the caller alone, and it must ask each time whether it holds."""
    response.vary.update(["Authorization", "Accept-Language"])
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "private, no-cache"
    if response.status_code == 204 or request.method == "OPTIONS":
        response.headers.pop("Content-Type", None)  # nothing is of no kind
    if response.status_code == 204:
        response.headers.pop("Content-Length", None)  # RFC 9110, 8.6
    if "links" in g and response.status_code < 300:
        told = (f'<{address}>; rel="{name}"' for name, address in g.links.items())
        response.headers["Link"] = ", ".join(told)
    is_whole = response.timeout is not None  # a stream has no end
    if request.method in {"GET", "HEAD"} and response.status_code == 200 and is_whole:
        # Weak: compression changes the bytes, not what they say.
        await response.add_etag(weak=True)
        await response.make_conditional(request)
    return response


async def _count(response: Response) -> Response:
    """Tell what is left of a limit (draft-ietf-httpapi-ratelimit-headers-07)."""
    allowance: Allowance | None = g.get("allowance")
    if response.status_code == 429 and is_api() and "Retry-After" in response.headers:
        # The limit that refuses counts, whatever is left of another.
        response.headers["RateLimit-Remaining"] = "0"
        response.headers["RateLimit-Reset"] = response.headers["Retry-After"]
    elif allowance is not None:
        response.headers["RateLimit-Limit"] = str(allowance.limit)
        response.headers["RateLimit-Remaining"] = str(allowance.remaining)
        response.headers["RateLimit-Reset"] = str(allowance.reset_seconds)
    return response


async def _let_pages_in(response: Response) -> Response:
    if not is_api():
        return response
    response.headers["Access-Control-Allow-Origin"] = "*"
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "")
        response.headers["Access-Control-Allow-Headers"] = _MAY_SEND
        response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
    else:
        response.headers["Access-Control-Expose-Headers"] = _MAY_READ
    return response
