"""E-mail addresses: confirmed by a link that was mailed there, changed, and told of the change.

An address is proved by one account at most. Others may have given it too, and prove nothing.
"""

from datetime import datetime, timedelta

from sqlalchemy import update

from microblog.actions import links, mail, tries
from microblog.core.errors import Conflict, TooManyTries, message
from microblog.core.tokens import digest
from microblog.database import Tx
from microblog.models import User
from microblog.queries import mail as queries
from microblog.settings import Settings

LIFE = timedelta(days=1)
PURPOSE = "confirm"
MOST_MAILS, MAILS_WINDOW = 5, timedelta(hours=1)


async def ask_to_confirm(
    tx: Tx, settings: Settings, secret: str, user: User, email: str, now: datetime
) -> None:
    """Mail a link to an address, with which it becomes the person's, and proved.

    Earlier such links are good for nothing more.
    """
    await links.forget(tx, user.id, PURPOSE)
    nonce = await links.make(tx, secret, PURPOSE, user, email, now, LIFE)
    values = {
        "username": user.username,
        "nonce": nonce,
        "hours": int(LIFE.total_seconds()) // 3600,
    }
    mail.send(
        tx,
        settings,
        email,
        "confirm_address",
        now,
        language=user.language,
        values=values,
        useless_after=now + LIFE,
    )


async def welcome(tx: Tx, settings: Settings, secret: str, user: User, now: datetime) -> None:
    """Ask somebody who has just signed up to confirm their address, where that is wanted.

    An address that was mailed as often as it may be is left alone: nobody is to be flooded.
    """
    if not (settings.mails_people and settings.confirm_addresses):
        return
    try:
        await count(tx, user.email, now)
    except TooManyTries:
        return
    await ask_to_confirm(tx, settings, secret, user, user.email, now)


async def count(tx: Tx, email: str, now: datetime) -> None:
    """Count a link that is to be mailed to an address; raises TooManyTries."""
    await tries.count(tx, f"confirm address {email.lower()}", MOST_MAILS, MAILS_WINDOW, now)


async def confirm(tx: Tx, settings: Settings, token: str, now: datetime) -> User | None:
    """Spend a link and make its address the person's; None where the link is no good (any more).

    Where it is another than before, that one is told. Raises Conflict where another account has
    proved it; then the link stays.
    """
    found = await links.spend(tx, token, PURPOSE, now)
    if found is None:
        return None
    link, user = found
    before = user.email
    if not await prove(tx, user, now, email=link.email):
        raise Conflict(message("This address belongs to another account here already."))
    if link.email != before:
        await links.forget(tx, user.id)
        values = {"username": user.username, "email": link.email}
        mail.send(
            tx, settings, before, "address_changed", now, language=user.language, values=values
        )
    return user


async def prove(tx: Tx, user: User, now: datetime, *, email: str | None = None) -> bool:
    """Note that an address is proved to be a person's; False where another has proved it."""
    email = user.email if email is None else email
    await tx.lock_name(digest(f"address:{email.lower()}"))
    owner = await queries.owner(tx, email)
    if owner is not None and owner.id != user.id:
        return False
    await tx.execute(
        update(User)
        .where(User.id == user.id)
        .values(email=email, email_key=email.lower(), email_confirmed_at=now)
    )
    return True


async def change_unproved(tx: Tx, user: User, email: str) -> None:
    """Change an address at once, where no mail is sent that could prove it."""
    await links.forget(tx, user.id)
    await tx.execute(
        update(User)
        .where(User.id == user.id)
        .values(email=email, email_key=email.lower(), email_confirmed_at=None)
    )
