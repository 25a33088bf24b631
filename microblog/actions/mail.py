"""What is written to people: each letter is a task, sent later by `jobs.mail`.

A letter gets its number and its date here, so that one which is sent twice is the same letter.
Other parts write by `send` too; its templates are in `templates/email/<template>/`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from microblog.core import clients
from microblog.core.tasks import SendMail, SendResets
from microblog.core.tokens import random_token
from microblog.database import Tx
from microblog.models import User
from microblog.settings import Settings


def send(
    tx: Tx,
    settings: Settings,
    to: str,
    template: str,
    now: datetime,
    *,
    language: str | None = None,
    values: Mapping[str, Any] | None = None,
    useless_after: datetime | None = None,
) -> None:
    """Write a letter to an address; nothing where no mail is sent here.

    `values` are for the template, in what JSON can hold, and no secret is among them.
    """
    if settings.mailer_in_use == "none":
        return
    if language not in settings.languages:
        language = settings.languages[0]
    task = SendMail(
        to=to,
        template=template,
        language=language,
        values=dict(values or {}),
        message_id=f"<{random_token()}@{settings.mail_domain}>",
        written_at=now.isoformat(),
        useless_after=None if useless_after is None else useless_after.isoformat(),
    )
    tx.enqueue(task)


def ask_for_resets(tx: Tx, email: str, language: str) -> None:
    """Let links for a new password be mailed to an address, if it is anybody's.

    Whether it is, is looked up behind the page: so the page takes as long for every address.
    """
    tx.enqueue(SendResets(email, language))


def may_be_told(user: User, settings: Settings) -> bool:
    """Tell whether somebody is mailed of what happens with their account.

    Not where an address was to be confirmed and is not: it may be a stranger's.
    """
    proved = user.email_confirmed_at is not None or not settings.confirm_addresses
    return settings.mails_people and proved


def tell_of_new_device(
    tx: Tx, settings: Settings, user: User, device: str, place: str, now: datetime
) -> None:
    """Tell a person that somebody logged in from where nobody of them was before."""
    if may_be_told(user, settings):
        client = clients.describe(device)
        values = {
            "username": user.username,
            "device": client.name,
            "system": client.system,
            "place": place,
            "at": now.isoformat(),
        }
        send(tx, settings, user.email, "new_device", now, language=user.language, values=values)


def tell_of_export(tx: Tx, settings: Settings, user: User, until: datetime, now: datetime) -> None:
    """Tell a person that their export can be downloaded, and until when."""
    if may_be_told(user, settings):
        values = {"username": user.username, "until": until.isoformat()}
        how: dict[str, Any] = {"language": user.language, "values": values, "useless_after": until}
        send(tx, settings, user.email, "export_ready", now, **how)
