"""What a translator has answered, kept so that nobody pays twice."""

from datetime import datetime

from sqlalchemy import LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from microblog.models.base import Model


class Translation(Model):
    """A translated text, by the SHA-256 of the original and the pair of languages.

    `source` is what the service was told; `detected` what it found where it was told "und".
    """

    __tablename__ = "translation"

    text_digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    source: Mapped[str] = mapped_column(String(16), primary_key=True)
    target: Mapped[str] = mapped_column(String(16), primary_key=True)
    detected: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)
    provider: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(index=True)
