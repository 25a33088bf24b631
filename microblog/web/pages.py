"""Pages of a timeline: from the query's cursors to addresses, from rows to view objects."""

from dataclasses import dataclass
from urllib.parse import urlencode

from markupsafe import Markup
from quart import request

from microblog.core.cursors import Page
from microblog.queries.rows import PostRow
from microblog.queries.threads import Place
from microblog.render import fragments


@dataclass(frozen=True, slots=True)
class PageView:
    """The items of a page, ready and in its order, and the addresses of its neighbours."""

    items: tuple[Markup, ...]
    older: str | None
    newer: str | None


def neighbour(name: str, cursor: int | None, path: str | None = None, **chosen: str) -> str | None:
    """Return the address of the page before or after a cursor, with what else was `chosen`; of
    this very list without `path`.
    """
    if cursor is None:
        return None
    return f"{path or request.path}?{urlencode(chosen | {name: str(cursor)})}"


def of_posts(page: Page[PostRow], reader_id: int | None) -> PageView:
    """Make the view of a page of posts for its reader."""
    return PageView(
        tuple(fragments.item(row, own=row.author_id == reader_id) for row in page.items),
        older=neighbour("before", page.before),
        newer=neighbour("after", page.after),
    )


def of_replies(page: Page[Place], reader_id: int | None, path: str) -> PageView:
    """Make the view of a page of replies for its reader, oldest first; `path` is the post's own."""
    return PageView(
        tuple(of_place(each, reader_id) for each in page.items),
        older=neighbour("before", page.before, path),
        newer=neighbour("after", page.after, path),
    )


def of_place(place: Place, reader_id: int | None) -> Markup:
    """Make the item at a place of a conversation for its reader."""
    if place.post is None:
        return fragments.tombstone(place.id)
    return fragments.item(place.post, own=place.post.author_id == reader_id)
