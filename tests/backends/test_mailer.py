"""Mailers hand over mail to a real server: in the clear, by STARTTLS, by TLS, with a log-in."""

import asyncio
import io
import socket
from dataclasses import replace
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from microblog.backends.mailer import Undeliverable, Undelivered, open_mailer
from microblog.backends.mailer.console import ConsoleMailer
from microblog.backends.mailer.smtp import SmtpMailer
from microblog.settings import Settings
from tests.mailboxes import LOGIN, certify, mail_server, text_of

USERNAME, PASSWORD = LOGIN


def letter(to: str = "mina@example.org") -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = "Our village <blog@example.org>"
    mail["To"] = to
    mail["Subject"] = "안녕하세요, 미나"
    mail["Message-ID"] = "<one@example.org>"
    mail.set_content("한글 본문\n.\nafter a lone dot\n")
    mail.add_alternative("<p>한글 본문</p>", subtype="html")
    return mail


def mailer(port: int, **more: object) -> SmtpMailer:
    given = {"mail_server": "127.0.0.1", "mail_port": port, "mail_from": "blog@example.org"}
    return SmtpMailer(replace(Settings(), **(given | more)))  # type: ignore[arg-type]


async def test_mail_arrives_as_it_was_written() -> None:
    async with mail_server() as server:
        await mailer(server.port).send(letter())
    (mail,) = server.mails
    assert mail["Subject"] == "안녕하세요, 미나"
    assert mail["From"] == "Our village <blog@example.org>"
    assert mail["Message-ID"] == "<one@example.org>"
    assert text_of(mail) == "한글 본문\n.\nafter a lone dot\n"
    assert "<p>한글 본문</p>" in text_of(mail, "html")
    assert server.sessions == [False]


@pytest.mark.parametrize("way", ["mail_use_tls", "mail_use_ssl"])
async def test_mail_goes_through_tls_with_a_log_in(way: str, tmp_path: Path) -> None:
    certificate, context = certify(tmp_path)
    starttls = way == "mail_use_tls"
    async with mail_server(secure=context, starttls=starttls, login=True) as server:
        sender = mailer(
            server.port,
            mail_ca_file=certificate,
            mail_username=USERNAME,
            mail_password=PASSWORD,
            **{way: True},
        )
        await sender.send(letter())
    assert server.sessions == [True] if starttls else len(server.mails) == 1


@pytest.mark.parametrize("way", ["mail_use_tls", "mail_use_ssl"])
async def test_server_whom_nobody_vouches_for_gets_no_mail_and_no_password(
    way: str, tmp_path: Path
) -> None:
    _, context = certify(tmp_path)
    other, _ = certify(tmp_path, "mail.example.org")
    async with mail_server(secure=context, starttls=way == "mail_use_tls") as server:
        for trusted in (None, other):
            with pytest.raises(Undelivered):
                await mailer(server.port, mail_ca_file=trusted, **{way: True}).send(letter())
    assert server.mails == []


async def test_server_without_starttls_gets_no_mail_where_it_is_asked_for() -> None:
    async with mail_server() as server:
        with pytest.raises(Undelivered):
            await mailer(server.port, mail_use_tls=True).send(letter())
    assert server.mails == []


async def test_wrong_password_is_told_as_something_to_be_mended(tmp_path: Path) -> None:
    certificate, context = certify(tmp_path)
    async with mail_server(secure=context, starttls=True, login=True) as server:
        sender = mailer(
            server.port,
            mail_ca_file=certificate,
            mail_use_tls=True,
            mail_username=USERNAME,
            mail_password="secret-but-wrong",
        )
        with pytest.raises(Undelivered, match="535") as told:
            await sender.send(letter())
    assert "secret" not in repr(told.value)


@pytest.mark.parametrize(
    ("where", "answer", "error"),
    [
        ("mina@example.org", "550 nobody of that name", Undeliverable),
        ("mina@example.org", "450 mailbox busy", Undelivered),
        ("data", "554 looks like spam", Undeliverable),
        ("data", "451 try again", Undelivered),
    ],
)
async def test_refusal_is_for_ever_or_for_now(
    where: str, answer: str, error: type[Exception]
) -> None:
    async with mail_server(answers={where: answer}) as server:
        with pytest.raises(error) as told:
            await mailer(server.port).send(letter())
        assert "mina" not in str(told.value)
    assert server.mails == []


async def test_server_that_is_away_is_told_as_that(free_port: int) -> None:
    with pytest.raises(Undelivered):
        await mailer(free_port).send(letter())


async def test_server_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        async with asyncio.timeout(30):
            with pytest.raises(Undelivered):
                await mailer(port, mail_timeout_seconds=1).send(letter())


async def test_address_beyond_ascii_goes_where_the_server_speaks_it() -> None:
    async with mail_server() as server:
        await mailer(server.port).send(letter("미나@example.org"))
    assert server.mails[0]["To"] == "미나@example.org"
    async with mail_server(utf8=False) as server:
        with pytest.raises(Undeliverable):
            await mailer(server.port).send(letter("미나@example.org"))


async def test_console_prints_a_mail_and_nothing_that_steers_a_terminal() -> None:
    out = io.StringIO()
    mail = letter()
    mail.clear_content()
    mail.set_content("\x1b[2J\x9b2J한글 https://blog.example.org/x\r\n")
    await ConsoleMailer(out).send(mail)
    printed = out.getvalue()
    assert "To: mina@example.org" in printed
    assert "한글 https://blog.example.org/x" in printed
    assert not {"\x1b", "\x9b", "\r"} & set(printed)


def test_mailer_is_what_the_settings_ask_for() -> None:
    assert open_mailer(Settings()) is None
    assert open_mailer(Settings(mailer="none", mail_server="localhost")) is None
    console = open_mailer(Settings(mailer="console"))
    assert console is not None
    assert console.name == "console"
    smtp = open_mailer(Settings(mail_server="localhost", mail_from="blog@example.org"))
    assert smtp is not None
    assert smtp.name == "smtp"
