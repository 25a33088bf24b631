"""What the server counts, for Prometheus: for this machine alone, or for who has the token."""

import hmac
from ipaddress import ip_address
from urllib.parse import urlsplit

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from quart import Blueprint, Response, request

from microblog.core.errors import Forbidden, message
from microblog.edge import figures
from microblog.runtime import runtime

HEADERS_OF_PROXIES = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP")
FOR_WHOM = message(
    "Metrics are for this machine alone, asked without a proxy. For others, set "
    "MICROBLOG_METRICS_TOKEN and send: Authorization: Bearer <token>"
)

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
async def metrics() -> Response:
    """Tell every figure of this server, summed over its processes; raises Forbidden."""
    if not (_has_token() if runtime().settings.metrics_token else _is_this_machine()):
        raise Forbidden(FOR_WHOM)
    text = figures.as_text(await figures.gather(runtime()))
    return Response(
        text, content_type=CONTENT_TYPE_PLAIN_0_0_4, headers={"Cache-Control": "no-store"}
    )


def _has_token() -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    wanted = runtime().settings.metrics_token or ""
    return scheme.lower() == "bearer" and hmac.compare_digest(
        token.strip().encode(), wanted.encode("utf-8", "surrogateescape")
    )


def _is_this_machine() -> bool:
    """Whether nobody else can have asked.

    A proxy beside us asks from this machine too: it is known by its headers, or by the name of the
    site. So is a page of another site whose name was made to lead here (DNS rebinding).
    """
    through_proxy = any(name in request.headers for name in HEADERS_OF_PROXIES)
    peer = request.headers.get("Remote-Addr", "")
    return not through_proxy and _is_loopback(peer) and _is_loopback(_host())


def _host() -> str:
    try:
        return urlsplit(f"//{request.headers.get('Host', '')}").hostname or ""
    except ValueError:
        return ""


def _is_loopback(name: str) -> bool:
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
