"""Headers on every answer, errors too: what a browser may do with it, and who it is for."""

import secrets
from typing import Any

from quart import Response, g

from microblog.edge.request import asking, is_ambiguous, opens_something
from microblog.runtime import runtime

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; manifest-src 'self'; worker-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types microblog"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# For addresses that are secrets. Under "no-referrer" browsers would say `Origin: null` with a form
# of the page (Fetch, "append a request Origin header"), and it could not be told from a forged one.
HIDES_THE_PATH = "strict-origin"
YEAR_SECONDS = 31_536_000


def request_id() -> str:
    """Return the number of this request, for the log and for whoever reports a fault."""
    if "request_id" not in g:
        g.request_id = secrets.token_hex(8)
    number: str = g.request_id
    return number


async def add(response: Response) -> Response:
    """Add the headers to an answer. Pages depend on the cookie, so no cache may keep them."""
    if opens_something():
        response.headers["Referrer-Policy"] = HIDES_THE_PATH
        response.headers["Cache-Control"] = "no-store"
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-ID"] = request_id()
    response.headers.pop("Server", None)
    if runtime().settings.is_secure:
        response.headers["Strict-Transport-Security"] = f"max-age={YEAR_SECONDS}"
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "private, no-cache"
        response.vary.update(["Cookie", "Accept", "Accept-Language"])
    if is_ambiguous(asking()):
        response.headers["Connection"] = "close"  # what follows is not to be taken for a request
    if asking().method == "GET" and response.status_code >= 500:
        response.headers["Cache-Control"] = "no-store"
    return response


async def add_to_refusal(response: Any) -> Any:
    """Add them to the answer of a handshake that was refused; one that was accepted has none."""
    return None if response is None else await add(response)
