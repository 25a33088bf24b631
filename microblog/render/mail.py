"""Mail as it leaves: text and HTML from `templates/email/<name>/`, in the reader's language.

`jobs.mail` alone makes it. A header holds one line whatever stands in it: what people write never
gets there, what the owner sets was checked, and the library refuses the rest (RFC 5322, 2.2).
"""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Any

from microblog.core.tasks import SendMail
from microblog.core.tokens import link_token
from microblog.edge import language, templates
from microblog.settings import Settings

LONGEST_LINE = 200


def compose(task: SendMail, settings: Settings, secret: str) -> EmailMessage:
    """Make the mail of a task; the same task makes the same mail."""
    with language.speaking(task.language):
        subject, text, markup = (
            _rendered(task, settings, secret, part)
            for part in ("subject.txt", "body.txt", "body.html")
        )
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _sender(settings)
    mail["To"] = _address(task.to)
    mail["Subject"] = one_line(subject)
    mail["Date"] = format_datetime(datetime.fromisoformat(task.written_at))
    mail["Message-ID"] = task.message_id
    # Nobody's holiday notice is to answer it (RFC 3834, 5).
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text.strip() + "\n")
    mail.add_alternative(markup, subtype="html")
    mail["Content-Language"] = task.language  # not before: content brings headers of its own
    return mail


def one_line(text: str) -> str:
    """Return a text as one line without anything that steers a terminal or a mail program."""
    spaced = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(spaced.split())[:LONGEST_LINE]


def _rendered(task: SendMail, settings: Settings, secret: str, part: str) -> str:
    base = settings.public_url or ""

    def link(path: str, nonce: str = "") -> str:
        return base + path + (link_token(secret, nonce) if nonce else "")

    given: dict[str, Any] = {"site_name": settings.site_name, "language": task.language}
    template = templates.environment(task.language).get_template(f"email/{task.template}/{part}")
    # Halves of surrogate pairs can be kept in JSON, and cannot be sent.
    return template.render(task.values, link=link, **given).encode("utf-8", "replace").decode()


def _sender(settings: Settings) -> Address:
    name, address = parseaddr(settings.mail_sender)
    sender = _address(address)
    shown = one_line(name or settings.site_name)
    return Address(shown, sender.username, sender.domain)


def _address(address: str) -> Address:
    """Return an address with its domain as servers know it (RFC 5891)."""
    local, _, domain = address.rpartition("@")
    return Address(username=local, domain=domain.encode("idna").decode("ascii"))
