"""Private messages, and each side's view of its conversations."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from microblog.models.base import Model

_UNREAD = text("unread_count > 0")


class Message(Model):
    """What one of two people wrote to the other, until it is gone for both.

    The two are `low_id` and `high_id`, so that a conversation is one run of the index whoever
    reads it. Ids of a conversation rise in the order in which commits became visible.
    """

    __tablename__ = "message"
    __table_args__ = (
        CheckConstraint("low_id < high_id", name="two_people"),
        Index("ix_message_low_id_high_id_id", "low_id", "high_id", "id"),
        Index("ix_message_high_id", "high_id"),
        # The log names these ids, so none may ever be given out again.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    low_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    high_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    sender_id: Mapped[int]
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    gone_for_sender: Mapped[bool] = mapped_column(default=False)
    gone_for_recipient: Mapped[bool] = mapped_column(default=False)


class ConversationSide(Model):
    """A conversation as `user_id` has it. Kept with the messages, in the same transaction.

    `last_id` is the newest message that is there for them, 0 without any; those up to `cleared_to`
    are gone for them. They have read up to `read_to`, of which the other may know up to `seen_to`.
    """

    __tablename__ = "conversation_side"
    __table_args__ = (
        Index("ix_conversation_side_user_id_last_id", "user_id", "last_id"),
        Index(
            "ix_conversation_side_unread",
            "user_id",
            "unread_count",
            sqlite_where=_UNREAD,
            postgresql_where=_UNREAD,
        ),
        Index("ix_conversation_side_other_id", "other_id"),
    )

    user_id: Mapped[int] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    other_id: Mapped[int] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    last_id: Mapped[int] = mapped_column(default=0)
    unread_count: Mapped[int] = mapped_column(default=0)
    read_to: Mapped[int] = mapped_column(default=0)
    seen_to: Mapped[int] = mapped_column(default=0)
    cleared_to: Mapped[int] = mapped_column(default=0)
