"""What people have written and not yet sent, to be gone on with on any of their devices."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from microblog.core.drafts import LONGEST_CONTEXT
from microblog.models.base import Model


class SavedDraft(Model):
    """What stands in one of a person's forms: `context` says in which (`core.drafts`).

    `version` counts its changes. Once it is sent the row stays, without text, so that its version
    goes on: what comes late from another tab then cannot bring it back.
    """

    __tablename__ = "draft"
    __table_args__ = (
        Index("ix_draft_pair", "user_id", "context", unique=True),
        # The log names these ids, so none may ever be given out again.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    context: Mapped[str] = mapped_column(String(LONGEST_CONTEXT))
    title: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    language: Mapped[str | None] = mapped_column(String(16))
    version: Mapped[int]
    updated_at: Mapped[datetime]
