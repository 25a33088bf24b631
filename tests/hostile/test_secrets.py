"""S20: planted secrets are in no log, no error page, no traceback and no output of a command."""

import asyncio
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.hostile.conftest import PLAIN, SERVE, running
from tests.hostile.secrets import Planted, use_as_page, use_as_program
from tests.services import AppServer, ServiceError, choose_free_port

pytestmark = pytest.mark.S20

MAIL_PASSWORD = "mail-password-here"
METRICS_TOKEN = "token-of-who-looks-after-the-server"
LOG_FILE = "logs/microblog.log"
LOGS = {
    SERVE: {"MICROBLOG_LOG_FILE": LOG_FILE, "MICROBLOG_LOG_FORMAT": "console"},
    PLAIN: {"LOG_TO_STDOUT": "1"},
}
BROKEN = {"session": "moved", "refresh_token": "moved_too", "post": "elsewhere"}


@pytest.fixture(params=[SERVE, PLAIN])
def planted_server(
    request: pytest.FixtureRequest, migrated_sqlite: Path
) -> Iterator[tuple[AppServer, Planted]]:
    """A talkative server, with secrets in its settings."""
    planted = Planted()
    env = {
        "SECRET_KEY": planted.plant("secret key", "a key that signs everything here"),
        "REDIS_URL": "redis://:{}@127.0.0.1:{}/0".format(
            planted.plant("Redis password", "redis-password-here"), choose_free_port()
        ),
        "MICROBLOG_TRANSLATOR": "deepl",
        "MICROBLOG_TRANSLATOR_URL": f"http://127.0.0.1:{choose_free_port()}",
        "MS_TRANSLATOR_KEY": planted.plant("translator's key", "key-of-the-translator-here"),
        "MICROBLOG_LOG_LEVEL": "debug",
        "MICROBLOG_METRICS_TOKEN": planted.plant("token for the metrics", METRICS_TOKEN),
        **LOGS[request.param],
        **of_mail(planted.plant("mail password", MAIL_PASSWORD)),
        "ADMINS": planted.plant("an administrator's address", "owner@secret.example"),
    }
    with running(migrated_sqlite, request.param, **env) as server:
        yield server, planted


def of_mail(password: str) -> dict[str, str]:
    """Return settings of a mail server that is away."""
    where = {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": str(choose_free_port())}
    login = {"MAIL_USERNAME": "blog", "MAIL_PASSWORD": password}
    return where | login | {"MAIL_USE_TLS": "1", "MAIL_FROM": "blog@example.org"}


def break_tables(server: AppServer) -> None:
    """Let every sign-in, renewal and post crash in the middle."""
    with closing(sqlite3.connect(server.folder / "var" / "microblog.db", timeout=20)) as database:
        for name, other in BROKEN.items():
            database.execute(f'ALTER TABLE "{name}" RENAME TO "{other}"')
        database.commit()


async def test_no_secret_is_told_by_logs_and_errors(
    planted_server: tuple[AppServer, Planted],
) -> None:
    server, planted = planted_server
    await use_as_page(server, planted, "mina")
    await use_as_program(server, planted, "mina")
    await asyncio.to_thread(break_tables, server)
    await use_as_page(server, planted, "jun")
    await use_as_program(server, planted, "jun")
    assert len(planted.secrets) >= 30
    assert {303, 400, 401, 404, 422, 500, 503} - set(planted.statuses) == set(), planted.statuses
    log = server.output()
    file = server.folder / LOG_FILE
    log += file.read_text() if file.exists() else ""
    assert "Traceback" in log, "the crashes were logged"
    assert planted.found_in(log) == []
    metrics = await ask_for_metrics(server, planted)
    assert "microblog_requests_total" in metrics
    assert planted.found_in(metrics) == []
    for answer in planted.answers:
        assert planted.told_by(answer) == [], answer.text


async def ask_for_metrics(server: AppServer, planted: Planted) -> str:
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as http:
        for token in (f"{METRICS_TOKEN}x", METRICS_TOKEN):
            answer = await http.get("/metrics", headers={"Authorization": f"Bearer {token}"})
            planted.note(answer)
    assert answer.status_code == 200
    return answer.text


def test_secret_that_is_told_is_found() -> None:
    """The control, for each form in which a secret could be written."""
    planted = Planted()
    secret = planted.plant("password", "page password 한글")
    for text in (f"log: {secret}!", '{"p": "page password \\ud55c\\uae00"}', "?p=page+password+"):
        expected = [] if text.endswith("+") else ["password"]
        assert planted.found_in(text) == expected
    assert planted.found_in("q=page+password+%ED%95%9C%EA%B8%80&x") == ["password"]


DATABASE_PASSWORD, REDIS_PASSWORD, KEY = (
    "db-password-here",
    "redis-password-here",
    "k" * 40 + "secret",
)


def commands(python: str) -> list[list[str]]:
    begin = [python, "-m", "microblog"]
    return [
        [*begin, "config"],
        [*begin, "config", "--json"],
        [*begin, "serve", "--port", "0"],
        [*begin, "backup", "x.zip"],
    ]


@pytest.mark.parametrize(
    "database", ["postgresql://mina:{}@127.0.0.1:{}/blog", "mysql://m:{}@h:{}/x"]
)
def test_commands_show_no_secret_of_the_settings(tmp_path: Path, database: str) -> None:
    server = AppServer({})
    env = dict(server.environment()) | {
        "DATABASE_URL": database.format(DATABASE_PASSWORD, choose_free_port()),
        "REDIS_URL": f"redis://:{REDIS_PASSWORD}@127.0.0.1:{choose_free_port()}/0",
        "SECRET_KEY": KEY,
        "MICROBLOG_LOG_LEVEL": "debug",
        **of_mail(MAIL_PASSWORD),
    }
    try:
        for words in commands(server.python):
            done = subprocess.run(
                words,
                env=env,
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            told = done.stdout + done.stderr
            assert told
            for secret in (DATABASE_PASSWORD, REDIS_PASSWORD, KEY, MAIL_PASSWORD):
                assert secret not in told, words
    finally:
        server.close()


def test_server_that_waits_for_its_database_tells_no_password() -> None:
    """Plain hypercorn starts all the same, and says again and again what it waits for."""
    env = {
        "DATABASE_URL": f"postgresql://mina:{DATABASE_PASSWORD}@127.0.0.1:{choose_free_port()}/blog",
        "SECRET_KEY": KEY,
        "MICROBLOG_LOG_LEVEL": "debug",
    }
    server = AppServer(env, hypercorn=True)
    try:
        with pytest.raises(ServiceError):
            server.start(seconds=6)
        assert "start.waits" in server.output()
        for secret in (DATABASE_PASSWORD, KEY):
            assert secret not in server.output()
    finally:
        server.close()
