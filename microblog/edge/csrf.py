"""Cross-site request forgery: the guard of every unsafe request of the pages, by two rules.

The request must come from our own pages (`edge.origin`), and carry the token of a page of this
browser. The JSON API takes no cookies and is not guarded here.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from quart import current_app, request

from microblog.core.errors import Forbidden, message
from microblog.edge import forms, origin
from microblog.edge.request import is_api
from microblog.runtime import runtime

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
H = TypeVar("H", bound=Callable[..., Any])


def shows_form_again(handler: H) -> H:
    """Mark a handler whose form checks the token itself and keeps what was typed when it is stale.

    The handler's form must be an `edge.forms.Form`; a test walks all of them with a stale token.
    """
    handler.shows_form_again = True  # type: ignore[attr-defined]
    return handler


async def guard() -> None:
    """Refuse a forged request; raises Forbidden. Runs before every handler."""
    if request.method in SAFE_METHODS or is_api() or request.routing_exception is not None:
        return  # where there is no handler, not found and not allowed are the clearer answers
    if not origin.is_own(request, runtime().settings):
        raise Forbidden(message("This request came from another site, so nothing was done."))
    handler = current_app.view_functions.get(request.endpoint or "")
    if getattr(handler, "shows_form_again", False):
        return
    if not await forms.has_good_token():
        raise Forbidden(
            message("This page was open too long, so nothing was done. Go back, reload, try again.")
        )
