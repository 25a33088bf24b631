"""Writing, reading and deleting private messages.

A conversation is locked by its name while it changes: its ids rise in the order of the commits,
and each side's counts are what its rows say.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, update

from microblog.actions import idempotency, message_index, notifications
from microblog.core import events, messages
from microblog.core.errors import Forbidden, Invalid, NotFound, message
from microblog.core.messages import Welcome
from microblog.core.tokens import digest
from microblog.database import Tx
from microblog.models import ConversationSide, Message, User
from microblog.queries import correspondents, users
from microblog.queries import messages as message_queries
from microblog.queries.messages import MessageRow, pair

TAKES_NONE = message("This person takes no messages of yours.")
HAS_LEFT = message("This person has left, so nobody can write to them any more.")
KIND = "message"
AT_ONCE = 500  # rows in one statement


@dataclass(frozen=True, slots=True)
class Letter:
    """What someone wants to send. `key` makes a repeated request send it once."""

    body: str
    key: str | None = None


async def send(tx: Tx, sender: User, other: User, letter: Letter, now: datetime) -> MessageRow:
    """Send a message and tell both people; return it.

    A letter whose key was used before returns the message of that time. Raises Invalid for a text
    that is empty or too long, Forbidden where the other takes none of the sender's, Conflict for
    a key that was used with another text.
    """
    body = messages.clean(letter.body)
    messages.check(body)
    request = json.dumps([KIND, other.id, body])
    if letter.key is not None:
        earlier = await idempotency.earlier(tx, sender.id, letter.key, request)
        if earlier is not None:
            return await message_queries.own(tx, sender.id, earlier)
    if other.deactivated_at is not None:
        raise Forbidden(HAS_LEFT)
    if not (await correspondents.ways(tx, sender, other)).there:
        raise Forbidden(TAKES_NONE)
    await _hold(tx, sender.id, other.id)
    await users.hold(tx, {sender.id, other.id})
    row = await _write(tx, sender.id, other.id, body, now)
    if letter.key is not None:
        await idempotency.remember(tx, sender.id, letter.key, request, row.id, now)
    await message_index.put(tx, row)
    await notifications.notify(tx, other.id, sender.id, KIND, now)
    for user_id in (other.id, sender.id):
        tx.announce(events.messaged(sender.id, user_id, row.id))
    return row


async def _write(tx: Tx, sender_id: int, other_id: int, body: str, now: datetime) -> MessageRow:
    low, high = pair(sender_id, other_id)
    written = Message(low_id=low, high_id=high, sender_id=sender_id, body=body, created_at=now)
    written.gone_for_sender = written.gone_for_recipient = False
    tx.add(written)
    await tx.flush()
    sides = await message_queries.sides(tx, sender_id, other_id)
    for user_id in (sender_id, other_id):
        side = sides.get(user_id)
        if side is None:
            zero = dict.fromkeys(("unread_count", "read_to", "seen_to", "cleared_to"), 0)
            whose = {"user_id": user_id, "other_id": low + high - user_id}
            side = ConversationSide(**whose, **zero)
            tx.add(side)
        side.last_id = written.id
        side.unread_count += 1 if user_id == other_id else 0
    await tx.flush()
    return MessageRow(written.id, low, high, sender_id, body, now, False, False)


async def mark_read(tx: Tx, reader: User, other: User, up_to: int | None, now: datetime) -> None:
    """Keep that one has read a conversation up to a message, or all of it.

    The other is told, where both let it be known. What is read already stays read.
    """
    await _hold(tx, reader.id, other.id)
    sides = await message_queries.sides(tx, reader.id, other.id)
    side = sides.get(reader.id)
    if side is None:
        return
    read_to = side.last_id if up_to is None else min(up_to, side.last_id)
    if read_to <= side.read_to:
        return
    left = await message_queries.count_unread(tx, reader.id, other.id, read_to)
    side.read_to, side.unread_count = read_to, left
    tx.announce(events.conversation_changed(reader.id, reader.id, other.id))
    if reader.read_marks and other.read_marks:
        side.seen_to = read_to
        tx.announce(events.conversation_changed(reader.id, other.id, reader.id))
    if not left:
        await notifications.mark_messages_read(tx, reader.id, other.id, now)


async def delete_message(tx: Tx, user: User, message_id: int, other_id: int) -> None:
    """Delete a message for oneself; the other keeps theirs. When nobody has it any more, it goes.

    Raises NotFound for what one has not, or not of a conversation with `other_id`.
    """
    await _hold(tx, user.id, other_id)
    row = await message_queries.own(tx, user.id, message_id)
    if row.other_of(user.id) != other_id:
        raise NotFound
    sides = await message_queries.sides(tx, user.id, other_id)
    side, theirs = sides[user.id], sides.get(other_id)
    if row.is_gone_for(other_id) or (theirs is not None and row.id <= theirs.cleared_to):
        await tx.execute(delete(Message).where(Message.id == row.id))
        await message_index.remove(tx, [row.id])
    else:
        mine = "gone_for_sender" if row.sender_id == user.id else "gone_for_recipient"
        await tx.execute(update(Message).where(Message.id == row.id).values({mine: True}))
    if row.id == side.last_id:
        side.last_id = await message_queries.newest(tx, user.id, other_id, side.cleared_to)
    if row.sender_id == other_id and row.id > side.read_to:
        side.unread_count -= 1
    tx.announce(events.message_deleted(user.id, row.id))
    tx.announce(events.conversation_changed(user.id, user.id, other_id))


async def clear(tx: Tx, user: User, other_id: int, now: datetime) -> None:
    """Delete a whole conversation for oneself; raises NotFound where there is none."""
    await _hold(tx, user.id, other_id)
    sides = await message_queries.sides(tx, user.id, other_id)
    side, theirs = sides.get(user.id), sides.get(other_id)
    if side is None or not side.last_id:
        raise NotFound
    side.cleared_to = side.read_to = side.last_id
    side.last_id = side.unread_count = 0
    await tx.flush()
    await _forget(tx, user.id, other_id, side.cleared_to, theirs.cleared_to if theirs else 0)
    await notifications.mark_messages_read(tx, user.id, other_id, now)
    tx.announce(events.conversation_changed(user.id, user.id, other_id))


async def erase(tx: Tx, user_id: int, other_id: int) -> None:
    """Let all be gone that somebody has of a conversation, and what they wrote for the other too.

    For who leaves for good; the other keeps what they wrote themselves.
    """
    await _hold(tx, user_id, other_id)
    sides = await message_queries.sides(tx, user_id, other_id)
    low, high = pair(user_id, other_id)
    received = {"low_id": low, "high_id": high, "sender_id": other_id}
    await tx.execute(update(Message).filter_by(**received).values(gone_for_recipient=True))
    theirs = sides.get(other_id)
    ids = await message_queries.erasable(tx, user_id, other_id, theirs.cleared_to if theirs else 0)
    await _remove(tx, ids)
    await tx.execute(delete(ConversationSide).filter_by(user_id=user_id, other_id=other_id))
    if theirs is not None:
        last_id = await message_queries.newest(tx, other_id, user_id, theirs.cleared_to)
        theirs.last_id, theirs.unread_count = last_id, 0
        await tx.flush()
        tx.announce(events.conversation_changed(user_id, other_id, user_id))


async def _forget(tx: Tx, user_id: int, other_id: int, mine: int, theirs: int) -> None:
    """Delete the rows of a conversation that are gone for both: up to `mine` for one, up to
    `theirs` or by themselves for the other.
    """
    await _remove(tx, await message_queries.gone_for_both(tx, user_id, other_id, mine, theirs))


async def _remove(tx: Tx, ids: Sequence[int]) -> None:
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        await tx.execute(delete(Message).where(Message.id.in_(some)))
        await message_index.remove(tx, some)


@dataclass(frozen=True, slots=True)
class Choices:
    """Whose messages a person takes, and what others may know of their reading and writing."""

    messages_from: str
    read_marks: bool
    typing_shown: bool


async def choose(tx: Tx, user: User, choices: Choices) -> None:
    """Keep a person's choices; raises Invalid for the field `messages_from`."""
    if choices.messages_from not in set(Welcome):
        raise Invalid({"messages_from": [message("Choose one of these.")]})
    values = {name: getattr(choices, name) for name in Choices.__slots__}
    await tx.execute(update(User).where(User.id == user.id).values(values))


async def _hold(tx: Tx, one_id: int, other_id: int) -> None:
    low, high = pair(one_id, other_id)
    await tx.lock_name(digest(f"messages:{low}:{high}"))
