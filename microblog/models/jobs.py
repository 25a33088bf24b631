"""Work that is done behind the pages. Written by `database` and `actions.jobs`."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from microblog.models.base import Model


class Job(Model):
    """A task, and how far it has come.

    `due_at` is when a worker may take it: of one that waits, not before then; of one that runs,
    when it counts as abandoned, which its worker keeps putting off; empty once it is finished.
    So what waits and what a dead worker left are found by one look at one small index.
    `claimed_by` and `attempt` together name one run. `unfinished_key` is the key until the end;
    `again` says that the same was wanted once more while it ran already.
    """

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint(
            "state IN ('waiting', 'running', 'cancelling', 'done', 'dead', 'cancelled')",
            name="state",
        ),
        Index(
            "ix_job_due_at",
            "due_at",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        # The log names these ids, so none may ever be given out again.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(32))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    key: Mapped[str | None] = mapped_column(String(200))
    unfinished_key: Mapped[str | None] = mapped_column(String(200), unique=True)
    user_id: Mapped[int | None] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), index=True
    )
    state: Mapped[str] = mapped_column(String(16))
    again: Mapped[bool]
    attempt: Mapped[int]
    progress: Mapped[int]
    due_at: Mapped[datetime | None]
    claimed_by: Mapped[str | None] = mapped_column(String(100))
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
