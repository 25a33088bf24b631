"""A real mail server for tests (aiosmtpd): with STARTTLS, TLS or a log-in, in the test's loop."""

import asyncio
import email.policy
import re
import ssl
import subprocess
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from sqlalchemy import func, select

from microblog.core.tasks import SendMail, SendResets, State
from microblog.database import Database
from microblog.models import Job
from microblog.settings import Settings
from tests.services import choose_free_port

GUARD_SECONDS = 60
PUBLIC_URL = "http://localhost"
OPEN = (State.WAITING, State.RUNNING)
LOGIN = ("blog", "pass word: 한글")


@dataclass
class MailServer:
    """Takes every mail and keeps it; `answers` refuses some, by recipient or at the end of data."""

    port: int
    secure: ssl.SSLContext | None = None
    starttls: bool = False
    login: bool = False
    utf8: bool = True
    mails: list[EmailMessage] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    sessions: list[bool] = field(default_factory=list)
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)
    _server: asyncio.Server | None = None

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it so
        self, _server: Any, _session: Any, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        if "data" in self.answers:
            return self.answers["data"]
        parsed = message_from_bytes(cast("bytes", envelope.content), policy=email.policy.SMTPUTF8)
        mail = cast("EmailMessage", parsed)
        async with self._came:
            self.mails.append(mail)
            self.sessions.append(bool(session.ssl))
            self._came.notify_all()
        return "250 OK"

    async def next(self, after: int = 0) -> EmailMessage:
        """Wait for the mail that follows the first `after` ones."""
        async with asyncio.timeout(GUARD_SECONDS), self._came:
            await self._came.wait_for(lambda: len(self.mails) > after)
            return self.mails[after]

    async def to(self, address: str, where: Callable[[EmailMessage], bool] = bool) -> EmailMessage:
        """Wait for a mail to somebody."""

        def found() -> EmailMessage | None:
            return next((m for m in self.mails if m["To"] == address and where(m)), None)

        async with asyncio.timeout(GUARD_SECONDS), self._came:
            await self._came.wait_for(lambda: found() is not None)
            return cast("EmailMessage", found())

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        direct = None if self.starttls else self.secure
        self._server = await loop.create_server(self._session, "127.0.0.1", self.port, ssl=direct)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            if hasattr(self._server, "close_clients"):  # Python 3.13 waits for them
                self._server.close_clients()
            await self._server.wait_closed()

    def _session(self) -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it does not see that TLS is there from the first byte
            return self._made_session()

    def _made_session(self) -> SMTP:
        return SMTP(
            self,
            enable_SMTPUTF8=self.utf8,
            hostname="sink.example",
            tls_context=self.secure if self.starttls else None,
            require_starttls=self.starttls,
            authenticator=_authenticate,
            auth_required=self.login,
            auth_require_tls=self.starttls,
            loop=asyncio.get_running_loop(),
        )


def _authenticate(
    _server: Any, _session: Any, _envelope: Any, _mechanism: str, given: LoginPassword
) -> AuthResult:
    right = (given.login.decode(), given.password.decode()) == LOGIN
    return AuthResult(success=right, handled=False)


@asynccontextmanager
async def mail_server(**how: Any) -> AsyncIterator[MailServer]:
    """Run a mail server on a free port until the block ends."""
    server = MailServer(how.pop("port", None) or choose_free_port(), **how)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def certify(folder: Path, name: str = "127.0.0.1") -> tuple[Path, ssl.SSLContext]:
    """Make a certificate that signs itself; return its file, and what a server needs of it."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    kind = "IP" if name[0].isdigit() else "DNS"
    words = f"req -x509 -newkey rsa:2048 -nodes -days 2 -keyout {key} -out {certificate}"
    more = ("-subj", f"/CN={name}", "-addext", f"subjectAltName={kind}:{name}")
    subprocess.run(["openssl", *words.split(), *more], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    """Return a mail's text in one of its two forms."""
    part = mail.get_body((kind,))
    assert part is not None, f"the mail has no {kind}"
    return str(part.get_content()).replace("\r\n", "\n")


def mailed_by(settings: Settings, server: MailServer, **more: Any) -> Settings:
    """Return settings of a microblog that sends its mail there."""
    where = {"mail_server": "127.0.0.1", "mail_port": server.port}
    who = {"mail_from": "Our village <blog@example.org>", "public_url": PUBLIC_URL}
    return replace(settings, **where, **(who | more))


def path_in(mail: EmailMessage, start: str) -> str:
    """Return the path of the first link that begins so; its address must be the configured one."""
    found = re.search(rf"{re.escape(PUBLIC_URL + start)}[\w/-]*", text_of(mail))
    assert found, text_of(mail)
    return found[0].removeprefix(PUBLIC_URL)


async def all_done(database: Database) -> None:
    """Wait until no mail is left to be sent."""
    kinds = (SendMail.kind, SendResets.kind)
    unfinished = select(func.count()).where(Job.kind.in_(kinds), Job.state.in_(OPEN))
    async with asyncio.timeout(GUARD_SECONDS):
        while True:
            async with database.read() as read:
                if not await read.scalar(unfinished):
                    return
            await asyncio.sleep(0.02)
