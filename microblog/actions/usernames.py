"""Changing a username: the one before stays the person's, and leads to them."""

import math
from datetime import datetime

from sqlalchemy import delete, update

from microblog.actions import search_index
from microblog.core import events, names
from microblog.core.errors import Invalid, TooManyTries, message
from microblog.core.leaving import BETWEEN_NAMES
from microblog.core.tokens import digest
from microblog.database import Tx
from microblog.models import FormerName, User
from microblog.queries import users

TAKEN = message("This username is taken. Please choose another.")


async def rename(tx: Tx, user: User, username: str, now: datetime) -> None:
    """Give a person another username; raises Invalid for one that cannot be had.

    Raises TooManyTries where the last change was less than `BETWEEN_NAMES` ago; other letters of
    the same name are no change. A name that the person had before can be taken again.
    """
    names.check_username(username)
    key = username.lower()
    if username == user.username:
        return
    if key == user.username_key:
        await tx.execute(update(User).where(User.id == user.id).values(username=username))
    else:
        await _replace(tx, user, username, now)
    search_index.feed_soon(tx, now)
    tx.announce(events.user_changed(user.id))
    tx.announce(events.profile_changed(user.id))


async def _replace(tx: Tx, user: User, username: str, now: datetime) -> None:
    key = username.lower()
    if user.renamed_at is not None and now < user.renamed_at + BETWEEN_NAMES:
        left = user.renamed_at + BETWEEN_NAMES - now
        raise TooManyTries(math.ceil(left.total_seconds()))
    await tx.lock_name(digest(f"username:{key}"))
    owner = await users.of_name(tx, username)
    if owner is not None and owner.id != user.id:
        raise Invalid({"username": [TAKEN]})
    await tx.execute(delete(FormerName).where(FormerName.username_key == key))
    values = {"username": username, "username_key": key, "renamed_at": now}
    await tx.execute(update(User).where(User.id == user.id).values(values))
    before = {"username_key": user.username_key, "user_id": user.id, "given_up_at": now}
    await tx.insert(FormerName, before)
