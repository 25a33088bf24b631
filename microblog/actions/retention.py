"""Forgetting what is no longer needed: old events, tombstones, spent keys, expired sessions,
old translations, finished jobs.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, update

from microblog.actions import devices, jobs, links, notifications, program_tokens, sessions
from microblog.database import Tx
from microblog.models import EventRow, History, IdempotencyKey, Post, Translation, Try
from microblog.queries import retention

KEYS_KEPT = timedelta(days=1)
TRIES_KEPT = timedelta(hours=2)
TRANSLATIONS_KEPT = timedelta(days=30)
JOBS_KEPT, DEAD_JOBS_KEPT = timedelta(days=7), timedelta(days=30)
DEVICES_KEPT = timedelta(days=400)


async def prune(tx: Tx, now: datetime, *, keep_days: int, keep_events: int) -> int:
    """Delete what is past its time and return the id up to which the log is gone.

    The newest event always stays: it is the position that new pages start from. Clients with an
    older position than the returned one are told to resync.
    """
    limit = await retention.prunable_to(tx, now - timedelta(days=keep_days), keep_events)
    if limit:
        await tx.execute_aside(delete(EventRow).where(EventRow.id <= limit))
        await tx.execute(update(History).values(pruned_to=limit))
    unmentioned = await retention.unmentioned_tombstones(tx)
    if unmentioned:
        await tx.execute_aside(delete(Post).where(Post.id.in_(unmentioned)))
    await tx.execute_aside(
        delete(IdempotencyKey).where(IdempotencyKey.created_at < now - KEYS_KEPT)
    )
    await tx.execute_aside(delete(Try).where(Try.created_at < now - TRIES_KEPT))
    await tx.execute_aside(
        delete(Translation).where(Translation.created_at < now - TRANSLATIONS_KEPT)
    )
    await sessions.delete_expired(tx, now)
    await program_tokens.revoke_expired(tx, now)
    await jobs.forget_finished(tx, now, done=JOBS_KEPT, dead=DEAD_JOBS_KEPT)
    await links.delete_expired(tx, now)
    await notifications.forget_empty(tx)
    await devices.forget_unseen(tx, now - DEVICES_KEPT)
    return limit
