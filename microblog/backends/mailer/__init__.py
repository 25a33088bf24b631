"""Mail leaves by one of these. `jobs.mail` alone sends: no page waits for a mail server.

Where nothing is configured there is no mailer, and nothing is enqueued to be sent.
"""

from email.message import EmailMessage
from typing import Protocol

from microblog.settings import Settings


class Undeliverable(Exception):
    """This mail will never be taken, however often it is offered. Never holds an address."""


class Undelivered(Exception):
    """This mail was not taken now: offer it again later. Never holds an address."""


class Mailer(Protocol):
    """A way out for mail."""

    name: str

    async def send(self, mail: EmailMessage) -> None:
        """Hand over a mail; raises Undelivered or Undeliverable where it was not taken."""

    async def reach(self) -> None:
        """Log in and leave again; raises Undelivered where that cannot be."""


def open_mailer(settings: Settings) -> Mailer | None:
    """Make the mailer that the settings ask for, None for none; connects to nothing yet."""
    match settings.mailer_in_use:
        case "smtp":
            from microblog.backends.mailer.smtp import SmtpMailer

            return SmtpMailer(settings)
        case "console":
            from microblog.backends.mailer.console import ConsoleMailer

            return ConsoleMailer()
    return None
