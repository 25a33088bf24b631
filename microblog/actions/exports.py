"""Asking for everything that is one's own."""

from microblog.core.tasks import ExportPosts
from microblog.core.tokens import digest
from microblog.database import Tx
from microblog.models import User
from microblog.queries import jobs


async def start(tx: Tx, person: User) -> None:
    """Let a person's export be made; does nothing where one is being made already."""
    key = f"export:{person.id}"
    await tx.lock_name(digest(key))
    latest = await jobs.latest(tx, person.id, ExportPosts.kind)
    if latest is None or not latest.is_unfinished:
        tx.enqueue(ExportPosts(person.id), key=key, user_id=person.id)
