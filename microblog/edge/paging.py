"""Paging at the door: which part of a timeline is asked for."""

from quart import request

from microblog.core import cursors
from microblog.core.cursors import Window
from microblog.core.errors import Invalid, message


def window(limit: int) -> Window:
    """Read `before` and `after` from the address; raises Invalid where they are no cursors."""
    found = {}
    for name in ("before", "after"):
        try:
            found[name] = cursors.parse(request.args.get(name))
        except ValueError:
            raise Invalid(
                {name: [message("A cursor is the number that a page's links carry.")]}
            ) from None
    return Window(limit, found["before"], found["after"])
