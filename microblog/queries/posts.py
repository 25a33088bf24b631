"""Posts and timelines. A timeline reads ids in order first, then loads those few posts."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from microblog.core.cursors import Page, Window
from microblog.core.errors import NotFound
from microblog.database import Read
from microblog.models import Post, PostTag
from microblog.queries.paging import AnySelect, turn, within
from microblog.queries.visibility import in_home_of, visible_to

WHOLE = (joinedload(Post.author), selectinload(Post.mentions))


async def visible(read: Read, post_id: int, viewer_id: int | None) -> Post:
    """Return a post that the viewer may see; raises NotFound otherwise, whatever the reason."""
    statement = select(Post).where(Post.id == post_id, visible_to(viewer_id)).options(*WHOLE)
    post: Post | None = await read.scalar(statement)
    if post is None:
        raise NotFound
    return post


async def by_ids(read: Read, ids: Sequence[int]) -> list[Post]:
    """Return whole posts in the order of `ids`; ids that are gone are left out."""
    if not ids:
        return []
    rows = await read.scalars(select(Post).where(Post.id.in_(ids)).options(*WHOLE))
    found = {post.id: post for post in rows}
    return [found[post_id] for post_id in ids if post_id in found]


async def home(read: Read, viewer_id: int, window: Window) -> Page[Post]:
    """Return own posts and those of followed people, newest first."""
    return await _timeline(read, select(Post.id).where(in_home_of(viewer_id)), viewer_id, window)


async def everything(read: Read, viewer_id: int | None, window: Window) -> Page[Post]:
    """Return all posts that the viewer may see, newest first."""
    return await _timeline(read, select(Post.id), viewer_id, window)


async def by_author(
    read: Read, author_id: int, viewer_id: int | None, window: Window
) -> Page[Post]:
    """Return one person's posts, newest first."""
    statement = select(Post.id).where(Post.author_id == author_id)
    return await _timeline(read, statement, viewer_id, window)


async def by_tag(read: Read, tag: str, viewer_id: int | None, window: Window) -> Page[Post]:
    """Return the posts with a hashtag (in its folded form), newest first."""
    statement = select(Post.id).join(PostTag, PostTag.post_id == Post.id).where(PostTag.tag == tag)
    return await _timeline(read, statement, viewer_id, window)


async def _timeline(
    read: Read, statement: AnySelect, viewer_id: int | None, window: Window
) -> Page[Post]:
    chosen = within(statement.where(visible_to(viewer_id)), Post.id, window)
    ids = list(await read.scalars(chosen))
    page = turn([(post_id, post_id) for post_id in ids], window)
    return Page(tuple(await by_ids(read, page.items)), page.before, page.after)
