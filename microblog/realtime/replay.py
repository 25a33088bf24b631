"""Events after a cursor, as one viewer may see them now, read from the log itself."""

from dataclasses import dataclass

from microblog.core import cursors
from microblog.database import Read
from microblog.queries import events
from microblog.queries.events import Delivery, Head
from microblog.realtime.listeners import Listener

PAGE_EVENTS = 50
FURTHEST_BEHIND = 20_000


@dataclass(frozen=True, slots=True)
class Start:
    """Where a connection starts, and why it cannot start where the client asked (or None)."""

    head: Head
    cursor: int
    resync: str | None


async def start(read: Read, since: str | None, epoch: str | None) -> Start:
    """Decide where a client that knows `since` of history `epoch` goes on.

    Without `since` it starts at the end of the log. A position that is malformed, of another
    history, beyond the end, pruned, or too far behind gets a reason to resync, never a gap.
    """
    head = await events.head(read)
    try:
        cursor = cursors.parse(since)
    except ValueError:
        return Start(head, head.cursor, "malformed")
    if cursor is None:
        return Start(head, head.cursor, None)
    reason = await _why_not(read, head, cursor, epoch)
    return Start(head, head.cursor if reason else cursor, reason)


async def _why_not(read: Read, head: Head, cursor: int, epoch: str | None) -> str | None:
    if epoch is not None and epoch != head.epoch:
        return "epoch"
    if cursor > head.cursor:
        return "future"
    if cursor < head.pruned_to:
        return "expired"
    if await events.count_between(read, cursor, FURTHEST_BEHIND + 1) > FURTHEST_BEHIND:
        return "behind"
    return None


async def page(read: Read, listener: Listener, until: int) -> tuple[list[Delivery], int]:
    """Return the next deliveries of a listener up to the id `until`, and its new cursor."""
    found = await events.concerning(
        read, listener.viewer_id, listener.topics, (listener.cursor, until), PAGE_EVENTS
    )
    viewers = frozenset() if listener.viewer_id is None else frozenset({listener.viewer_id})
    deliveries = await events.deliveries(read, found, viewers)
    cursor = found[-1].id if len(found) == PAGE_EVENTS else until
    concerned = [d for d in deliveries if d.concerns(listener.viewer_id, listener.topics)]
    return concerned, cursor
