"""Keyset pages: ids newest first, without holes or doubles under live inserts."""

from collections.abc import Sequence
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import Select

from microblog.core.cursors import Page, Window

T = TypeVar("T")
AnySelect: TypeAlias = Select[*tuple[Any, ...]]


def within(statement: AnySelect, key: Any, window: Window) -> AnySelect:
    """Restrict and order a statement to the window by `key`, with one row more to look ahead."""
    if window.before is not None:
        statement = statement.where(key < window.before)
    if window.after is not None:
        statement = statement.where(key > window.after)
    order = key.asc() if window.rising else key.desc()
    return statement.order_by(order).limit(window.limit + 1)


def turn(rows: Sequence[tuple[int, T]], window: Window) -> Page[T]:
    """Make a page of (key, item) rows that `within` selected; `before` and `after` are None at
    the ends.
    """
    more = len(rows) > window.limit
    shown = list(rows[: window.limit])
    if window.rising:
        shown.reverse()
    if not shown:
        return Page(())
    first, last = shown[0][0], shown[-1][0]
    newer = more if window.rising else window.before is not None
    older = True if window.rising else more
    return Page(
        tuple(item for _, item in shown),
        before=last if older else None,
        after=first if newer else None,
    )
