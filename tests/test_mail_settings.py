"""Settings of mail: the tutorial's names, what follows from them, and what contradicts itself."""

from pathlib import Path

import pytest

from microblog.core.errors import SettingError
from microblog.settings import Settings
from tests.test_settings import refusal

SERVER = {"MAIL_SERVER": "mail.example.org", "MAIL_FROM": "Our village <blog@example.org>"}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working folder, so that no `.env` of the checkout is seen."""
    monkeypatch.chdir(tmp_path)


def test_without_a_mail_server_no_mail_is_sent() -> None:
    settings = Settings.from_env({"MICROBLOG_PUBLIC_URL": "https://blog.example.org"})
    assert settings.mailer_in_use == "none"
    assert not settings.mails_people


def test_people_are_sent_mail_only_where_its_links_have_an_address() -> None:
    assert not Settings.from_env(SERVER).mails_people
    assert Settings.from_env(
        SERVER | {"MICROBLOG_PUBLIC_URL": "http://localhost:8000"}
    ).mails_people


@pytest.mark.parametrize(
    ("more", "port"),
    [
        ({}, 25),
        ({"MAIL_USE_TLS": "1"}, 587),
        ({"MAIL_USE_SSL": "1"}, 465),
        ({"MAIL_USE_TLS": "1", "MAIL_PORT": "2525"}, 2525),
    ],
)
def test_tutorials_names_are_understood(more: dict[str, str], port: int) -> None:
    settings = Settings.from_env(SERVER | more)
    assert settings.mailer_in_use == "smtp"
    assert settings.mail_server == "mail.example.org"
    assert settings.mail_port_in_use == port


def test_mail_is_from_the_first_administrator_where_no_sender_is_set() -> None:
    settings = Settings.from_env(
        {"MAIL_SERVER": "localhost", "ADMINS": "owner@example.org, other@example.org"}
    )
    assert settings.admins == ("owner@example.org", "other@example.org")
    assert settings.mail_sender == "owner@example.org"


def test_sender_may_have_a_name() -> None:
    settings = Settings.from_env(SERVER)
    assert settings.mail_sender == "Our village <blog@example.org>"
    assert settings.mail_domain == "example.org"


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"MICROBLOG_MAILER": "smtp"}, "MICROBLOG_MAIL_SERVER is not set"),
        ({"MAIL_SERVER": "mail.example.org"}, "MICROBLOG_MAIL_FROM=blog@example.org"),
        (SERVER | {"MAIL_USE_TLS": "1", "MAIL_USE_SSL": "1"}, "are both set"),
        (SERVER | {"MAIL_USERNAME": "blog"}, "set together or not"),
        (
            SERVER | {"MAIL_USERNAME": "blog", "MAIL_PASSWORD": "secret word"},
            "in the clear. Set MICROBLOG_MAIL_USE_TLS=1",
        ),
    ],
)
def test_contradiction_is_refused_in_a_sentence(environ: dict[str, str], told: str) -> None:
    said = refusal(environ)
    assert told in said
    assert "secret word" not in said


def test_password_may_go_to_this_machine_without_tls() -> None:
    login = {"MAIL_USERNAME": "blog", "MAIL_PASSWORD": "secret"}
    assert Settings.from_env(SERVER | login | {"MAIL_SERVER": "127.0.0.1"}).mail_password


def test_printed_mail_needs_no_server_and_no_sender() -> None:
    settings = Settings(mailer="console", public_url="http://localhost:8000")
    assert settings.mails_people
    assert settings.mail_sender == "microblog@localhost"


def test_contradiction_in_an_object_is_refused_too() -> None:
    with pytest.raises(SettingError, match="MICROBLOG_MAIL_SERVER"):
        Settings(mailer="smtp")
