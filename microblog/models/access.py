"""What lets someone in: browser sessions, API tokens, counted tries, and spent requests."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from microblog.models.base import Model


class Session(Model):
    """A browser that is signed in. Only the SHA-256 of its token is kept."""

    __tablename__ = "session"
    # The log names these ids, so none may ever be given out again.
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    token_digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    remembered: Mapped[bool]
    device: Mapped[str] = mapped_column(String(200), default="")


class TokenFamily(Model):
    """One way in of a program. Either a sign-in, the chain of refresh tokens that began with a
    password; or a token that a person made for it, with a name, scopes and the token's SHA-256.
    """

    __tablename__ = "token_family"
    # The log names these ids, so none may ever be given out again.
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    device: Mapped[str] = mapped_column(String(200), default="")
    name: Mapped[str | None] = mapped_column(String(960))
    scopes: Mapped[str | None] = mapped_column(String(60))  # divided by spaces; None: everything
    token_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32), index=True, unique=True)
    expires_at: Mapped[datetime | None]


class RefreshToken(Model):
    """A refresh token, by its SHA-256. Spent once; its successor is derived from it."""

    __tablename__ = "refresh_token"

    token_digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    family_id: Mapped[int] = mapped_column(
        ForeignKey("token_family.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    spent_at: Mapped[datetime | None]


class Try(Model):
    """One counted try at a door, by the digest of what is limited (an account, an address)."""

    __tablename__ = "try"
    __table_args__ = (Index("ix_try_key_created_at", "key", "created_at"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    key: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime] = mapped_column(index=True)


class IdempotencyKey(Model):
    """A creating request that was carried out, so that its repetition returns the same thing."""

    __tablename__ = "idempotency_key"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    request_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    ref_id: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(index=True)
