"""What someone is told of."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from microblog.models.base import Model

_KINDS = "kind IN ('follow', 'mention', 'reply', 'answer', 'accepted', 'message', 'job')"


class NotificationGroup(Model):
    """One item of somebody's list: the notifications that are told together.

    `subject_id` says what they are about (`core.notices.subject`). `position` is the id of the
    newest that ever was in it; lists are in that order. One without notifications is no item.
    """

    __tablename__ = "notification_group"
    __table_args__ = (
        CheckConstraint(_KINDS, name="kind"),
        Index("ix_notification_group_user_id_position", "user_id", "position"),
        Index("ix_notification_group_subject", "user_id", "kind", "subject_id", "position"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[int]
    position: Mapped[int]


class Notification(Model):
    """Something that `actor_id` did and that concerns `user_id`; unread while `read_at` is empty.

    A job's is the owner's own doing. Unread rows are what the badge counts.
    """

    __tablename__ = "notification"
    __table_args__ = (
        CheckConstraint(_KINDS, name="kind"),
        Index("ix_notification_group_id_id", "group_id", "id"),
        Index("ix_notification_actor_id_user_id", "actor_id", "user_id"),
        Index("ix_notification_post_id", "post_id"),
        Index(
            "ix_notification_user_id_read_at",
            "user_id",
            "read_at",
            sqlite_where=text("read_at IS NULL"),
            postgresql_where=text("read_at IS NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("notification_group.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    actor_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))
    post_id: Mapped[int | None] = mapped_column(ForeignKey("post.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]


class SilencedKind(Model):
    """A kind of notification that a person does not want to be told of."""

    __tablename__ = "silenced_kind"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
