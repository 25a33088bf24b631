"""Writing, editing and deleting posts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, update

from microblog.actions import (
    drafts,
    idempotency,
    notifications,
    replies,
    search_index,
    translations,
)
from microblog.core import events, markup, text
from microblog.core.drafts import Written, context_of
from microblog.core.errors import Changed, NotFound
from microblog.core.markup import Parsed
from microblog.core.questions import OPEN
from microblog.database import Tx
from microblog.models import Mention, Post, PostTag, PostVersion, User, table
from microblog.queries import notifications as notification_queries
from microblog.queries import posts as post_queries
from microblog.queries import users
from microblog.queries.rows import PostRow

_person = table(User)
_COUNT = (
    update(_person)
    .where(_person.c.id == bindparam("author"))
    .values(post_count=_person.c.post_count + bindparam("more"))
)


@dataclass(frozen=True, slots=True)
class Draft:
    """What someone wants to publish. `key` makes a repeated request publish it once.

    `language` is a code of `core.languages` (`edge.authoring` finds it), or None; `reply_to` the id
    of the post that it answers. With a `title` it is a question. `saved` is the version of what
    the author's form was left with (`actions.drafts`), which goes with the publishing.
    """

    body: str
    key: str | None = None
    language: str | None = None
    reply_to: int | None = None
    title: str | None = None
    saved: int | None = None

    @property
    def request(self) -> str:
        """What a repetition has to say again to be one."""
        if self.reply_to is None and self.title is None:
            return self.body
        return json.dumps([self.body, self.reply_to, self.title])


@dataclass(frozen=True, slots=True)
class Edit:
    """What someone wants a post of theirs to say. `version` is that of the `PostRow` they read.

    Where `title` or `language` is None that stays as it is.
    """

    body: str
    version: str
    language: str | None = None
    title: str | None = None


async def publish(tx: Tx, author: User, draft: Draft, now: datetime) -> PostRow:
    """Publish a draft and notify whom it mentions; return the post.

    A draft whose key was used before returns the post of that time; raises Invalid for a text
    that is empty or too long and for answers to what is not there, Conflict for a key that was
    used with another text.
    """
    draft = replace(draft, body=text.clean(draft.body))
    text.check(draft.body)
    if draft.key is not None:
        earlier = await idempotency.earlier(tx, author.id, draft.key, draft.request)
        if earlier is not None:
            return await post_queries.visible(tx, earlier, author.id)
    answered = await replies.answered(tx, draft.reply_to, author.id)
    await _let_go(tx, author, draft, now)
    parsed = markup.parse(draft.body)
    mentioned = await users.ids_of(tx, parsed.mentions)
    concerned = {author.id, *mentioned.values()}
    await users.hold(tx, concerned | ({answered.author_id} if answered else set()))
    await tx.execute(_COUNT, {"author": author.id, "more": 1})
    if answered is not None:
        await replies.count(tx, answered.author_id, answered.id, +1)
    search_index.feed_soon(tx, now)
    post_id = await tx.announce_first(events.post_published(author.id))
    await tx.insert(Post, {"id": post_id, **_row(author, draft, answered, now)})
    if draft.key is not None:
        await idempotency.remember(tx, author.id, draft.key, draft.request, post_id, now)
    await _point(tx, post_id, parsed, mentioned)
    await _tell(tx, post_id, author, mentioned, answered, now)
    tx.announce(events.user_changed(author.id))
    return await post_queries.visible(tx, post_id, author.id)


async def _let_go(tx: Tx, author: User, draft: Draft, now: datetime) -> None:
    """Take what was saved of the text away. Before people and the log are locked."""
    if draft.saved is not None:
        context = context_of(draft.reply_to, is_question=draft.title is not None)
        sent = Written(draft.body, draft.title or "")
        await drafts.forget(tx, author.id, context, sent, draft.saved, now)


def _row(author: User, draft: Draft, answered: PostRow | None, now: datetime) -> dict[str, Any]:
    return {
        "author_id": author.id,
        "body": draft.body,
        "visibility": "public",
        "language": draft.language,
        "created_at": now,
        "title": draft.title,
        "question": None if draft.title is None else OPEN,
        "reply_to_id": None if answered is None else answered.id,
        "reply_to_user_id": None if answered is None else answered.author_id,
    }


async def _point(tx: Tx, post_id: int, parsed: Parsed, mentioned: Mapping[str, int]) -> None:
    """Keep which hashtags a post has and whom it mentions."""
    tags = enumerate(parsed.tags)
    await tx.insert(PostTag, *({"tag": t, "post_id": post_id, "position": n} for n, t in tags))
    named = enumerate(mentioned.items())
    await tx.insert(
        Mention,
        *(
            {"post_id": post_id, "user_id": user_id, "username_key": name, "position": number}
            for number, (name, user_id) in named
        ),
    )


async def _tell(
    tx: Tx,
    post_id: int,
    author: User,
    mentioned: Mapping[str, int],
    answered: PostRow | None,
    now: datetime,
) -> None:
    """Notify whom a post answers and whom it mentions, each once."""
    kinds = dict.fromkeys(mentioned.values(), "mention")
    if answered is not None:
        kinds[answered.author_id] = "reply" if answered.question is None else "answer"
    for user_id, kind in kinds.items():
        about_id = None if kind == "mention" or answered is None else answered.id
        told = {"post_id": post_id, "about_id": about_id}
        await notifications.notify(tx, user_id, author.id, kind, now, **told)


async def edit(tx: Tx, author: User, post_id: int, change: Edit, now: datetime) -> PostRow:
    """Let one's own post say something else; return it as it is now.

    What it said is kept beside it, and whom it mentions now and did not before is told. Nothing
    happens where it says that already. Raises NotFound for another's post, as for one that does
    not exist, Changed where it is no longer the version that was read, and Invalid.
    """
    body = text.clean(change.body)
    text.check(body)
    post = await post_queries.own(tx, post_id, author.id)
    if post.version != change.version:
        raise Changed
    new = {
        "body": body,
        "title": post.title if change.title is None else text.clean(change.title),
        "language": change.language or post.language,
    }
    if new == {name: getattr(post, name) for name in new}:
        return post
    await _rewrite(tx, post, new, now)
    tx.announce(events.post_edited(author.id, post_id))
    return await post_queries.visible(tx, post_id, author.id)


async def _rewrite(tx: Tx, post: PostRow, new: Mapping[str, Any], now: datetime) -> None:
    """Put new words into a post, and let all that is made of its words follow."""
    parsed = markup.parse(new["body"])
    mentioned = await users.ids_of(tx, parsed.mentions)
    await users.hold(tx, {post.author_id, *mentioned.values()})
    same = Post.edited_at.is_(None) if post.edited_at is None else Post.edited_at == post.edited_at
    as_read = Post.id == post.id, Post.deleted_at.is_(None), same
    if await tx.change(update(Post).where(*as_read).values(**new, edited_at=now)) != 1:
        raise Changed  # by who was at it at the same time
    search_index.feed_soon(tx, now)
    said = {"post_id": post.id, "title": post.title, "body": post.body}
    await tx.insert(PostVersion, {**said, "written_at": post.edited_at or post.created_at})
    await translations.forget(tx, post.body)
    known = await post_queries.mentioned_in(tx, post.id)
    told = await notification_queries.told_of(tx, post.id)
    await tx.execute(delete(PostTag).where(PostTag.post_id == post.id))
    await tx.execute(delete(Mention).where(Mention.post_id == post.id))
    await _point(tx, post.id, parsed, mentioned)
    for user_id in mentioned.values():
        if user_id not in known | told:
            await notifications.notify(tx, user_id, post.author_id, "mention", now, post_id=post.id)


async def delete_post(tx: Tx, actor: User, post_id: int, now: datetime) -> None:
    """Delete one's own post; raises NotFound for another's, as for one that does not exist.

    The row stays as a tombstone without text; what it said before, its notifications and its
    translations go.
    """
    post = await post_queries.visible(tx, post_id, actor.id)
    if post.author_id != actor.id or not await bury(tx, post, now):
        raise NotFound
    search_index.feed_soon(tx, now)
    tx.announce(events.user_changed(actor.id))


async def bury(tx: Tx, post: PostRow, now: datetime) -> bool:
    """Make a tombstone of a post and tell whoever read it; False where somebody else did just now.

    Then the author's count is one too low. The caller sees to that, tells of the count, and lets
    the search know.
    """
    # The author before the post, as who answers it locks them.
    await tx.execute(_COUNT, {"author": post.author_id, "more": -1})
    statement = (
        update(Post)
        .where(Post.id == post.id, Post.deleted_at.is_(None))
        .values(deleted_at=now, body="", title=None)
    )
    if await tx.change(statement) != 1:
        return False
    if post.reply_to_id is not None and post.reply_to_user_id is not None:
        await replies.count(tx, post.reply_to_user_id, post.reply_to_id, -1)
        await replies.reopen(tx, post.reply_to_user_id, post.reply_to_id, post.id)
    await translations.forget(tx, post.body)
    await tx.execute(delete(PostVersion).where(PostVersion.post_id == post.id))
    await notifications.withdraw_post(tx, post.author_id, post.id)
    tx.announce(events.post_deleted(post.author_id, post.id))
    return True
