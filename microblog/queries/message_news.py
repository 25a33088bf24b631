"""What the log tells one of the two people of a private message."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import bindparam, select

from microblog.core.events import Kind, LoggedEvent
from microblog.database import Read
from microblog.queries.messages import (
    MESSAGE,
    ConversationRow,
    MessageRow,
    by_pairs,
    message_table,
    unread,
)

_BY_IDS = select(*MESSAGE).where(message_table.c.id.in_(bindparam("ids", expanding=True)))


class News(NamedTuple):
    """What an event tells one person: a message, unless it is gone, and what is so around it.

    `unread` is the number of all messages that are unread.
    """

    message: MessageRow | None
    conversation: ConversationRow | None
    unread: int


async def news(read: Read, events: Iterable[LoggedEvent]) -> dict[int, News]:
    """Return what events of messages tell those whom they concern, by the event's id.

    Three statements for all of them; none where no event is of messages.
    """
    told = [event for event in events if event.user_id is not None and event.ref_id is not None]
    ids = {event.ref_id for event in told if event.kind is not Kind.CONVERSATION_CHANGED}
    found = await read.execute(_BY_IDS, {"ids": list(ids)}) if ids else ()
    known = {row[0]: MessageRow._make(row) for row in found}
    pairs = {event.id: _pair_of(event, known) for event in told}
    sides_of = await by_pairs(read, {each for each in pairs.values() if each is not None})
    counts = await unread(read, {event.user_id for event in told if event.user_id is not None})
    made = {}
    for event in told:
        both = pairs[event.id]
        side = sides_of.get(both) if both is not None else None
        message = known.get(event.ref_id or 0) if event.kind is Kind.MESSAGED else None
        if message is not None and not _is_there(message, event.user_id or 0, side):
            message = None
        made[event.id] = News(message, side, counts.get(event.user_id or 0, 0))
    return made


def _pair_of(event: LoggedEvent, known: dict[int, MessageRow]) -> tuple[int, int] | None:
    if event.user_id is None or event.ref_id is None:
        return None
    if event.kind is Kind.CONVERSATION_CHANGED:
        return event.user_id, event.ref_id
    message = known.get(event.ref_id)
    return None if message is None else (event.user_id, message.other_of(event.user_id))


def _is_there(message: MessageRow, user_id: int, side: ConversationRow | None) -> bool:
    cleared_to = 0 if side is None else side.cleared_to
    return message.id > cleared_to and not message.is_gone_for(user_id)
