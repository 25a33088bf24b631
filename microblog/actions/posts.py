"""Writing and deleting posts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, update

from microblog.actions import idempotency, notifications, replies, search_index, translations
from microblog.core import events, markup, text
from microblog.core.errors import NotFound
from microblog.core.markup import Parsed
from microblog.core.questions import OPEN
from microblog.database import Tx
from microblog.models import Mention, Notification, Post, PostTag, User, table
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
    of the post that it answers. With a `title` it is a question.
    """

    body: str
    key: str | None = None
    language: str | None = None
    reply_to: int | None = None
    title: str | None = None

    @property
    def request(self) -> str:
        """What a repetition has to say again to be one."""
        if self.reply_to is None and self.title is None:
            return self.body
        return json.dumps([self.body, self.reply_to, self.title])


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
        await notifications.notify(tx, user_id, author.id, kind, now, post_id=post_id)


async def delete_post(tx: Tx, actor: User, post_id: int, now: datetime) -> None:
    """Delete one's own post; raises NotFound for another's, as for one that does not exist.

    The row stays as a tombstone without text; its notifications and translations go.
    """
    post = await post_queries.visible(tx, post_id, actor.id)
    # The author before the post, as who answers it locks them.
    await tx.execute(_COUNT, {"author": actor.id, "more": -1})
    statement = (
        update(Post)
        .where(Post.id == post_id, Post.author_id == actor.id, Post.deleted_at.is_(None))
        .values(deleted_at=now, body="", title=None)
    )
    if await tx.change(statement) != 1:
        raise NotFound
    if post.reply_to_id is not None and post.reply_to_user_id is not None:
        await replies.count(tx, post.reply_to_user_id, post.reply_to_id, -1)
        await replies.reopen(tx, post.reply_to_user_id, post.reply_to_id, post_id)
    await translations.forget(tx, post.body)
    gone = delete(Notification).where(Notification.post_id == post_id)
    for user_id in set(await tx.change_telling(gone, Notification.user_id)):
        tx.announce(events.notifications_read(user_id, 0))
    search_index.feed_soon(tx, now)
    tx.announce(events.post_deleted(actor.id, post_id))
    tx.announce(events.user_changed(actor.id))
