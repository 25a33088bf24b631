"""Posts with their hashtags, the people they mention, and what they said before."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from microblog.models.base import Id, Model
from microblog.models.search import Searchable
from microblog.models.users import User


class Post(Searchable, Model):
    """A post. Its id is the id of the event that published it.

    A deleted post stays as a tombstone without text until the log that speaks of it is pruned:
    that is how its deletion reaches those who could see it.

    A question is a post with a title; `question` says whether it is "open" or "answered", and
    `accepted_id` which answer its asker took. An answer is a reply. `reply_to_id` names a post
    that may be gone, and `reply_to_user_id` who wrote that: a reply outlives what it answers.
    `reply_count` is kept with the replies it counts.
    """

    __tablename__ = "post"
    __searchable__ = ("title", "body")
    __table_args__ = (
        Index("ix_post_author_id_id", "author_id", "id"),
        Index(
            "ix_post_reply_to_id_id",
            "reply_to_id",
            "id",
            sqlite_where=text("reply_to_id IS NOT NULL"),
            postgresql_where=text("reply_to_id IS NOT NULL"),
        ),
        Index(
            "ix_post_question_id",
            "question",
            "id",
            sqlite_where=text("question IS NOT NULL"),
            postgresql_where=text("question IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    author_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    body: Mapped[str] = mapped_column(Text)
    visibility: Mapped[str] = mapped_column(String(16), default="public")
    language: Mapped[str | None] = mapped_column(String(16))
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]
    title: Mapped[str | None] = mapped_column(Text)
    question: Mapped[str | None] = mapped_column(String(8))
    accepted_id: Mapped[int | None]
    edited_at: Mapped[datetime | None]
    reply_to_id: Mapped[int | None]
    reply_to_user_id: Mapped[int | None]
    reply_count: Mapped[int] = mapped_column(default=0, server_default="0")

    author: Mapped[User] = relationship(lazy="raise")
    tags: Mapped[list["PostTag"]] = relationship(
        lazy="raise", order_by="PostTag.position", passive_deletes=True
    )
    mentions: Mapped[list["Mention"]] = relationship(
        lazy="raise", order_by="Mention.position", passive_deletes=True
    )


class PostVersion(Model):
    """What a post said until it was edited, and since when. All go when the post is deleted."""

    __tablename__ = "post_version"
    __table_args__ = (Index("ix_post_version_post_id_id", "post_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("post.id", ondelete="CASCADE"))
    title: Mapped[str | None] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    written_at: Mapped[datetime]


class PostTag(Model):
    """A hashtag of a post, in the folded form by which it is found."""

    __tablename__ = "post_tag"

    tag: Mapped[str] = mapped_column(String(200), primary_key=True)
    post_id: Mapped[int] = mapped_column(
        ForeignKey("post.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    position: Mapped[int]


class Mention(Model):
    """Someone whom a post mentions."""

    __tablename__ = "mention"

    post_id: Mapped[int] = mapped_column(
        ForeignKey("post.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    username_key: Mapped[str] = mapped_column(String(30))
    position: Mapped[int]
