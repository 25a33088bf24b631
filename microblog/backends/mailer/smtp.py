"""Mail by SMTP (RFC 5321), with STARTTLS (RFC 3207) or TLS from the first byte (RFC 8314)."""

import ssl
from email.message import EmailMessage
from email.utils import parseaddr
from functools import cache
from pathlib import Path

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from microblog.backends.mailer import Undeliverable, Undelivered
from microblog.settings import Settings

FOR_EVER = 500
"""Answers from here on are for ever (RFC 5321, 4.2.1)."""


class SmtpMailer:
    """Opens a connection for each mail: they are rare, and servers close idle ones."""

    name = "smtp"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def send(self, mail: EmailMessage) -> None:
        """Hand over a mail.

        What is wrong with the mail or its recipient is for ever; what is wrong with the server,
        with our log-in or our sender can be mended, so those are offered again.
        """
        try:
            async with self._connection() as server:
                await server.send_message(
                    mail, sender=parseaddr(str(mail["From"]))[1], recipients=[str(mail["To"])]
                )
        except SMTPRecipientsRefused as refused:
            codes = [one.code for one in refused.recipients]
            raise _told(f"recipient refused: {codes}", min(codes) >= FOR_EVER) from None
        except SMTPDataError as refused:
            raise _told(f"content refused: {refused.code}", refused.code >= FOR_EVER) from None
        except SMTPNotSupported:
            # No TLS there; or an address beyond ASCII (RFC 6531), which is for ever.
            raise _told("not supported by the server", not str(mail["To"]).isascii()) from None
        except (SMTPException, OSError, ValueError) as error:
            code = f" {error.code}" if isinstance(error, SMTPResponseException) else ""
            raise Undelivered(f"{type(error).__name__}{code}") from None

    async def reach(self) -> None:
        try:
            async with self._connection():
                pass
        except (SMTPException, OSError, ValueError) as error:
            code = f" {error.code}" if isinstance(error, SMTPResponseException) else ""
            raise Undelivered(f"{type(error).__name__}{code}") from None

    def _connection(self) -> SMTP:
        settings = self._settings
        encrypted = settings.mail_use_tls or settings.mail_use_ssl
        return SMTP(
            hostname=settings.mail_server,
            port=settings.mail_port_in_use,
            username=settings.mail_username,
            password=settings.mail_password,
            local_hostname=settings.mail_domain.encode("idna").decode(),
            timeout=settings.mail_timeout_seconds,
            use_tls=settings.mail_use_ssl,
            start_tls=settings.mail_use_tls,
            tls_context=_trust(settings.mail_ca_file) if encrypted else None,
        )


def _told(reason: str, for_ever: bool) -> Exception:
    return Undeliverable(reason) if for_ever else Undelivered(reason)


@cache
def _trust(ca_file: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
