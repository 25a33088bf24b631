"""Accounts at the door of every surface: proving a password, and checking a sign-up."""

import unicodedata
from datetime import UTC, datetime

from microblog.core import names, passwords
from microblog.core.errors import Forbidden, Invalid, Message, message
from microblog.core.leaving import MAY_RETURN, Left
from microblog.edge import limits
from microblog.edge.passwords import verify
from microblog.models import User
from microblog.queries import audit, users
from microblog.runtime import runtime

WRONG_PASSWORD = message("That is not your password.")


async def prove(name: str, password: str) -> User | None:
    """Return whose name (or e-mail address) and password these are, or None.

    The same work is done whether or not there is such an account. Raises TooManyTries.
    """
    return await _proved(name, password, absent=False)


async def must_know(user: User, given: str, field: str) -> None:
    """Raise Invalid, for the field of that name, for another than a person's password; raises
    TooManyTries.
    """
    if await prove(user.username, given) is None:
        raise Invalid({field: [WRONG_PASSWORD]})


async def enter(name: str, password: str) -> User | None:
    """Do as `prove` where somebody logs in: who left by themselves is to be let back in.

    Raises Forbidden, with the reason, for somebody who is suspended; TooManyTries.
    """
    user = await _proved(name, password, absent=True)
    if user is None or user.deactivated_at is None:
        return user
    if user.left_because == Left.SUSPENDED:
        async with runtime().database.read() as read:
            reason = await audit.why_suspended(read, user.id)
        raise Forbidden(message("Your account is suspended. The reason: %(reason)s", reason=reason))
    in_time = datetime.now(UTC) < user.deactivated_at + MAY_RETURN
    return user if in_time else None


async def _proved(name: str, password: str, *, absent: bool) -> User | None:
    name = name.strip()
    if len(name) > names.LONGEST_EMAIL or not name.isprintable():
        name = ""  # nobody's; no database takes NUL, and to normalise a flood takes very long
    name = unicodedata.normalize("NFC", name)  # addresses are kept so
    async with runtime().database.read() as read:
        user = await users.by_login(read, name, absent=absent)
    # Counted by account: its username and its address are one door, not two.
    door = f"#{user.id}" if user is not None else name
    await limits.count_login(door)
    if not await verify(password, user.password_hash if user else None):
        return None
    await limits.forgive_login(door)
    return user


def flaws(
    username: str, email: str, password: str, *, display_name: str = "", about_me: str = ""
) -> dict[str, list[Message]]:
    """Return what is wrong with a sign-up, all fields at once; whether a name is free is not told.

    Empty where nothing is wrong.
    """
    site = runtime().settings.site_name
    found: dict[str, list[Message]] = {}
    for check in (
        lambda: names.check_username(username),
        lambda: names.check_email(email),
        lambda: passwords.check(password, username=username, email=email, site=site),
        lambda: names.clean_display_name(display_name),
        lambda: names.check_about_me(about_me),
    ):
        try:
            check()
        except Invalid as invalid:
            found |= dict(invalid.errors)
    return found
