"""What the owner can set of mail: the server, the sender, who is told of faults. See `settings`."""

import re
from dataclasses import dataclass
from email.utils import getaddresses, parseaddr
from pathlib import Path

from microblog import variables
from microblog.core import names
from microblog.core.errors import Invalid, SettingError
from microblog.core.kinds import Refused, kind
from microblog.variables import Spelt, setting, whole

MAILERS = ("auto", "none", "console", "smtp")
NOBODY_ANSWERS = "microblog@localhost"
_HERE = ("localhost", "127.0.0.1", "::1")


@kind("a name of a host")
def _host(raw: str) -> str:
    """Return a host's name or address; a port has a setting of its own."""
    if not re.fullmatch(r"[\w.-]+|\[?[0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*\]?", raw):
        raise ValueError
    return raw.strip("[]")


@kind("an e-mail address")
def _mailbox(raw: str) -> str:
    """Return one e-mail address, with or without a name before it, as it was written."""
    if not raw.isprintable() or len(getaddresses([raw])) != 1:
        raise Refused("an e-mail address")
    _email(parseaddr(raw)[1])
    return raw.strip()


def _email(raw: str) -> str:
    """Return a bare e-mail address."""
    try:
        return names.check_email(raw)
    except Invalid:
        raise Refused("an e-mail address") from None


@kind("a list of e-mail addresses")
def _emails(raw: str) -> tuple[str, ...]:
    """Return bare e-mail addresses, divided by commas or spaces."""
    return tuple(_email(word) for word in variables.words(raw))


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings(Spelt):
    """The part of the settings that is about mail."""

    mailer: str = setting(
        "auto",
        variables.one_of(*MAILERS),
        "console",
        "How mail goes out. auto: by the mail server if one is set, else not at all. "
        "console: it is printed instead of sent.",
    )
    mail_server: str | None = setting(
        None,
        _host,
        "mail.example.org",
        "The mail server, spoken to by SMTP.",
        "MAIL_SERVER",
    )
    mail_port: int | None = setting(
        None,
        whole(1, 65_535),
        "587",
        "Its port. Default: 25, 587 with STARTTLS, 465 with TLS from the first byte.",
        "MAIL_PORT",
    )
    mail_use_tls: bool = setting(
        False, variables.switch, "true", "Whether to begin TLS by STARTTLS.", "MAIL_USE_TLS"
    )
    mail_use_ssl: bool = setting(
        False, variables.switch, "true", "Whether to speak TLS from the first byte.", "MAIL_USE_SSL"
    )
    mail_username: str | None = setting(
        None, variables.text, "microblog", "The name to log in with.", "MAIL_USERNAME"
    )
    mail_password: str | None = setting(
        None,
        variables.text,
        "the password of the mail server",
        "The password to log in with; sent through TLS only.",
        "MAIL_PASSWORD",
        hidden=True,
    )
    mail_from: str | None = setting(
        None,
        _mailbox,
        "Our village <blog@example.org>",
        "Whom mail is from. Default: the first of the administrators' addresses.",
        "MAIL_FROM",
        "MAIL_DEFAULT_SENDER",
    )
    mail_ca_file: Path | None = setting(
        None,
        variables.folder,
        "/etc/ssl/mail.pem",
        "Certificates (PEM) that vouch for the mail server's. Default: the system's.",
    )
    mail_timeout_seconds: int = setting(
        30, whole(1, 600), "30", "How long the mail server may take for an answer.", unit="seconds"
    )
    admins: tuple[str, ...] = setting(
        (),
        _emails,
        "owner@example.org",
        "Addresses that are told of faults, and named where people need the owner.",
        "ADMINS",
        unit="e-mail addresses",
    )
    confirm_addresses: bool = setting(
        True, variables.switch, "false", "Whether people are asked to confirm their address."
    )
    resets_per_hour: int = setting(
        5,
        whole(1, 1_000_000),
        "5",
        "Mails for a forgotten password per e-mail address in an hour; four times as many "
        "per network.",
        unit="mails",
    )

    @property
    def mailer_in_use(self) -> str:
        """How mail goes out: "none", "console" or "smtp"."""
        if self.mailer != "auto":
            return self.mailer
        return "none" if self.mail_server is None else "smtp"

    @property
    def mail_sender(self) -> str:
        """Whom mail is from, with or without a name."""
        return self.mail_from or (self.admins[0] if self.admins else NOBODY_ANSWERS)

    @property
    def mail_domain(self) -> str:
        """The domain that mail is from."""
        return parseaddr(self.mail_sender)[1].rpartition("@")[2]

    @property
    def mail_port_in_use(self) -> int:
        """The mail server's port, the usual one where none is set."""
        usual = 465 if self.mail_use_ssl else 587 if self.mail_use_tls else 25
        return self.mail_port or usual

    def check_mail(self) -> None:
        """Raise SettingError where the settings of mail contradict one another."""
        said = self.spelling
        if self.mailer_in_use != "smtp":
            return
        if self.mail_server is None:
            raise SettingError(f"{said('mailer')} is 'smtp', and {said('mail_server')} is not set.")
        if self.mail_use_tls and self.mail_use_ssl:
            raise SettingError(
                f"{said('mail_use_tls')} and {said('mail_use_ssl')} are both set: use the first "
                "for STARTTLS (port 587), the second for TLS from the first byte (port 465)."
            )
        if self.mail_from is None and not self.admins:
            raise SettingError(
                f"{said('mail_server')} is set, and nobody whom mail is from. "
                f"For example: {said('mail_from')}=blog@example.org"
            )
        if (self.mail_username is None) != (self.mail_password is None):
            raise SettingError(
                f"{said('mail_username')} and {said('mail_password')} are set together or not."
            )
        encrypted = self.mail_use_tls or self.mail_use_ssl
        if self.mail_password is not None and not encrypted and self.mail_server not in _HERE:
            raise SettingError(
                f"{said('mail_password')} would travel in the clear. Set {said('mail_use_tls')}=1"
            )
