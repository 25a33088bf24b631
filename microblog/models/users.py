"""People and whom they follow."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from microblog.models.base import Model
from microblog.models.search import Searchable


class User(Searchable, Model):
    """A person with an account.

    The `_key` columns hold the case-folded form. Usernames are unique in it; addresses are not, as
    long as nobody has proved that one is theirs, since a refusal would tell who has an account.
    `email_confirmed_at` says when that was proved; an address is proved by one account at most.
    `avatar` names the picture that the person gave; without one it is drawn from the name.
    `messages_from` says whose messages they take (`core.messages.Welcome`). With `read_marks` and
    `typing_shown` others may know what they have read and that they write; both go both ways.
    Whoever has `deactivated_at` is not there for anybody; `left_because` says why (`core.leaving`).
    Counts are kept with the rows they count, in the same transaction.
    """

    __tablename__ = "user"
    __searchable__ = ("username", "display_name", "about_me")
    __table_args__ = (
        CheckConstraint("role IN ('member', 'admin')", name="role"),
        Index("ix_user_follower_count_id", "follower_count", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    username: Mapped[str] = mapped_column(String(30))
    username_key: Mapped[str] = mapped_column(String(30), unique=True)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), index=True)
    email_confirmed_at: Mapped[datetime | None]
    password_hash: Mapped[str] = mapped_column(String(60))
    display_name: Mapped[str] = mapped_column(String(800), default="")
    about_me: Mapped[str] = mapped_column(Text, default="")
    avatar: Mapped[str | None] = mapped_column(String(16))
    role: Mapped[str] = mapped_column(String(16), default="member")
    language: Mapped[str | None] = mapped_column(String(16))
    theme: Mapped[str | None] = mapped_column(String(8))
    messages_from: Mapped[str] = mapped_column(String(8), default="all", server_default="all")
    read_marks: Mapped[bool] = mapped_column(default=True, server_default="1")
    typing_shown: Mapped[bool] = mapped_column(default=True, server_default="1")
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    post_count: Mapped[int] = mapped_column(default=0)
    follower_count: Mapped[int] = mapped_column(default=0)
    following_count: Mapped[int] = mapped_column(default=0)
    deactivated_at: Mapped[datetime | None]
    left_because: Mapped[str | None] = mapped_column(String(16))
    renamed_at: Mapped[datetime | None]

    @property
    def name(self) -> str:
        """How the person is called in a sentence."""
        return self.display_name or self.username

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"


class FormerName(Model):
    """A username that a person had: nobody else can take it, and it leads to them."""

    __tablename__ = "former_name"

    username_key: Mapped[str] = mapped_column(String(30), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    given_up_at: Mapped[datetime]


class Follow(Model):
    """`follower_id` reads `followed_id`. `id` rises in the order of following, to page by."""

    __tablename__ = "follow"
    __table_args__ = (
        Index("ix_follow_pair", "follower_id", "followed_id", unique=True),
        Index("ix_follow_followed_id_id", "followed_id", "id"),
        Index("ix_follow_follower_id_id", "follower_id", "id"),
        CheckConstraint("follower_id <> followed_id", name="not_self"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    follower_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    followed_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
