"""Keeping what was translated, as long as its original is there and there is room."""

from datetime import datetime

from sqlalchemy import delete

from microblog.core.tokens import digest
from microblog.database import Tx
from microblog.models import Translation
from microblog.queries import translations
from microblog.queries.translations import TranslationRow


async def remember(
    tx: Tx, original: str, source: str, made: TranslationRow, now: datetime, *, most: int
) -> None:
    """Keep a translation of a text that is asked for as `source`; the oldest beyond `most` go."""
    key = digest(original)
    await tx.lock_name(key)
    if most and await translations.find(tx, key, source, made.target) is None:
        row = {"text_digest": key, "source": source, "target": made.target, "created_at": now}
        row |= {"detected": made.source}
        await tx.insert(Translation, {**row, "text": made.text, "provider": made.provider})
    surplus = await translations.surplus_from(tx, most)
    if surplus is not None:
        await tx.execute(delete(Translation).where(Translation.created_at <= surplus))


async def forget(tx: Tx, original: str) -> None:
    """Forget all translations of a text: it was deleted."""
    await tx.execute(delete(Translation).where(Translation.text_digest == digest(original)))
