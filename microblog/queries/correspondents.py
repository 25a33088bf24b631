"""With whom one may have a conversation, and who may write to whom."""

from typing import NamedTuple

from sqlalchemy import and_, or_, select

from microblog.core import messages
from microblog.core.errors import NotFound
from microblog.core.messages import Welcome
from microblog.database import Read
from microblog.models import Follow, User
from microblog.queries import users
from microblog.queries.messages import between


async def by_username(read: Read, user_id: int, username: str) -> User:
    """Return with whom one may have a conversation, who is, or was, called so in any case.

    Somebody who left can be read still by whoever has messages of theirs. Raises NotFound for
    others, and for oneself.
    """
    return await _known(read, user_id, await users.of_name(read, username))


async def by_id(read: Read, user_id: int, other_id: int) -> User:
    """Return the same person by id."""
    return await _known(read, user_id, await read.get(User, other_id))


async def _known(read: Read, user_id: int, found: User | None) -> User:
    if found is None or found.id == user_id:
        raise NotFound
    if found.deactivated_at is not None:
        has = await between(read, user_id, found.id)
        if has is None or not has.last_id:
            raise NotFound
    return found


class Ways(NamedTuple):
    """Whether one may write to another, and that one back."""

    there: bool
    back: bool


async def ways(read: Read, writer: User, other: User) -> Ways:
    """Tell who of two people takes messages of the other."""
    if other.deactivated_at is not None:
        return Ways(there=False, back=False)
    asked = {Welcome.FOLLOWED} & {writer.messages_from, other.messages_from}
    follows = await _who_follows(read, writer.id, other.id) if asked else set()
    return Ways(
        there=messages.takes(other.messages_from, follows_writer=other.id in follows),
        back=messages.takes(writer.messages_from, follows_writer=writer.id in follows),
    )


async def _who_follows(read: Read, one_id: int, other_id: int) -> set[int]:
    statement = select(Follow.follower_id).where(
        or_(
            and_(Follow.follower_id == one_id, Follow.followed_id == other_id),
            and_(Follow.follower_id == other_id, Follow.followed_id == one_id),
        )
    )
    return set(await read.scalars(statement))


async def may_whisper(read: Read, writer_id: int, other_id: int) -> bool:
    """Tell whether somebody may see that another is writing to them.

    Both let it be known, and each may write to the other.
    """
    ids = (writer_id, other_id)
    found = await read.scalars(select(User).where(User.id.in_(ids), User.deactivated_at.is_(None)))
    people = {user.id: user for user in found}
    if len(people) < len(set(ids)) or writer_id == other_id:
        return False
    if not all(user.typing_shown for user in people.values()):
        return False
    return all(await ways(read, people[writer_id], people[other_id]))
