"""The pictures that people gave of themselves."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from microblog.models.base import Model


class Avatar(Model):
    """A person's picture in one size: a square of `size` pixels, as WebP.

    `name` says which picture it is; both sizes have the same, and `user.avatar` too.
    """

    __tablename__ = "avatar"
    __table_args__ = (CheckConstraint("size IN (96, 400)", name="size"),)

    user_id: Mapped[int] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    size: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(16))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
