"""Accounts: making one, changing the profile, the password and the role.

Passwords come here hashed: hashing is slow, and must not happen inside a transaction.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update

from microblog.actions import links, search_index, sessions
from microblog.core import events, names
from microblog.core.errors import Conflict, Invalid, Message, message
from microblog.core.tokens import digest
from microblog.database import Tx
from microblog.models import User
from microblog.queries import users


@dataclass(frozen=True, slots=True)
class NewAccount:
    """A checked sign-up: names as typed, the password already hashed."""

    username: str
    email: str
    password_hash: str
    language: str | None = None
    role: str = "member"


async def register(tx: Tx, account: NewAccount, now: datetime) -> User:
    """Make an account; raises Invalid for a username that is taken.

    An address that another account gave is no obstacle, so that nobody can find out by trying who
    has an account here.
    """
    names.check_username(account.username)
    email = names.check_email(account.email)
    # Who signs up with the same name at once waits here, and is told that it is taken.
    await tx.lock_name(digest(f"username:{account.username.lower()}"))
    if await users.is_taken(tx, account.username):
        raise Invalid({"username": [message("This username is taken. Please choose another.")]})
    user = User(
        username=account.username,
        username_key=account.username.lower(),
        email=email,
        email_key=email.lower(),
        password_hash=account.password_hash,
        language=account.language,
        role=account.role,
        first_seen=now,
        last_seen=now,
    )
    tx.add(user)
    await tx.flush()
    tx.announce(events.user_changed(user.id))
    search_index.feed_soon(tx, now)
    return user


async def become_first_admin(tx: Tx, account: NewAccount, now: datetime) -> User:
    """Make the first administrator; raises Conflict where there is one already."""
    await tx.lock_name(digest("first administrator"))
    if await users.has_admin(tx):
        raise Conflict(message("There is an administrator already."))
    return await register(tx, account, now)


async def edit_profile(tx: Tx, user: User, display_name: str, about_me: str) -> None:
    """Change how a person presents themselves; raises Invalid for what is too long."""
    errors: dict[str, list[Message]] = {}
    try:
        display_name = names.clean_display_name(display_name)
    except Invalid as invalid:
        errors |= dict(invalid.errors)
    try:
        about_me = names.check_about_me(about_me)
    except Invalid as invalid:
        errors |= dict(invalid.errors)
    if errors:
        raise Invalid(errors)
    await tx.execute(
        update(User).where(User.id == user.id).values(display_name=display_name, about_me=about_me)
    )
    search_index.feed_soon(tx)
    tx.announce(events.user_changed(user.id))
    tx.announce(events.profile_changed(user.id))


async def choose_appearance(tx: Tx, user: User, language: str | None, theme: str | None) -> None:
    """Keep the language and the theme (None: as the system has it) that a person chose."""
    await tx.execute(update(User).where(User.id == user.id).values(language=language, theme=theme))


async def set_password(tx: Tx, user: User, password_hash: str, now: datetime) -> None:
    """Change a password. Ends every session, token and mailed link of the person."""
    await tx.execute(update(User).where(User.id == user.id).values(password_hash=password_hash))
    await links.forget(tx, user.id)
    await sessions.revoke_all(tx, user.id, now)


async def change_password(
    tx: Tx,
    user: User,
    password_hash: str,
    now: datetime,
    *,
    session_id: int | None = None,
    family_id: int | None = None,
) -> None:
    """Change a password by somebody who knows the old one: only where they are stays signed in."""
    await tx.execute(update(User).where(User.id == user.id).values(password_hash=password_hash))
    await links.forget(tx, user.id)
    await sessions.revoke_others(tx, user.id, now, session_id=session_id, family_id=family_id)


async def set_role(tx: Tx, user: User, role: str) -> None:
    """Make a person a member or an administrator."""
    await tx.execute(update(User).where(User.id == user.id).values(role=role))


async def seen(tx: Tx, user_ids: set[int], now: datetime) -> None:
    """Keep that these people were here.

    In the order of ids, as `follows` changes people, so that neither waits for the other for ever.
    """
    for user_id in sorted(user_ids):
        await tx.execute(update(User).where(User.id == user_id).values(last_seen=now))
