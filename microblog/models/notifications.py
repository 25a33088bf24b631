"""What someone is told of."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from microblog.models.base import Model
from microblog.models.posts import Post
from microblog.models.users import User


class Notification(Model):
    """Something that `actor` did and that concerns `user_id`; unread while `read_at` is empty."""

    __tablename__ = "notification"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('follow', 'mention', 'reply', 'answer', 'accepted', 'message', 'job')",
            name="kind",
        ),
        Index("ix_notification_user_id_id", "user_id", "id"),
        Index(
            "ix_notification_unread",
            "user_id",
            sqlite_where=text("read_at IS NULL"),
            postgresql_where=text("read_at IS NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    actor_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))
    post_id: Mapped[int | None] = mapped_column(ForeignKey("post.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]

    actor: Mapped[User] = relationship(lazy="raise", foreign_keys=[actor_id])
    post: Mapped[Post | None] = relationship(lazy="raise")
