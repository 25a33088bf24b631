"""A person's picture: giving one, in place of the one before, and taking it away."""

from datetime import datetime

from sqlalchemy import delete, update

from microblog.core import events
from microblog.core.pictures import Squares
from microblog.database import Tx
from microblog.models import Avatar, User


async def change(tx: Tx, user: User, squares: Squares, now: datetime) -> None:
    """Give a person a picture; the one before goes."""
    await _name(tx, user, squares.name)
    given = {"user_id": user.id, "name": squares.name, "created_at": now}
    rows = [given | {"size": size, "content": made} for size, made in squares.by_size.items()]
    await tx.insert(Avatar, *rows)


async def remove(tx: Tx, user: User) -> None:
    """Take a person's picture away, if there is one: it is drawn from the name again."""
    await _name(tx, user, None)


async def _name(tx: Tx, user: User, name: str | None) -> None:
    """Say which picture counts. The person's row first: it makes who else does this wait."""
    await tx.execute(update(User).where(User.id == user.id).values(avatar=name))
    await tx.execute(delete(Avatar).where(Avatar.user_id == user.id))
    tx.announce(events.user_changed(user.id))
    tx.announce(events.profile_changed(user.id))
