"""What administrators did to people, for other administrators to read."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from microblog.models.base import Model


class Deed(Model):
    """One deed of an administrator, or of the owner by a command (`actor_id` None), and why."""

    __tablename__ = "deed"
    __table_args__ = (CheckConstraint("kind IN ('suspend', 'restore')", name="kind"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    subject_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    reason: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
