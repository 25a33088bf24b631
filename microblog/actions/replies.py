"""What posts answer, and how many answer them. Called by `actions.posts`."""

from sqlalchemy import update

from microblog.core import events
from microblog.core.errors import Invalid, NotFound, message
from microblog.core.questions import OPEN
from microblog.database import Tx
from microblog.models import Post
from microblog.queries import posts
from microblog.queries.rows import PostRow


async def answered(tx: Tx, post_id: int | None, viewer_id: int) -> PostRow | None:
    """Return the post that is to be answered, if any; raises Invalid where it is not there."""
    if post_id is None:
        return None
    try:
        return await posts.visible(tx, post_id, viewer_id)
    except NotFound:
        raise Invalid({"reply_to": [message("The post that you answer is gone.")]}) from None


async def count(tx: Tx, author_id: int, post_id: int, step: int) -> None:
    """Count a reply to a post, or one that is gone, and tell whoever reads that post."""
    there = Post.id == post_id, Post.deleted_at.is_(None)
    statement = update(Post).where(*there).values(reply_count=Post.reply_count + step)
    if await tx.change(statement):
        tx.announce(events.post_counted(author_id, post_id))


async def reopen(tx: Tx, asker_id: int, question_id: int, answer_id: int) -> None:
    """Let a question be open again whose accepted answer is gone. After `count`, which waits for
    whoever accepts just now.
    """
    statement = update(Post).where(Post.id == question_id, Post.accepted_id == answer_id)
    if await tx.change(statement.values(accepted_id=None, question=OPEN)):
        tx.announce(events.post_edited(asker_id, question_id))
