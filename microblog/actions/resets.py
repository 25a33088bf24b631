"""A forgotten password: links that are mailed, and the new password that one of them allows."""

from datetime import datetime, timedelta

from microblog.actions import accounts, addresses, links, mail
from microblog.core.tasks import SendResets
from microblog.database import Tx
from microblog.models import User
from microblog.queries import mail as queries
from microblog.settings import Settings

LIFE = timedelta(minutes=10)
PURPOSE = "reset"


async def mail_links(
    tx: Tx, settings: Settings, secret: str, task: SendResets, now: datetime
) -> None:
    """Mail one letter with a link for each account that an address is about; else nothing.

    Whoever proved the address is the one. Where nobody did, all who gave it have a link, each by
    its name: the reader of the mailbox decides. Earlier links stay good for their ten minutes, so
    that nobody can spoil them by asking again.
    """
    people = await queries.claimants(tx, task.email)
    if not people or not settings.mails_people:
        return
    accounts_ = [
        {
            "username": user.username,
            "nonce": await links.make(tx, secret, PURPOSE, user, user.email, now, LIFE),
        }
        for user in people
    ]
    minutes = int(LIFE.total_seconds()) // 60
    mail.send(
        tx,
        settings,
        people[0].email,
        "reset_password",
        now,
        language=people[0].language or task.language,
        values={"accounts": accounts_, "minutes": minutes},
        useless_after=now + LIFE,
    )


async def set_password(tx: Tx, token: str, password_hash: str, now: datetime) -> User | None:
    """Spend a link and set the new password; None where the link is no good (any more).

    Every session and token of the person ends, and every other link of theirs. That the mail was
    read proves the address.
    """
    found = await links.spend(tx, token, PURPOSE, now)
    if found is None:
        return None
    link, user = found
    if link.email == user.email:
        await addresses.prove(tx, user, now)
    await accounts.set_password(tx, user, password_hash, now)
    return user
