"""What is said of a wrong setting: its name, what it should be, and an example."""

from pathlib import Path
from typing import Any

import pytest

from microblog.core.errors import SettingError
from microblog.settings import Settings, declared, variable
from tests.test_settings import refusal


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working folder, so that no `.env` of the checkout is seen."""
    monkeypatch.chdir(tmp_path)


WRONG = {
    "MICROBLOG_DATA_DIR": ["~nobody-lives-here/var"],
    "DATABASE_URL": ["nonsense"],
    "REDIS_URL": ["http://localhost", "redis://localhost:many", "redis://[", "redis://"],
    "SECRET_KEY": ["short", "x" * 31],
    "SECRET_KEY_FALLBACKS": ["short", "x" * 32 + ",short"],
    "MICROBLOG_ACCESS_TOKEN_KEY_FILE": ["~nobody-lives-here/key.pem"],
    "MICROBLOG_CALLS_PER_MINUTE": ["0"],
    "MICROBLOG_PUBLIC_URL": [
        "ftp://a",
        "blog.example.org",
        "https://a/b",
        "https://a:b",
        "https://",
        "https://me:secret@blog.example.org",
        "https://blog.example.org?x=1",
    ],
    "MICROBLOG_TRUSTED_PROXIES": ["localhost", "10.0.0.1/8", "1.2.3.4/33"],
    "LANGUAGES": ["de", "en,de", ","],
    "POSTS_PER_PAGE": ["0", "-1", "201", "ten", "2.5", "1_0", "9" * 5000],
    "MICROBLOG_MEMBERS_ONLY": ["maybe", "2"],
    "MICROBLOG_SIGN_UP_OPEN": ["-"],
    "MICROBLOG_SESSION_HOURS": ["0", "9999999999"],
    "MICROBLOG_REMEMBER_DAYS": ["0", "36501"],
    "MICROBLOG_ACCESS_TOKEN_SECONDS": ["0"],
    "MICROBLOG_REFRESH_TOKEN_DAYS": ["99999999"],
    "MICROBLOG_LOGIN_TRIES": ["0"],
    "MICROBLOG_SIGN_UPS_PER_HOUR": ["many"],
    "MICROBLOG_POSTS_PER_MINUTE": ["0"],
    "MICROBLOG_GUESS_LANGUAGES": ["maybe"],
    "MICROBLOG_TRANSLATOR": ["google"],
    "MICROBLOG_TRANSLATOR_URL": ["translate.example.org", "ftp://a", "http://me:secret@a", "http:"],
    "MS_TRANSLATOR_KEY": ["two words", "한글", "x" * 501],
    "MICROBLOG_TRANSLATOR_REGION": ["west us", "a:b"],
    "MICROBLOG_TRANSLATOR_TIMEOUT_SECONDS": ["0"],
    "MICROBLOG_TRANSLATIONS_PER_HOUR": ["0"],
    "MICROBLOG_TRANSLATIONS_KEPT": ["-1"],
    "MICROBLOG_BCRYPT_ROUNDS": ["3", "17"],
    "MICROBLOG_LOG_RETENTION_DAYS": ["0"],
    "MICROBLOG_LOG_RETENTION_EVENTS": ["0"],
    "MICROBLOG_HEARTBEAT_SECONDS": ["0"],
    "MICROBLOG_SOCKETS_PER_PERSON": ["0"],
    "MICROBLOG_SOCKETS_PER_PROCESS": ["0"],
    "MICROBLOG_REQUESTS_PER_PROCESS": ["0"],
    "MICROBLOG_EXPORT_HOURS": ["0", "169"],
    "MICROBLOG_JOBS_CONCURRENCY": ["-1", "many"],
    "MICROBLOG_POOL_SIZE": ["0"],
    "MICROBLOG_POOL_OVERFLOW": ["-1"],
    "MICROBLOG_POOL_TIMEOUT_SECONDS": ["0"],
    "MICROBLOG_BELL": ["gong", "postgresql"],
    "MICROBLOG_LOG_LEVEL": ["loud"],
    "MICROBLOG_LOG_FORMAT": ["xml"],
    "LOG_TO_STDOUT": ["maybe"],
    "MICROBLOG_LOG_FILE": ["~nobody-lives-here/log"],
    "MICROBLOG_LOG_FILE_BYTES": ["999"],
    "MICROBLOG_LOG_FILES_KEPT": ["0"],
    "MICROBLOG_METRICS_TOKEN": ["short"],
    "MICROBLOG_MAILER": ["pigeon"],
    "MAIL_SERVER": ["smtp://mail.example.org", "mail.example.org:25", "a b"],
    "MAIL_PORT": ["0", "65536", "smtp"],
    "MAIL_USE_TLS": ["maybe"],
    "MAIL_USE_SSL": ["2"],
    "MAIL_FROM": ["blog", "a@example.org, b@example.org", "a@example.org\nBcc: b@example.org"],
    "MICROBLOG_MAIL_CA_FILE": ["~nobody-lives-here/ca.pem"],
    "MICROBLOG_MAIL_TIMEOUT_SECONDS": ["0"],
    "ADMINS": ["owner", "owner@example.org;other@example.org"],
    "MICROBLOG_CONFIRM_ADDRESSES": ["perhaps"],
    "MICROBLOG_RESETS_PER_HOUR": ["0"],
    "ELASTICSEARCH_URL": ["localhost:9200", "ftp://localhost"],
    "MICROBLOG_ELASTICSEARCH_INDEX": ["Village", "a b", "*"],
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in WRONG.items() for value in values],
    ids=lambda text: text[:40],
)
def test_wrong_value_is_refused_by_its_name_with_an_example(name: str, value: str) -> None:
    told = refusal({name: value})
    assert told.startswith(name)
    assert f"For example: {name}=" in told
    assert "\n" not in told.replace(value, "")
    assert name != "SECRET_KEY" or value not in told


def test_every_setting_that_can_be_wrong_is_tried() -> None:
    tried = {name.removeprefix("MICROBLOG_").removeprefix("MS_").lower() for name in WRONG}
    assert {item.name for item in declared()} - tried == {
        "site_name",
        "mail_username",
        "mail_password",
    }


def test_every_example_is_a_value_that_is_taken() -> None:
    examples = {variable(item.name): item.metadata["example"] for item in declared()}
    settings = Settings.from_env(examples)
    assert set(settings.origins) == {item.name for item in declared()}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("log_level", "loud"),
        ("languages", ("de",)),
        ("bcrypt_rounds", 17),
        ("secret_key", "short"),
        ("redis_url", "http://localhost"),
        ("public_url", "blog.example.org"),
        ("database_url", "oracle://localhost/blog"),
    ],
)
def test_wrong_value_is_refused_in_an_object_too(name: str, value: Any) -> None:
    with pytest.raises(SettingError, match=variable(name)):
        Settings(**{name: value})
