"""Mail as it is made: both forms, both languages, and no way to put a header in."""

import re
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microblog.core.errors import Invalid, SettingError
from microblog.core.names import check_email
from microblog.core.tasks import SendMail
from microblog.core.tokens import link_token
from microblog.render.mail import compose, one_line
from microblog.resources import TEMPLATES
from microblog.settings import Settings
from tests.mailboxes import text_of

SECRET = "test" * 16
SETTINGS = Settings(
    mailer="console", public_url="https://blog.example.org", site_name="Our village"
)
VALUES: dict[str, dict[str, Any]] = {
    "reset_password": {"accounts": [{"username": "mina", "nonce": "n1"}], "minutes": 10},
    "confirm_address": {"username": "mina", "nonce": "n2", "hours": 24},
    "address_changed": {"username": "mina"},
    "export_ready": {"username": "mina", "until": "2026-02-03T04:05:06+00:00"},
    "new_device": {
        "username": "mina",
        "device": "Firefox <b>&",
        "system": "Windows",
        "place": "203.0.113.0/24",
        "at": "2026-02-03T04:05:06+00:00",
    },
    "fault": {
        "kind": "KeyError at microblog/web/posts.py:7 in show",
        "where": "GET /post/<int:post_id>",
        "number": "0123456789abcdef",
        "trace": ["microblog/web/posts.py:7 in show", "KeyError"],
        "version": "1.0",
    },
}
HANGUL = re.compile("[가-힣]")


def task(template: str = "reset_password", **more: Any) -> SendMail:
    common = {"to": "mina@example.org", "template": template, "language": "en"}
    made = {"message_id": "<one@example.org>", "written_at": "2026-02-03T04:05:06.789+00:00"}
    return SendMail(**{**common, **made, "values": VALUES.get(template, {}), **more})


def sent(mail: EmailMessage) -> EmailMessage:
    """Return a mail as its reader's program reads it."""
    return cast("EmailMessage", message_from_bytes(mail.as_bytes(), policy=SMTP))


def test_every_folder_of_templates_has_an_example_and_its_three_parts() -> None:
    folders = {path.name: path for path in (TEMPLATES / "email").iterdir() if path.is_dir()}
    assert folders.keys() == VALUES.keys()
    for path in folders.values():
        assert {p.name for p in path.iterdir()} == {"subject.txt", "body.txt", "body.html"}


@pytest.mark.parametrize("code", ["en", "ko"])
@pytest.mark.parametrize("template", VALUES)
def test_mail_is_whole_in_each_language(template: str, code: str) -> None:
    mail = sent(compose(task(template, language=code), SETTINGS, SECRET))
    text, markup = text_of(mail), text_of(mail, "html")
    assert mail.get_content_type() == "multipart/alternative"
    assert mail["To"] == "mina@example.org"
    assert mail["From"] == "Our village <microblog@localhost>"
    assert mail["Date"] == "Tue, 03 Feb 2026 04:05:06 +0000"
    assert mail["Message-ID"] == "<one@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Content-Language"] == code
    assert f'<html lang="{code}">' in markup
    for shown in (str(mail["Subject"]), text, markup):
        assert bool(HANGUL.search(shown)) is (code == "ko"), shown
    for unwanted in ("{{", "{%", "None", "&lt;b", "\n\n\n"):
        assert unwanted not in text
    assert not re.search(r"<(script|img|link)\b", markup), "nothing is loaded from anywhere"


def test_same_task_makes_the_same_mail() -> None:
    first, second = (compose(task(), SETTINGS, SECRET) for _ in range(2))
    boundary = re.compile(r"={3,}\d+==")
    assert boundary.sub("", first.as_string()) == boundary.sub("", second.as_string())


def test_links_lead_to_the_configured_address_and_hold_what_the_nonce_alone_does_not() -> None:
    mail = compose(task(), SETTINGS, SECRET)
    expected = f"https://blog.example.org/auth/reset_password/{link_token(SECRET, 'n1')}"
    assert expected in text_of(mail)
    assert f'href="{expected}"' in text_of(mail, "html")
    assert link_token("other" * 16, "n1") not in mail.as_string()


def test_text_is_text_and_markup_is_escaped() -> None:
    mail = sent(compose(task("new_device"), SETTINGS, SECRET))
    assert "Firefox <b>& on Windows\n" in text_of(mail)
    assert "Firefox &lt;b&gt;&amp; on Windows" in text_of(mail, "html")


def test_domain_of_an_address_is_written_as_servers_know_it() -> None:
    mail = sent(compose(task(to="mina@한국.example"), SETTINGS, SECRET))
    assert mail["To"] == "mina@xn--3e0b707e.example"


anything = st.text(
    st.one_of(st.sampled_from("\r\n\0\t\x0b\x0c\x1c\x85\u2028 :<>@,;\"'()%{}"), st.characters()),
    max_size=60,
)
injected = st.tuples(
    anything, st.sampled_from(["\r\nBcc: evil@example.org", "\nX-Evil: 1", ""])
).map("".join)
HEADERS = {
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "content-language",
    "auto-submitted",
    "content-type",
    "mime-version",
}


@given(site=injected, username=injected, device=injected)
def test_nothing_that_is_written_becomes_a_header(site: str, username: str, device: str) -> None:
    named = replace(SETTINGS, site_name=site)
    values = {
        "username": username,
        "device": device,
        "place": device,
        "at": "2026-01-01T00:00+00:00",
    }
    faulty = {"kind": device, "where": username, "number": "", "trace": [device], "version": "1"}
    for template, given_values in (("new_device", values), ("fault", faulty)):
        mail = compose(task(template, values=given_values), named, SECRET)
        read = sent(mail)
        assert {name.lower() for name in read.keys()} <= HEADERS  # noqa: SIM118 - it has repetitions
        assert len(read.keys()) == len(HEADERS)
        assert read["To"] == "mina@example.org"


@given(address=injected)
def test_address_that_is_taken_is_the_only_recipient(address: str) -> None:
    try:
        taken = check_email(address)
        made = compose(task(to=taken), SETTINGS, SECRET)
    except (Invalid, UnicodeError):
        return
    assert len(made["To"].addresses) == 1
    assert "Bcc" not in made


@given(sender=injected)
def test_sender_that_is_taken_is_one_mailbox(sender: str) -> None:
    try:
        settings = replace(SETTINGS, mail_from=f"{sender} <blog@example.org>")
    except SettingError:
        return
    read = sent(compose(task(), settings, SECRET))
    assert [one.addr_spec for one in read["From"].addresses] == ["blog@example.org"]
    assert len(read.keys()) == len(HEADERS)


@given(anything)
def test_line_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1
    assert one_line(text).isprintable()


def test_templates_name_only_pages_that_are_there() -> None:
    from microblog import create_app

    rules = [rule.rule for rule in create_app().url_map.iter_rules()]
    paths = set()
    for file in Path(TEMPLATES / "email").rglob("body.*"):
        paths |= set(re.findall(r"""link\(["'](/[^"']*)["']""", file.read_text()))
    assert len(paths) >= 4
    assert [p for p in paths if p not in rules and f"{p}<token>" not in rules] == []
