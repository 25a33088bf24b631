"""What each of two people has of their messages, whatever either of them does."""

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from microblog.actions import follows, messages
from microblog.actions.messages import Choices, Letter
from microblog.core.cursors import Window
from microblog.core.errors import Conflict, Forbidden, Invalid, NotFound
from microblog.database import Database, Read
from microblog.models import ConversationSide, Message, Notification, User
from microblog.queries import messages as queries
from microblog.queries.messages import MessageRow
from tests.conftest import all_databases
from tests.people import MakeUser

PAGE = Window(50)


def now() -> datetime:
    return datetime.now(UTC)


async def send(
    database: Database, sender: User, other: User, body: str = "Hello", key: str | None = None
) -> MessageRow:
    async with database.write() as tx:
        return await messages.send(tx, sender, other, Letter(body, key), now())


async def read(database: Database, reader: User, other: User, up_to: int | None = None) -> None:
    async with database.write() as tx:
        await messages.mark_read(tx, reader, other, up_to, now())


async def has(database: Database, user: User, other: User) -> list[str]:
    """Return the texts that somebody has of a conversation, oldest first."""
    async with database.read() as scope:
        side = await queries.between(scope, user.id, other.id)
        cleared_to = side.cleared_to if side else 0
        page = await queries.thread(scope, user.id, other.id, cleared_to, PAGE)
    return [row.body for row in reversed(page.items)]


async def unread(database: Database, user: User) -> int:
    async with database.read() as scope:
        return (await queries.unread(scope, {user.id})).get(user.id, 0)


async def rows(scope: Read, model: Any) -> int:
    return int(await scalar_of(scope, select(func.count()).select_from(model)))


async def scalar_of(scope: Read, statement: Any) -> Any:
    return await scope.scalar(statement)


@all_databases
async def test_both_have_what_was_sent_until_each_deletes_it(
    database: Database, make_user: MakeUser
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    first = await send(database, mina, jun, "one")
    await send(database, jun, mina, "two\n\n\n\n\n three")
    assert await has(database, jun, mina) == ["one", "two\n\n\n three"]
    async with database.write() as tx:
        await messages.delete_message(tx, mina, first.id, jun.id)
    assert await has(database, mina, jun) == ["two\n\n\n three"]
    assert await has(database, jun, mina) == ["one", "two\n\n\n three"]
    async with database.write() as tx:
        await messages.delete_message(tx, jun, first.id, mina.id)
        await messages.clear(tx, mina, jun.id, now())
    assert await has(database, mina, jun) == []
    async with database.read() as scope:
        assert await rows(scope, Message) == 1
        assert [
            row.other.id for row in (await queries.conversations(scope, mina.id, PAGE)).items
        ] == []
    async with database.write() as tx:
        await messages.clear(tx, jun, mina.id, now())
    async with database.read() as scope:
        assert await rows(scope, Message) == 0
    await send(database, jun, mina, "again")
    assert await has(database, mina, jun) == await has(database, jun, mina) == ["again"]


@all_databases
async def test_who_leaves_for_good_takes_along_what_they_wrote(
    database: Database, make_user: MakeUser
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    await send(database, mina, jun, "of Mina")
    kept, deleted = await send(database, jun, mina, "kept"), await send(database, jun, mina, "gone")
    await send(database, mina, jun, "of Mina too")
    async with database.write() as tx:
        await messages.delete_message(tx, jun, deleted.id, mina.id)
        assert await queries.partners(tx, mina.id, 10) == [jun.id]
        await messages.erase(tx, mina.id, jun.id)
    assert await has(database, jun, mina) == ["kept"]
    assert await has(database, mina, jun) == []
    assert await unread(database, jun) == 0
    async with database.read() as scope:
        assert await rows(scope, Message) == 1
        side = await queries.between(scope, jun.id, mina.id)
        assert side is not None
        assert side.last_id == kept.id
        assert await queries.partners(scope, mina.id, 10) == []


@all_databases
async def test_badge_is_the_number_of_unread_rows_in_whatever_order_things_happen(
    database: Database, make_user: MakeUser
) -> None:
    people = [await make_user(name) for name in ("mina", "jun", "bora")]
    chance = random.Random(12)
    for _ in range(60):
        one, other = chance.sample(people, 2)
        await something(database, chance, one, other)
        for person in people:
            assert await unread(database, person) == await counted(database, person)


async def something(database: Database, chance: random.Random, one: User, other: User) -> None:
    what = chance.choice(["send", "send", "send", "read", "read some", "delete", "clear"])
    if what == "send":
        await send(database, one, other)
        return
    async with database.write() as tx:
        side = await queries.between(tx, one.id, other.id)
        if side is None or not side.last_id:
            return
        page = await queries.thread(tx, one.id, other.id, side.cleared_to, PAGE)
        some = chance.choice(page.items)
        if what == "read":
            await messages.mark_read(tx, one, other, None, now())
        elif what == "read some":
            await messages.mark_read(tx, one, other, some.id, now())
        elif what == "delete":
            await messages.delete_message(tx, one, some.id, other.id)
        else:
            await messages.clear(tx, one, other.id, now())


async def counted(database: Database, user: User) -> int:
    """Count a person's unread messages by the rows themselves."""
    async with database.read() as scope:
        sides = await scope.scalars(
            select(ConversationSide).where(ConversationSide.user_id == user.id)
        )
        total = 0
        for side in sides.all():
            thread = await queries.thread(
                scope, user.id, side.other_id, side.cleared_to, Window(1000)
            )
            total += sum(
                row.sender_id == side.other_id and row.id > side.read_to for row in thread.items
            )
    return total


@all_databases
async def test_ten_who_write_at_once_lose_nothing(database: Database, make_user: MakeUser) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    both = [(mina, jun), (jun, mina)]
    await asyncio.gather(*(send(database, *both[n % 2], str(n)) for n in range(10)))
    assert sorted(await has(database, mina, jun)) == sorted(map(str, range(10)))
    assert await has(database, mina, jun) == await has(database, jun, mina)
    assert await unread(database, mina) == await unread(database, jun) == 5


@all_databases
async def test_same_key_sends_once(database: Database, make_user: MakeUser) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    sent = await asyncio.gather(*(send(database, mina, jun, "once", "key") for _ in range(5)))
    assert len({row.id for row in sent}) == 1
    assert await has(database, jun, mina) == ["once"]
    with pytest.raises(Conflict):
        await send(database, mina, jun, "other words", "key")
    with pytest.raises(Conflict):
        await send(database, mina, await make_user("bora"), "once", "key")


async def test_there_is_one_unread_notification_whatever_the_number_of_messages(
    database: Database, make_user: MakeUser
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    for _ in range(3):
        await send(database, mina, jun)
    async with database.read() as scope:
        assert await rows(scope, Notification) == 1
    await read(database, jun, mina)
    await send(database, mina, jun)
    async with database.read() as scope:
        told = await scope.scalars(select(Notification.read_at).order_by(Notification.id))
        assert [at is None for at in told] == [False, True]


async def test_other_is_told_of_reading_where_both_let_it_be_known(
    database: Database, make_user: MakeUser
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    quiet = Choices("all", read_marks=False, typing_shown=True)
    open_ = Choices("all", read_marks=True, typing_shown=True)

    async def seen() -> int:
        async with database.read() as scope:
            side = await queries.between(scope, mina.id, jun.id)
        assert side is not None
        return side.seen_to

    first = await send(database, mina, jun)
    await read(database, jun, mina)
    assert await seen() == first.id
    jun = await chosen(database, jun, quiet)
    assert await seen() == 0
    await send(database, mina, jun)
    await read(database, jun, mina)
    jun = await chosen(database, jun, open_)
    assert await seen() == first.id, "what was read in quiet stays untold"
    mina = await chosen(database, mina, quiet)
    assert await seen() == 0


async def chosen(database: Database, user: User, choices: Choices) -> User:
    async with database.write() as tx:
        await messages.choose(tx, user, choices)
    async with database.read() as scope:
        found = await scope.get(User, user.id)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("welcome", "jun_follows", "taken"),
    [
        *(("all", False, True), ("followed", False, False)),
        *(("followed", True, True), ("nobody", True, False)),
    ],
)
async def test_one_takes_messages_of_whom_one_wants(
    database: Database, make_user: MakeUser, welcome: str, jun_follows: bool, taken: bool
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    jun = await chosen(database, jun, Choices(welcome, read_marks=True, typing_shown=True))
    async with database.write() as tx:
        await follows.follow(tx, mina, jun, now())
        if jun_follows:
            await follows.follow(tx, jun, mina, now())
    if taken:
        await send(database, mina, jun)
    else:
        with pytest.raises(Forbidden):
            await send(database, mina, jun)
    assert len(await has(database, jun, mina)) == int(taken)


FAMILY = "👨‍👩‍👧‍👦"


@pytest.mark.parametrize("body", ["한" * 2000, FAMILY * 2000, "https://example.org/" + "a" * 1980])
async def test_two_thousand_visible_characters_are_sent(
    database: Database, make_user: MakeUser, body: str
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    assert (await send(database, mina, jun, body)).body == body
    with pytest.raises(Invalid):
        await send(database, mina, jun, body + "!")


@pytest.mark.parametrize(
    "body", ["", " \n ", "\u200b", "a" + "\u0301\u202a" * 10_000, "x" * 70_000]
)
async def test_what_is_no_text_is_not_sent(
    database: Database, make_user: MakeUser, body: str
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    with pytest.raises(Invalid):
        await send(database, mina, jun, body)


async def test_nobody_deletes_what_is_not_theirs(database: Database, make_user: MakeUser) -> None:
    mina, jun, eve = [await make_user(name) for name in ("mina", "jun", "eve")]
    sent = await send(database, mina, jun)
    gone: Sequence[tuple[User, int, int]] = [
        *((eve, sent.id, mina.id), (mina, sent.id + 1, jun.id), (mina, sent.id, eve.id)),
    ]
    for who, message_id, other_id in gone:
        with pytest.raises(NotFound):
            async with database.write() as tx:
                await messages.delete_message(tx, who, message_id, other_id)
    with pytest.raises(NotFound):
        async with database.write() as tx:
            await messages.clear(tx, eve, mina.id, now())
    assert await has(database, jun, mina) == ["Hello"]
