"""What a request says of itself: where it came from, and what it wants back."""

import contextlib
from collections.abc import Callable
from io import BytesIO
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, NoReturn
from urllib.parse import urlsplit

from quart import Request, has_websocket_context, request, websocket
from quart.formparser import FormDataParser
from quart.wrappers import Websocket
from quart.wrappers.request import Body
from werkzeug.datastructures import Headers
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from microblog.edge import strict_json
from microblog.edge.bodies import LONGEST_UPLOAD_BYTES, CountedBody
from microblog.runtime import runtime

TAKE_PICTURES = {("POST", "/edit_profile"), ("PUT", "/api/me/avatar")}
"""The requests that may bring a file, and so have a larger body; no other one may."""
IPV6_SITE_BITS = 64
SURROUNDING_BITS = {4: 24, 6: 48}  # of an address, by its version


class MicroblogRequest(Request):
    """A request whose body must be UTF-8 where it claims to be JSON."""

    body: CountedBody
    body_class: type[Body] = CountedBody

    def __init__(
        self,
        method: str,
        scheme: str,
        path: str,
        query_string: bytes,
        headers: Headers,
        *more: Any,
        **how: Any,
    ) -> None:
        kind = headers.get("Content-Type", "").lower()
        may_be_picture = kind.startswith(("multipart/form-data", "image/"))
        self.takes_picture = may_be_picture and (method, path) in TAKE_PICTURES
        if self.takes_picture:
            how["max_content_length"] = LONGEST_UPLOAD_BYTES
        super().__init__(method, scheme, path, query_string, headers, *more, **how)
        self.max_content_length = how.get("max_content_length")  # for its forms too

    def make_form_data_parser(self) -> FormDataParser:
        parser = super().make_form_data_parser()
        parser.stream_factory = _one_file() if self.takes_picture else _refuse_file
        return parser

    @property
    def is_secure(self) -> bool:
        """Whether it came over HTTPS, where a proxy may have unwrapped it for us."""
        return runtime().settings.is_secure or super().is_secure

    async def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        self.json_module: Any = strict_json
        try:
            return await super().get_json(force, silent, cache)
        except (UnicodeDecodeError, RecursionError):
            raise BadRequest("The body is not JSON in UTF-8.") from None


def _refuse_file(*_: Any) -> NoReturn:
    raise UnsupportedMediaType("This address takes no files.")


def _one_file() -> Callable[..., BytesIO]:
    """Return what makes room for the one file that a form may have."""
    files = iter([BytesIO()])

    def make_room(*_: Any) -> BytesIO:
        file = next(files, None)
        if file is None:
            raise UnsupportedMediaType("One file at a time.")
        return file

    return make_room


def routable(path: str) -> str:
    """Return the path of a request's target, which may name a host too (RFC 9112, 3.2.2).

    What is neither becomes a path that leads nowhere; Quart would stumble over it.
    """
    if path.startswith("/"):
        return path
    with contextlib.suppress(ValueError):
        parts = urlsplit(path)
        if parts.scheme.lower() in {"http", "https"}:
            return parts.path or "/"
    return "/*"


def is_ambiguous(asked: Request | Websocket) -> bool:
    """Whether two readers of a request may differ on where it ends (RFC 9112, 6.1)."""
    both = "Transfer-Encoding" in asked.headers and "Content-Length" in asked.headers
    return both or asked.method in {"CONNECT", "PRI"}  # what follows may be no HTTP/1.1 at all


async def whole_body() -> None:
    """Wait for the body of the current request.

    Raises RequestTimeout for a very slow one, and BadRequest where its end is ambiguous.
    """
    if is_ambiguous(request):
        raise BadRequest
    body = request.body
    if isinstance(body, CountedBody):
        await body.arrive()


def asking() -> Request | Websocket:
    """Return the current request or handshake."""
    return websocket if has_websocket_context() else request


def address() -> str:
    """Return the client's address: the peer's, or what a trusted proxy says."""
    peer = asking().headers.get("Remote-Addr", "")
    trusted = runtime().settings.trusted_proxies
    # Some proxies add a line of their own below the client's instead of adding to it.
    lines = ",".join(asking().headers.getlist("X-Forwarded-For"))
    hops = [hop.strip() for hop in lines.split(",") if hop.strip()]
    while hops and _is_in(peer, trusted):
        peer = hops.pop()
    return peer


def network() -> str:
    """Return what counts as one neighbour: an IPv4 address, or the /64 of an IPv6 address."""
    parsed = _parse(address())
    if parsed is None:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        host_bits = 128 - IPV6_SITE_BITS
        return f"{IPv6Address(int(parsed) >> host_bits << host_bits)}/{IPV6_SITE_BITS}"
    return str(parsed)


def _is_in(peer: str, networks: Any) -> bool:
    parsed = _parse(peer)
    return parsed is not None and any(parsed in network for network in networks)


def _parse(peer: str) -> IPv4Address | IPv6Address | None:
    """Read an address, also with a zone (RFC 4007) or mapped into IPv6 (RFC 4291, 2.5.5.2)."""
    try:
        parsed = ip_address(peer.partition("%")[0])
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


def neighbourhood() -> str:
    """Return the surroundings of the client's address, in which somebody's own changes often."""
    parsed = _parse(address())
    if parsed is None:
        return "unknown"
    return str(ip_network((parsed, SURROUNDING_BITS[parsed.version]), strict=False))


def device() -> str:
    """Return what the client calls itself, for the owner of the session to recognise."""
    return asking().headers.get("User-Agent", "")[:200]


def is_api() -> bool:
    """Whether the request is for the JSON API."""
    return asking().path.startswith("/api/") or asking().path == "/api"


def wants_json() -> bool:
    """Whether the answer is to be JSON: for the API, handshakes, and where JSON is asked for."""
    if is_api() or has_websocket_context():
        return True
    accepted = asking().accept_mimetypes
    best = accepted.best_match(["text/html", "application/json"])
    return best == "application/json" and accepted[best] > accepted["text/html"]


def opens_something() -> bool:
    """Whether the address itself is a secret: a link that was mailed."""
    return "token" in (asking().view_args or {})


def shown_path() -> str:
    """Return the path as it may be logged: the secret of a mailed link is left out."""
    path, rule = asking().path, asking().url_rule
    return rule.rule if rule is not None and opens_something() else path


def here() -> str:
    """Return the current path with its query, to come back to; home, where it only takes forms."""
    if asking().method not in {"GET", "HEAD"}:
        return "/"
    query = asking().query_string.decode("latin1")
    return asking().path + (f"?{query}" if query else "")
