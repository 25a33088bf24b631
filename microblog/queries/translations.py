"""What has been translated before."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, select

from microblog.database import Read
from microblog.models import Translation, table

_kept = table(Translation)
_FOUND = select(_kept.c.text, _kept.c.detected, _kept.c.target, _kept.c.provider).where(
    _kept.c.text_digest == bindparam("digest"),
    _kept.c.source == bindparam("source"),
    _kept.c.target == bindparam("target"),
)


class TranslationRow(NamedTuple):
    """A translated text, from one language to another, and who translated it."""

    text: str
    source: str
    target: str
    provider: str


async def find(read: Read, digest: bytes, source: str, target: str) -> TranslationRow | None:
    """Return what a text was translated to, or None."""
    pair = {"source": source, "target": target}
    row = (await read.execute(_FOUND, {"digest": digest, **pair})).one_or_none()
    return None if row is None else TranslationRow._make(row)


async def surplus_from(read: Read, most: int) -> datetime | None:
    """Return when the newest was made of those that are one too many; None while there is room."""
    newest_first = select(_kept.c.created_at).order_by(_kept.c.created_at.desc())
    found: datetime | None = await read.scalar(newest_first.offset(most).limit(1))
    return found
