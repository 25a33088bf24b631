"""What a request expects of a call, looked at before its handler and before anything is written.

A kind of answer that cannot be served, a parameter that nobody reads, and a condition that nobody
keeps are refused: what is passed over in silence misleads. `openapi.answers` says what a call has.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from quart import Blueprint, Response, current_app, request
from quart_schema.validation import QUART_SCHEMA_QUERYSTRING_ATTRIBUTE
from werkzeug.datastructures import MIMEAccept

from microblog.api.versions import ANY
from microblog.core.errors import Changed, Invalid, message
from microblog.edge import errors, payloads
from microblog.edge.errors import Problem

JSON = "application/json"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_KINDS, _VERSIONED = "_microblog_kinds", "_microblog_versioned"
H = TypeVar("H", bound=Callable[..., Any])


def offers(*kinds: str) -> Callable[[H], H]:
    """Tell in which media types a call can answer; with none told it is JSON."""

    def mark(handler: H) -> H:
        setattr(handler, _KINDS, kinds)
        return handler

    return mark


def kinds(handler: Any) -> tuple[str, ...]:
    """Return the media types in which a call can answer."""
    told: tuple[str, ...] = getattr(handler, _KINDS, (JSON,))
    return told


def versioned(handler: H) -> H:
    """Tell that a call keeps to `If-Match` itself."""
    setattr(handler, _VERSIONED, True)
    return handler


def is_versioned(handler: Any) -> bool:
    """Tell whether a call keeps to `If-Match`."""
    return getattr(handler, _VERSIONED, False)


def install(blueprint: Blueprint) -> None:
    """Let the calls of a blueprint be asked only for what they have."""
    blueprint.before_request(_look)


async def _look() -> Response | None:
    if request.method == "OPTIONS":
        return None
    handler = current_app.view_functions[request.endpoint or ""]
    served = kinds(handler)
    if served and not _serves(request.accept_mimetypes, served):
        told = message("This can be had as %(kinds)s.", kinds=", ".join(served))
        return await errors.answer(Problem(406, told))
    if not hasattr(handler, QUART_SCHEMA_QUERYSTRING_ATTRIBUTE) and request.args:
        raise Invalid(payloads.unknown(request.args))
    conditional = request.method not in SAFE_METHODS and "If-Match" in request.headers
    if conditional and not is_versioned(handler) and request.headers["If-Match"].strip() != ANY:
        raise Changed  # it has no version, so none that could be meant (RFC 9110, 13.1.1)
    return None


def _serves(accepted: MIMEAccept, kinds: tuple[str, ...]) -> bool:
    return not accepted or any(_quality(accepted, kind) > 0 for kind in kinds)


def _quality(accepted: MIMEAccept, kind: str) -> float:
    """Return how welcome a media type is: the narrowest range counts (RFC 9110, 12.5.1).

    Parameters are left out, as what is told of a `charset` changes nothing.
    """
    ranges = [(each.partition(";")[0].strip().lower(), quality) for each, quality in accepted]
    for wanted in (kind, f"{kind.partition('/')[0]}/*", "*/*"):
        found = [quality for name, quality in ranges if name == wanted]
        if found:
            return max(found)
    return 0
