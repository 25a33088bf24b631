"""Questions: lists of them, the answers to one, and those like one that is being written.

A list reads ids in order first, of open and of answered questions apart, each along its index.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import bindparam, select, union_all

from microblog.core import search_tokens
from microblog.core.cursors import GREATEST, Page, Window
from microblog.core.errors import NotFound
from microblog.core.questions import STATES
from microblog.core.search_plan import Plan
from microblog.core.search_tokens import Term
from microblog.database import Read
from microblog.models import PostTag, table
from microblog.queries import posts
from microblog.queries.paging import AnySelect, turn
from microblog.queries.rows import PostRow, post_table
from microblog.queries.search import WINDOW, Asked
from microblog.queries.visibility import VISIBLE

MOST_WORDS = 40
"""Tokens of a title that others are compared with."""

LIKE = 0.34
"""The part of a title's tokens that another's has which is shown as similar."""

_post, _tag = post_table.c, table(PostTag)
_ASKED = _post.question.is_not(None)
_ids = select(_post.id).where(VISIBLE)
_SOURCES = {
    **{state: _ids.where(_post.question == state) for state in STATES},
    "author": _ids.where(_post.author_id == bindparam("author"), _ASKED),
    "tag": _ids.join(_tag, _tag.c.post_id == _post.id).where(
        _tag.c.tag == bindparam("tag"), _ASKED
    ),
    "answers": _ids.where(
        _post.reply_to_id == bindparam("question"), _post.id != bindparam("accepted")
    ),
}
_TITLES = select(_post.id, _post.title).where(
    _post.id.in_(bindparam("ids", expanding=True)), _ASKED, VISIBLE
)


async def one(read: Read, question_id: int, viewer_id: int | None) -> PostRow:
    """Return a question that the viewer may see; raises NotFound for other posts as well."""
    found = await posts.visible(read, question_id, viewer_id)
    if found.question is None:
        raise NotFound
    return found


async def newest(
    read: Read, viewer_id: int | None, window: Window, state: str | None = None
) -> Page[PostRow]:
    """Return the questions in a state, "open" or "answered", or all; newest first."""
    states = STATES if state is None else (state,)
    return await _page(read, states, window, viewer=viewer_id)


async def by_author(
    read: Read, author_id: int, viewer_id: int | None, window: Window
) -> Page[PostRow]:
    """Return one person's questions, newest first."""
    return await _page(read, ("author",), window, viewer=viewer_id, author=author_id)


async def by_tag(read: Read, tag: str, viewer_id: int | None, window: Window) -> Page[PostRow]:
    """Return the questions with a hashtag (in its folded form), newest first."""
    return await _page(read, ("tag",), window, viewer=viewer_id, tag=tag)


async def answers(
    read: Read, question: PostRow, viewer_id: int | None, window: Window
) -> Page[PostRow]:
    """Return the answers to a question, oldest first, without the accepted one.

    The cursors are those of such a list: `before` leads to older answers, `after` to newer ones.
    """
    backwards = window.before is not None
    asked = window if backwards else Window(window.limit, after=window.after or 0)
    about = {"question": question.id, "accepted": question.accepted_id or 0}
    ids = await _chosen(read, ("answers",), asked, viewer=viewer_id, **about)
    more = len(ids) > window.limit
    shown = sorted(ids[: window.limit])
    earlier, later = (more, True) if backwards else (bool(window.after), more)
    return Page(
        tuple(await posts.by_ids(read, shown)),
        before=shown[0] if shown and earlier else None,
        after=shown[-1] if shown and later else None,
    )


async def accepted(read: Read, question: PostRow, viewer_id: int | None) -> PostRow | None:
    """Return the accepted answer; None where there is none, or none that the viewer may see."""
    if question.accepted_id is None:
        return None
    found = await posts.readable(read, [question.accepted_id], viewer_id)
    return found[0] if found else None


async def similar(read: Read, title: str, asked: Asked) -> list[PostRow]:
    """Return the questions whose titles say most of what a title says, at most `asked.limit`.

    Among the newest `search.WINDOW` that say any of it.
    """
    said = list(dict.fromkeys(search_tokens.texts(title)))[:MOST_WORDS]
    if not said:
        return []
    plan = Plan((Term((search_tokens.QUESTION,)),), among=tuple(said))
    source = await asked.source(read, "post", plan)
    given = {"ids": await source(GREATEST, WINDOW), "viewer": asked.viewer_id}
    found = await read.execute_aside(_TITLES.params(given)) if given["ids"] else ()
    likeness = {row.id: _likeness(said, row.title or "") for row in found}
    alike = [post_id for post_id, part in likeness.items() if part >= LIKE]
    best = sorted(alike, key=lambda post_id: (-likeness[post_id], -post_id))[: asked.limit]
    return await posts.readable(read, best, asked.viewer_id)


def _likeness(said: Sequence[str], title: str) -> float:
    return len(set(said).intersection(search_tokens.texts(title))) / len(said)


async def _page(
    read: Read, sources: tuple[str, ...], window: Window, **given: Any
) -> Page[PostRow]:
    ids = await _chosen(read, sources, window, **given)
    page = turn([(post_id, post_id) for post_id in ids], window)
    return Page(tuple(await posts.by_ids(read, page.items)), page.before, page.after)


async def _chosen(read: Read, sources: tuple[str, ...], window: Window, **given: Any) -> list[int]:
    """Return the ids of a window, in its order, with one more to look ahead."""
    statement = _merged(sources, window.before is not None, window.after is not None, window.rising)
    where = {"before": window.before, "after": window.after, "limit": window.limit + 1}
    return [row[0] for row in await read.execute(statement, where | given)]


@cache
def _merged(sources: tuple[str, ...], before: bool, after: bool, rising: bool) -> AnySelect:
    """Select a window of several sources, each along an index of its own."""
    each = [_within(_SOURCES[name], before, after, rising) for name in sources]
    if len(each) == 1:
        return each[0]
    together = union_all(*(select(one.subquery().c.id) for one in each)).subquery()
    return _in_order(select(together.c.id), together.c.id, rising)


def _within(source: AnySelect, before: bool, after: bool, rising: bool) -> AnySelect:
    if before:
        source = source.where(_post.id < bindparam("before"))
    if after:
        source = source.where(_post.id > bindparam("after"))
    return _in_order(source, _post.id, rising)


def _in_order(statement: AnySelect, key: Any, rising: bool) -> AnySelect:
    return statement.order_by(key.asc() if rising else key.desc()).limit(bindparam("limit"))
