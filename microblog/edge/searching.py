"""Searching at the door: who asks for which page of the hits. Pages and API call this."""

from quart import request

from microblog.core import search_ranking
from microblog.core.errors import Invalid, message
from microblog.queries.search import Asked
from microblog.runtime import runtime


def asked(viewer_id: int | None, limit: int) -> Asked:
    """Return who asks for what, `before` from the address; raises Invalid where it is no place."""
    try:
        place = search_ranking.parse(request.args.get("before"))
    except ValueError:
        raise Invalid(
            {"before": [message("A cursor is the number that a page's links carry.")]}
        ) from None
    return Asked(viewer_id, limit, place, runtime().search)
