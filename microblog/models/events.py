"""The log of events, and what identifies this microblog's history. Written by `database`."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from microblog.models.base import Model


class EventRow(Model):
    """An event of the log. References only, without foreign keys: the log outlives the things."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_user_id_id", "user_id", "id"),
        Index("ix_event_actor_id_id", "actor_id", "id"),
        Index("ix_event_created_at", "created_at"),
        # Numbers that were pruned or rolled back must never come again.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(32))
    actor_id: Mapped[int]
    user_id: Mapped[int | None]
    ref_id: Mapped[int | None]
    created_at: Mapped[datetime]


class History(Model):
    """The one row that says which history the log tells, and up to where it was pruned."""

    __tablename__ = "history"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[str] = mapped_column(String(32))
    pruned_to: Mapped[int] = mapped_column(default=0)
