"""Paging at the door: which part of a timeline is asked for, and what has changed since when."""

import math
from datetime import UTC, datetime

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


def moment(written: str | float | None) -> datetime:
    """Read a time in seconds since 1970, for ever ago where there is none; raises Invalid."""
    try:
        seconds = float(written or 0)
        if math.isfinite(seconds) and seconds >= 0:
            return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise Invalid({"since": [message("This must be a time in seconds, as “timestamp” says it.")]})
