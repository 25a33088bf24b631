"""Where a request comes from: the rule that keeps other sites' pages from acting in our name.

Guards every unsafe request of the pages and the handshake of `/live` (Fetch Metadata, W3C; the
Origin header, RFC 6454). Programs outside a browser send neither header and have no cookie.
"""

from quart.wrappers import Request, Websocket

from microblog.settings import Settings

_OWN_SITE = {"same-origin", "none"}


def is_own(request: Request | Websocket, settings: Settings) -> bool:
    """Tell whether a request was made by our own pages, or not by a page at all."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if origin is not None and not _is_ours(origin, request, settings):
        return False
    return site is None or site in _OWN_SITE


def _is_ours(origin: str, request: Request | Websocket, settings: Settings) -> bool:
    if settings.public_url is not None:
        return origin == settings.public_url
    # Without a configured address the Origin's host must be the one that was asked.
    host = request.headers.get("Host")
    return bool(host) and origin in {f"http://{host}", f"https://{host}"}
