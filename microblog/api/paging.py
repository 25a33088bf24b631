"""Ids in addresses, and pages of lists: which part is asked for, and where its neighbours are."""

from typing import Any
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field
from quart import Response, jsonify, request
from werkzeug.routing import BaseConverter

from microblog.api import envelope, shapes
from microblog.core import cursors
from microblog.core.cursors import Page, Window
from microblog.core.errors import Invalid, NotFound, message
from microblog.edge import paging
from microblog.edge.request import here
from microblog.queries.rows import PostRow
from microblog.render import json as as_json
from microblog.runtime import runtime

MOST_ITEMS = 100
PLACES = frozenset({"page", "before", "after", "since"})
SIZES = frozenset({"limit", "per_page"})


class Id(BaseConverter):
    """The id in an address beside which words stand too: these are other addresses."""

    regex = "[0-9]+"


class CursorQuery(BaseModel):
    """Which part of a timeline is wanted."""

    model_config = ConfigDict(extra="forbid")

    limit: int | None = Field(None, ge=1, le=MOST_ITEMS, description="How many items at most.")
    per_page: int | None = Field(None, ge=1, le=MOST_ITEMS, description="Another name of `limit`.")
    before: str | None = Field(
        None, description="Items older than this id.", json_schema_extra=shapes.ID_OR_NONE
    )
    after: str | None = Field(
        None,
        description="Items newer than this id, the next ones first to come.",
        json_schema_extra=shapes.ID_OR_NONE,
    )


class NumberedQuery(BaseModel):
    """Which page of a numbered list is wanted."""

    model_config = ConfigDict(extra="forbid")

    page: int = Field(1, ge=1, le=1_000_000, description="Pages count from 1.")
    per_page: int | None = Field(
        None, ge=1, le=MOST_ITEMS, description="How many items a page has at most."
    )


def number(written: str) -> int:
    """Read an id from an address; raises NotFound where there can be none like it."""
    try:
        found = cursors.parse(written)
    except ValueError:
        raise NotFound from None
    if found is None:
        raise NotFound
    return found


def window(query: CursorQuery) -> Window:
    """Return the part of a timeline that is asked for; raises Invalid."""
    return paging.window(size(query.limit, query.per_page))


def size(limit: int | None, per_page: int | None) -> int:
    """Return how many items a page has at most; raises Invalid where it is told twice."""
    if limit is not None and per_page is not None:
        raise Invalid({"per_page": [message("This and “limit” are the same: send one of them.")]})
    return limit or per_page or runtime().settings.posts_per_page


def beside(page: Page[Any], asked: Window) -> dict[str, Any]:
    """Return what stands beside the items of a page."""
    following = neighbour(asked.limit, "before", page.before)
    return {
        "_meta": {"per_page": asked.limit, "has_more": page.before is not None},
        "_links": links(following, neighbour(asked.limit, "after", page.after)),
    }


def links(
    following: str | None, previous: str | None = None, *, own: str | None = None, **more: str
) -> dict[str, str | None]:
    """Return the addresses of a page and of those beside it, and tell them in a `Link` too.

    That names the first page as well, by the same question without a place in it.
    """
    asked = {name: value for name, value in request.args.items() if name not in PLACES}
    first = f"{request.path}?{urlencode(asked)}" if asked else request.path
    is_list = "since" not in request.args  # that begins anywhere
    envelope.link(first=first if is_list else None, prev=previous, next=following, **more)
    return {"self": own or here(), "next": following, "prev": previous}


def whole(items: list[dict[str, Any]]) -> Response:
    """Answer with a list that is never more than one page."""
    meta = {"per_page": len(items), "has_more": False}
    return jsonify({"items": items, "_meta": meta, "_links": links(None)})


def of_posts(page: Page[PostRow], asked: Window) -> Response:
    """Answer with a page of posts."""
    rest = beside(page, asked)
    # Each item is encoded once and kept; the rest is put behind them.
    items = ",".join(as_json.post_text(each) for each in page.items)
    return Response(f'{{"items":[{items}],{as_json.dump(rest)[1:]}', mimetype="application/json")


def neighbour(
    limit: int, name: str, cursor: float | str | None, path: str | None = None
) -> str | None:
    """Return the address of the page before or after a cursor.

    Without `path` it is one of this very list: what else was asked for holds there too.
    """
    if cursor is None:
        return None
    other = PLACES | SIZES
    kept = {} if path else {k: v for k, v in request.args.items() if k not in other}
    return f"{path or request.path}?{urlencode({'limit': limit, **kept, name: cursor})}"


def numbered(items: list[dict[str, Any]], page: int, per_page: int, total: int) -> Response:
    """Answer with a page of a numbered list."""
    pages = -(-total // per_page)

    def address(number: int) -> str | None:
        if not 1 <= number <= max(pages, page):
            return None
        return f"{request.path}?{urlencode({'page': number, 'per_page': per_page})}"

    meta = {"page": page, "per_page": per_page, "total_pages": pages, "total_items": total}
    # From beyond the end the way back leads to the last page.
    previous = address(min(page - 1, max(pages, 1)))
    following, last = address(page + 1) if page < pages else None, address(max(pages, 1)) or ""
    beside = links(following, previous, own=address(page), last=last)
    return jsonify({"items": items, "_meta": meta, "_links": beside})
