"""Asking, and accepting an answer. A question is a post with a title, an answer a reply to it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update

from microblog.actions import notifications, posts, search_index
from microblog.actions.posts import Draft
from microblog.core import events, questions, text
from microblog.core.errors import Invalid, NotFound
from microblog.core.questions import ANSWERED, OPEN
from microblog.database import Tx
from microblog.models import Notification, Post, User
from microblog.queries import posts as post_queries
from microblog.queries import questions as question_queries
from microblog.queries import users
from microblog.queries.rows import PostRow


@dataclass(frozen=True, slots=True)
class Asking:
    """What somebody wants to know. `tags` are hashtags with or without #, between commas or spaces.

    `key`, `language` and `saved` are those of a `posts.Draft`.
    """

    title: str
    body: str
    tags: str = ""
    key: str | None = None
    language: str | None = None
    saved: int | None = None


async def ask(tx: Tx, asker: User, asking: Asking, now: datetime) -> PostRow:
    """Publish a question; return it. Raises as `posts.publish` does, Invalid with the fields
    `title`, `post` and `tags`, all that are wrong at once.
    """
    return await posts.publish(tx, asker, _draft(asking), now)


def _draft(asking: Asking) -> Draft:
    title, written = questions.clean_title(asking.title), text.clean(asking.body)
    body, unfit = questions.with_tags(written, asking.tags)
    found = {"title": questions.title_flaw(title), "tags": unfit}
    errors = {name: [flaw] for name, flaw in found.items() if flaw is not None}
    try:
        text.check(written)  # hashtags alone ask nothing
        text.check(body)
    except Invalid as invalid:
        errors |= invalid.errors
    if errors:
        raise Invalid(errors)
    return Draft(body, asking.key, asking.language, title=title, saved=asking.saved)


async def accept(
    tx: Tx, asker: User, question_id: int, answer_id: int | None, now: datetime
) -> PostRow:
    """Accept an answer to one's own question, or None of them; return the question.

    Who answered is told, and whose answer is accepted no more finds that notification gone. What
    is accepted already stays so. Raises NotFound where the question is not one's own, and for what
    is no answer to it.
    """
    await _mine(tx, asker, question_id)
    answer = None if answer_id is None else await _answer(tx, asker, question_id, answer_id)
    await users.hold(tx, {asker.id} | ({answer.author_id} if answer else set()))
    statement = update(Post).where(Post.id == question_id, Post.deleted_at.is_(None))
    changed = await tx.change(
        statement.where(Post.accepted_id.is_distinct_from(answer_id)).values(
            accepted_id=answer_id, question=OPEN if answer_id is None else ANSWERED
        )
    )
    if changed:
        if answer is not None:
            # Whoever deletes it comes to the question as well, so from here on they wait.
            await _answer(tx, asker, question_id, answer.id)
        search_index.feed_soon(tx, now)
        tx.announce(events.post_edited(asker.id, question_id))
        await _withdraw(tx, asker.id, question_id)
        if answer is not None:
            about = answer.author_id, asker.id
            await notifications.notify(tx, *about, "accepted", now, post_id=answer.id)
    return await _mine(tx, asker, question_id)


async def _mine(tx: Tx, asker: User, question_id: int) -> PostRow:
    found = await question_queries.one(tx, question_id, asker.id)
    if found.author_id != asker.id:
        raise NotFound
    return found


async def _answer(tx: Tx, asker: User, question_id: int, answer_id: int) -> PostRow:
    found = await post_queries.visible(tx, answer_id, asker.id)
    if found.reply_to_id != question_id:
        raise NotFound
    return found


async def _withdraw(tx: Tx, asker_id: int, question_id: int) -> None:
    """Take back what was told of answers to a question that were accepted before."""
    answers = select(Post.id).where(Post.reply_to_id == question_id)
    gone = delete(Notification).where(
        Notification.kind == "accepted",
        Notification.actor_id == asker_id,
        Notification.post_id.in_(answers),
    )
    for user_id in set(await tx.change_telling(gone, Notification.user_id)):
        tx.announce(events.notifications_read(user_id, 0))
