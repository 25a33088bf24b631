"""People: by name, by id, whom they follow. Counts are columns, kept by the actions."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, or_, select

from microblog.core.cursors import Page, Window
from microblog.core.errors import NotFound
from microblog.core.leaving import Left
from microblog.database import Read
from microblog.models import Follow, FormerName, User
from microblog.queries.paging import turn, within
from microblog.queries.rows import PERSON, Person, person, person_table

_person = person_table.c
_HELD = (
    select(_person.id)
    .where(_person.id.in_(bindparam("ids", expanding=True)))
    .order_by(_person.id)
    .with_for_update()
)
_there = _person.deactivated_at.is_(None)
_HOW_MANY = select(func.count()).select_from(person_table).where(_there)
_NUMBERED = (
    select(*PERSON)
    .where(_there)
    .order_by(_person.id)
    .limit(bindparam("limit"))
    .offset(bindparam("offset"))
)
_SHOWN = select(*PERSON).where(_there, _person.id == bindparam("person"))


async def by_id(read: Read, user_id: int) -> User:
    """Return an active person; raises NotFound."""
    user = await read.get(User, user_id)
    if user is None or user.deactivated_at is not None:
        raise NotFound
    return user


async def of_id(read: Read, user_id: int) -> User | None:
    """Return a person, also one who is not there any more, or None."""
    found: User | None = await read.get(User, user_id)
    return found


async def by_username(read: Read, username: str) -> User:
    """Return the active person who is, or was, called so in any case; raises NotFound."""
    found = await of_name(read, username)
    if found is None or found.deactivated_at is not None:
        raise NotFound
    return found


async def of_name(read: Read, username: str) -> User | None:
    """Return who is, or was, called so in any case, also somebody who is not there any more."""
    if "\0" in username:
        return None  # PostgreSQL takes no NUL in a text: nobody is called so
    key = username.lower()
    found: User | None = await read.scalar(select(User).where(User.username_key == key))
    if found is None:
        former = select(FormerName.user_id).where(FormerName.username_key == key)
        found = await read.scalar(select(User).where(User.id == former.scalar_subquery()))
    return found


async def by_login(read: Read, name: str, *, absent: bool = False) -> User | None:
    """Return the active person with that username or e-mail address, or None.

    Several may have given one address: who proved it counts, else the first of them. With
    `absent` also who left and might come back, after those who are there.
    """
    key = name.strip().lower()
    there: ColumnElement[bool] = User.deactivated_at.is_(None)
    if absent:
        there = there | User.left_because.in_([Left.SELF, Left.SUSPENDED])
    found: User | None = await read.scalar(
        select(User)
        .where(or_(User.username_key == key, User.email_key == key), there)
        .order_by(User.deactivated_at.is_not(None), User.email_confirmed_at.is_(None), User.id)
        .limit(1)
    )
    return found


async def administrators(read: Read, limit: int) -> list[str]:
    """Return the usernames of active administrators, the first ones first."""
    statement = (
        select(User.username)
        .where(User.role == "admin", User.deactivated_at.is_(None))
        .order_by(User.id)
        .limit(limit)
    )
    return list(await read.scalars(statement))


async def is_taken(read: Read, username: str) -> bool:
    """Tell whether somebody has, or had, this username in any case."""
    return await of_name(read, username) is not None


async def ids_of(read: Read, usernames: Sequence[str]) -> dict[str, int]:
    """Return the ids of those of the lower-case `usernames` that belong to active people.

    A name that somebody had leads to them too, unless they are named by another of theirs.
    """
    if not usernames:
        return {}
    there = User.deactivated_at.is_(None)
    present = await read.execute(
        select(User.username_key, User.id).where(User.username_key.in_(usernames), there)
    )
    found = {row[0]: row[1] for row in present}
    others = [name for name in usernames if name not in found]
    if others:
        named = set(found.values())
        former = await read.execute(
            select(FormerName.username_key, User.id)
            .join(User, User.id == FormerName.user_id)
            .where(FormerName.username_key.in_(others), there)
            .order_by(FormerName.username_key)
        )
        for name, user_id in former:
            if user_id not in named:
                found[name] = user_id
                named.add(user_id)
    return found


async def hold(read: Read, user_ids: Collection[int]) -> None:
    """Lock these people, in the order of ids, where a row that refers to them will do so later.

    That is MariaDB's way: a post would lock whom it mentions after it has taken the log's lock,
    which nobody may wait for while they hold a person.
    """
    if read.vendor == "mysql" and len(user_ids) > 1:
        await read.execute(_HELD, {"ids": list(user_ids)})


async def has_other_admin(read: Read, user_id: int) -> bool:
    """Tell whether an active administrator remains without this person."""
    others = select(User.id).where(
        User.role == "admin", User.deactivated_at.is_(None), User.id != user_id
    )
    return bool(await read.scalar(select(others.exists())))


async def admins_among(read: Read, ids: Collection[int]) -> set[int]:
    """Return those of the people who are active administrators."""
    chosen = User.id.in_(ids), User.role == "admin", User.deactivated_at.is_(None)
    return set(await read.scalars(select(User.id).where(*chosen)))


async def has_admin(read: Read) -> bool:
    """Tell whether there is an administrator."""
    return bool(await read.scalar(select(select(User.id).where(User.role == "admin").exists())))


async def is_following(read: Read, follower_id: int, followed_id: int) -> bool:
    """Tell whether `follower_id` follows `followed_id`."""
    statement = select(Follow.id).where(
        Follow.follower_id == follower_id, Follow.followed_id == followed_id
    )
    return await read.scalar(statement) is not None


async def followers(read: Read, user_id: int, window: Window) -> Page[User]:
    """Return who follows a person, the latest first; the cursor is the id of the following."""
    return await _related(read, Follow.followed_id == user_id, Follow.follower_id, window)


async def following(read: Read, user_id: int, window: Window) -> Page[User]:
    """Return whom a person follows, the latest first; the cursor is the id of the following."""
    return await _related(read, Follow.follower_id == user_id, Follow.followed_id, window)


async def _related(read: Read, side: ColumnElement[bool], other: Any, window: Window) -> Page[User]:
    statement = (
        select(Follow.id, User)
        .join(User, User.id == other)
        .where(side, User.deactivated_at.is_(None))
    )
    rows = (await read.execute(within(statement, Follow.id, window))).all()
    return turn([(row_id, user) for row_id, user in rows], window)


async def numbered(read: Read, page: int, per_page: int) -> tuple[list[Person], int]:
    """Return one page of all active people by id, and how many there are."""
    total = int(await read.scalar(_HOW_MANY))
    where = {"limit": per_page, "offset": (page - 1) * per_page}
    return [person(row) for row in await read.execute(_NUMBERED, where)], total


async def shown(read: Read, user_id: int) -> Person:
    """Return an active person as everyone may see them; raises NotFound."""
    row = (await read.execute(_SHOWN, {"person": user_id})).one_or_none()
    if row is None:
        raise NotFound
    return person(row)


async def idle_since(read: Read, user_ids: Sequence[int], moment: datetime) -> list[int]:
    """Return those of `user_ids` whose last_seen is before `moment`."""
    statement = select(User.id).where(User.id.in_(user_ids), User.last_seen < moment)
    return list(await read.scalars(statement))
