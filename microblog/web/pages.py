"""Pages of a timeline: from the query's cursors to addresses, from rows to view objects."""

from dataclasses import dataclass
from urllib.parse import urlencode

from markupsafe import Markup
from quart import request

from microblog.core.cursors import Page
from microblog.queries.rows import PostRow
from microblog.render import fragments


@dataclass(frozen=True, slots=True)
class PageView:
    """The items of a page, newest first and ready, and the addresses of its neighbours."""

    items: tuple[Markup, ...]
    older: str | None
    newer: str | None


def neighbour(name: str, cursor: int | None, **chosen: str) -> str | None:
    """Return the address of the page before or after a cursor, with what else was `chosen`."""
    return None if cursor is None else f"{request.path}?{urlencode(chosen | {name: str(cursor)})}"


def of_posts(page: Page[PostRow], reader_id: int | None) -> PageView:
    """Make the view of a page of posts for its reader."""
    return PageView(
        tuple(fragments.item(row, own=row.author_id == reader_id) for row in page.items),
        older=neighbour("before", page.before),
        newer=neighbour("after", page.after),
    )
