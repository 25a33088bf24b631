"""Writing and deleting posts."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, update

from microblog.actions import idempotency, notifications, search_index, translations
from microblog.core import events, markup, text
from microblog.core.errors import NotFound
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

    `language` is a code of `core.languages` (`edge.authoring` finds it), or None.
    """

    body: str
    key: str | None = None
    language: str | None = None


async def publish(tx: Tx, author: User, draft: Draft, now: datetime) -> PostRow:
    """Publish a draft and notify whom it mentions; return the post.

    A draft whose key was used before returns the post of that time; raises Invalid for a body
    that is empty or too long, Conflict for a key that was used with another body.
    """
    body = text.clean(draft.body)
    text.check(body)
    if draft.key is not None:
        earlier = await idempotency.earlier(tx, author.id, draft.key, body)
        if earlier is not None:
            return await post_queries.visible(tx, earlier, author.id)
    parsed = markup.parse(body)
    mentioned = await users.ids_of(tx, parsed.mentions)
    await users.hold(tx, {author.id, *mentioned.values()})
    await tx.execute(_COUNT, {"author": author.id, "more": 1})
    search_index.feed_soon(tx, now)
    post_id = await tx.announce_first(events.post_published(author.id))
    row = {"author_id": author.id, "body": body, "visibility": "public", "created_at": now}
    await tx.insert(Post, {"id": post_id, "language": draft.language, **row})
    if draft.key is not None:
        await idempotency.remember(tx, author.id, draft.key, body, post_id, now)
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
    for user_id in mentioned.values():
        await notifications.notify(tx, user_id, author.id, "mention", now, post_id=post_id)
    tx.announce(events.user_changed(author.id))
    return await post_queries.visible(tx, post_id, author.id)


async def delete_post(tx: Tx, actor: User, post_id: int, now: datetime) -> None:
    """Delete one's own post; raises NotFound for another's, as for one that does not exist.

    The row stays as a tombstone without text; its notifications and translations go.
    """
    written = (await post_queries.visible(tx, post_id, actor.id)).body
    statement = (
        update(Post)
        .where(Post.id == post_id, Post.author_id == actor.id, Post.deleted_at.is_(None))
        .values(deleted_at=now, body="")
    )
    if await tx.change(statement) != 1:
        raise NotFound
    await translations.forget(tx, written)
    await tx.execute(_COUNT, {"author": actor.id, "more": -1})
    gone = delete(Notification).where(Notification.post_id == post_id)
    for user_id in set(await tx.change_telling(gone, Notification.user_id)):
        tx.announce(events.notifications_read(user_id, 0))
    search_index.feed_soon(tx, now)
    tx.announce(events.post_deleted(actor.id, post_id))
    tx.announce(events.user_changed(actor.id))
