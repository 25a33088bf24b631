"""Private messages: conversations and their pages.

`HAS` alone says which messages somebody has: pages, the API, search, exports and the log use it.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
)

from microblog.core.cursors import Page, Window
from microblog.core.errors import NotFound
from microblog.database import Read
from microblog.models import ConversationSide, Message, table
from microblog.queries.paging import turn, within
from microblog.queries.rows import PERSON, Person, person_table
from microblog.queries.visibility import VIEWER

message_table = table(Message)
side_table = table(ConversationSide)
_message, _side = message_table.c, side_table.c
_me, _theirs = person_table.alias("me"), side_table.alias("theirs")


class MessageRow(NamedTuple):
    """A private message."""

    id: int
    low_id: int
    high_id: int
    sender_id: int
    body: str
    created_at: datetime
    gone_for_sender: bool
    gone_for_recipient: bool

    def other_of(self, user_id: int) -> int:
        """Return the other one of the two."""
        return self.low_id + self.high_id - user_id

    def is_gone_for(self, user_id: int) -> bool:
        """Whether this person deleted it by itself, not with the whole conversation."""
        return self.gone_for_sender if user_id == self.sender_id else self.gone_for_recipient


class ConversationRow(NamedTuple):
    """A conversation as `user_id` has it, with its newest message.

    `seen_to` is up to where the other has read, as far as both let that be known.
    """

    user_id: int
    last_id: int
    unread_count: int
    read_to: int
    cleared_to: int
    seen_to: int
    other_left: bool
    other: Person
    last: MessageRow | None


def pair(one_id: int, other_id: int) -> tuple[int, int]:
    """Return two people as a conversation names them, the lower id first."""
    return min(one_id, other_id), max(one_id, other_id)


# --- What somebody has --------------------------------------------------------------------------

NOT_GONE = or_(
    and_(_message.sender_id == VIEWER, _message.gone_for_sender.is_(False)),
    and_(_message.sender_id != VIEWER, _message.gone_for_recipient.is_(False)),
)
"""The condition under which `VIEWER`, one of the two, did not delete a message by itself."""

HAS = and_(
    or_(_message.low_id == VIEWER, _message.high_id == VIEWER),
    NOT_GONE,
    _message.id
    > func.coalesce(
        select(_side.cleared_to)
        .where(
            _side.user_id == VIEWER,
            _side.other_id == _message.low_id + _message.high_id - VIEWER,
        )
        .correlate(message_table)
        .scalar_subquery(),
        0,
    ),
)
"""The condition under which `VIEWER` has a message."""

MESSAGE = tuple(_message[name] for name in MessageRow._fields)
_SEEN_TO = case(
    (and_(_me.c.read_marks, person_table.c.read_marks), func.coalesce(_theirs.c.seen_to, 0)),
    else_=0,
)
_CONVERSATIONS = (
    select(
        *(_side[name] for name in ConversationRow._fields[:5]),
        _SEEN_TO.label("seen_to"),
        person_table.c.deactivated_at.is_not(None),
        *PERSON,
        *MESSAGE,
    )
    .select_from(side_table)
    .join(person_table, person_table.c.id == _side.other_id)
    .join(_me, _me.c.id == _side.user_id)
    .outerjoin(
        _theirs, and_(_theirs.c.user_id == _side.other_id, _theirs.c.other_id == _side.user_id)
    )
    .outerjoin(message_table, _message.id == _side.last_id)
)
# Of each with each: SQLite would read all sides to find pairs among them.
_OF_SOME = _CONVERSATIONS.where(
    _side.user_id.in_(bindparam("users", expanding=True)),
    _side.other_id.in_(bindparam("others", expanding=True)),
)
_LATEST = select(_side.last_id, _side.other_id).where(_side.user_id == VIEWER, _side.last_id > 0)
_WITH = _CONVERSATIONS.where(_side.user_id == VIEWER, _side.other_id == bindparam("other"))
_THREAD = select(*MESSAGE).where(
    _message.low_id == bindparam("low", type_=BigInteger),
    _message.high_id == bindparam("high", type_=BigInteger),
    _message.id > bindparam("cleared_to", type_=BigInteger),
    NOT_GONE,
)
_OWN = select(*MESSAGE).where(_message.id == bindparam("id"), HAS)
_UNREAD = (
    select(_side.user_id, func.sum(_side.unread_count))
    .where(_side.user_id.in_(bindparam("ids", expanding=True)), _side.unread_count > 0)
    .group_by(_side.user_id)
)
_SIDES = select(ConversationSide).where(
    or_(
        and_(_side.user_id == bindparam("low"), _side.other_id == bindparam("high")),
        and_(_side.user_id == bindparam("high"), _side.other_id == bindparam("low")),
    )
)


def conversation(row: Sequence[Any]) -> ConversationRow:
    """Make a conversation of a row of the statements above."""
    person_at, message_at = 7, 7 + len(PERSON)
    last = row[message_at:]
    other = Person._make(row[person_at:message_at])
    message = None if last[0] is None else MessageRow._make(last)
    return ConversationRow._make((*row[:6], bool(row[6]), other, message))


async def conversations(read: Read, user_id: int, window: Window) -> Page[ConversationRow]:
    """Return a person's conversations, the one with the newest message first.

    The cursor is the id of that message.
    """
    found = await read.execute(within(_LATEST, _side.last_id, window), {"viewer": user_id})
    latest = turn([(row[0], (user_id, row[1])) for row in found], window)
    known = await by_pairs(read, latest.items)
    items = tuple(known[both] for both in latest.items)
    return Page(items, latest.before, latest.after)


async def by_pairs(
    read: Read, pairs: Collection[tuple[int, int]]
) -> dict[tuple[int, int], ConversationRow]:
    """Return conversations by whose they are and with whom; may return more than was asked for."""
    if not pairs:
        return {}
    users, others = (list(dict.fromkeys(side)) for side in zip(*pairs, strict=True))
    found = map(conversation, await read.execute(_OF_SOME, {"users": users, "others": others}))
    return {(row.user_id, row.other.id): row for row in found}


async def between(read: Read, user_id: int, other_id: int) -> ConversationRow | None:
    """Return a person's side of a conversation, or None where there never was one."""
    found = await read.execute(_WITH, {"viewer": user_id, "other": other_id})
    row = found.one_or_none()
    return None if row is None else conversation(row)


async def thread(
    read: Read, user_id: int, other_id: int, cleared_to: int, window: Window
) -> Page[MessageRow]:
    """Return a page of a conversation's messages, newest first, as `user_id` has them."""
    low, high = pair(user_id, other_id)
    given = {"viewer": user_id, "low": low, "high": high, "cleared_to": cleared_to}
    found = await read.execute(within(_THREAD, _message.id, window), given)
    return turn([(row[0], MessageRow._make(row)) for row in found], window)


async def own(read: Read, user_id: int, message_id: int) -> MessageRow:
    """Return a message that somebody has; raises NotFound for any other."""
    row = (await read.execute(_OWN, {"viewer": user_id, "id": message_id})).one_or_none()
    if row is None:
        raise NotFound
    return MessageRow._make(row)


async def unread(read: Read, user_ids: Collection[int]) -> dict[int, int]:
    """Return the number of unread messages of each person who has any."""
    if not user_ids:
        return {}
    found = await read.execute(_UNREAD, {"ids": list(user_ids)})
    return {row[0]: int(row[1]) for row in found}


# --- For whoever writes -------------------------------------------------------------------------


async def sides(read: Read, one_id: int, other_id: int) -> dict[int, ConversationSide]:
    """Return the sides of a conversation, by whose they are."""
    low, high = pair(one_id, other_id)
    found = await read.scalars(_SIDES.params(low=low, high=high))
    return {side.user_id: side for side in found}


async def newest(read: Read, user_id: int, other_id: int, cleared_to: int) -> int:
    """Return the id of the newest message that somebody has of a conversation, or 0."""
    page = await thread(read, user_id, other_id, cleared_to, Window(1))
    return page.items[0].id if page.items else 0


async def count_unread(read: Read, user_id: int, other_id: int, read_to: int) -> int:
    """Count what the other wrote after `read_to` and this person still has."""
    low, high = pair(user_id, other_id)
    statement = select(func.count()).where(
        _message.low_id == low,
        _message.high_id == high,
        _message.id > read_to,
        _message.sender_id == other_id,
        _message.gone_for_recipient.is_(False),
    )
    return int(await read.scalar(statement))


async def gone_for_both(
    read: Read, user_id: int, other_id: int, mine: int, theirs: int
) -> list[int]:
    """Return the messages that one cleared up to `mine`, and that are gone for the other too: up
    to `theirs`, or by themselves.
    """
    low, high = pair(user_id, other_id)
    gone_for_other = or_(
        _message.id <= theirs,
        and_(_message.sender_id == user_id, _message.gone_for_recipient),
        and_(_message.sender_id == other_id, _message.gone_for_sender),
    )
    statement = select(_message.id).where(
        _message.low_id == low, _message.high_id == high, _message.id <= mine, gone_for_other
    )
    return list(await read.scalars(statement))


async def erasable(read: Read, user_id: int, other_id: int, cleared_to: int) -> list[int]:
    """Return the messages that go with somebody who leaves for good: what they wrote, and what
    the other wrote and has not any more.
    """
    low, high = pair(user_id, other_id)
    of_nobody = or_(_message.gone_for_sender, _message.id <= cleared_to)
    statement = select(_message.id).where(
        _message.low_id == low,
        _message.high_id == high,
        or_(_message.sender_id == user_id, of_nobody),
    )
    return list(await read.scalars(statement))


async def partners(read: Read, user_id: int, limit: int) -> list[int]:
    """Return with whom somebody has, or had, a conversation."""
    statement = select(_side.other_id).where(_side.user_id == user_id)
    return list(await read.scalars(statement.order_by(_side.other_id).limit(limit)))
