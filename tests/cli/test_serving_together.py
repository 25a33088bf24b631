"""Servers that share a database, and plain hypercorn on one that is not ready."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from microblog.cli.migrations import upgrade_to_head
from microblog.settings import Settings
from tests.cli.test_db import alembic
from tests.cli.test_serve import ENOUGH, found_in
from tests.conftest import both_databases
from tests.services import AppServer, Postgres, Redis


def until(so: Callable[[], bool], seconds: float = 20) -> None:
    """Ask again and again: a server tells nobody that it has become ready."""
    deadline = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.05)


@pytest.fixture
def empty_database(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    """The variables of a database without tables."""
    env = {"MICROBLOG_DATA_DIR": str(tmp_path)}
    if backend == "sqlite":
        return env
    server: Postgres = request.getfixturevalue("postgres_server")
    return env | {"MICROBLOG_DATABASE_URL": server.create_database()}


@both_databases
def test_plain_hypercorn_says_what_to_run_and_is_ready_after_it(
    empty_database: dict[str, str],
) -> None:
    server = AppServer(empty_database, hypercorn=True)
    try:
        server._spawn()
        until(lambda: server.status("/healthz") == 200)
        refused = httpx.get(server.url)
        assert refused.status_code == 503
        assert "alembic upgrade head" in refused.text
        assert "microblog db upgrade" in refused.text
        assert int(refused.headers["Retry-After"]) > 0
        told = httpx.get(f"{server.url}/readyz")
        assert told.status_code == 503
        assert "alembic upgrade head" in told.json()["migrations"]
        done = alembic("upgrade", "head", env=empty_database)
        assert done.returncode == 0, done.stderr
        until(lambda: server.status("/readyz") == 200)
        assert server.status("/") == 200
    finally:
        server.close()


@pytest.fixture
def two_servers(postgres_server: Postgres, redis_server: Redis) -> Iterator[list[AppServer]]:
    url = postgres_server.create_database()
    upgrade_to_head(Settings(database_url=url))
    env = {
        "DATABASE_URL": url,
        "REDIS_URL": redis_server.url,
        "SECRET_KEY": "shared by both machines " * 2,
        "MICROBLOG_BCRYPT_ROUNDS": "4",
    }
    servers = [AppServer(env), AppServer(env)]
    try:
        yield [server.start() for server in servers]
    finally:
        for server in servers:
            server.close()


def test_two_servers_on_one_database_are_one_microblog(two_servers: list[AppServer]) -> None:
    here, there = two_servers
    with httpx.Client() as browser:
        form = {
            "csrf_token": found_in(browser.get(f"{here.url}/auth/register").text),
            "username": "mina",
            "email": "mina@example.org",
            "password": ENOUGH,
            "password2": ENOUGH,
        }
        assert browser.post(f"{here.url}/auth/register", data=form).status_code == 303
        # The cookies of a host hold for all of its ports, so the browser is signed in there too.
        form = {"csrf_token": found_in(browser.get(there.url).text), "post": "Seen on both"}
        assert browser.post(f"{there.url}/posts", data=form).status_code == 303
    for server in two_servers:
        assert "Seen on both" in httpx.get(f"{server.url}/explore").text
        assert "Seen on both" in httpx.get(f"{server.url}/user/mina").text
        assert httpx.get(f"{server.url}/readyz").json()["bell"] == "ready"


def test_secret_of_another_server_opens_nothing(two_servers: list[AppServer]) -> None:
    here, _ = two_servers
    (link,) = [word for word in here.output().split() if "/setup?token=" in word]
    assert httpx.get(link).status_code == 200
    stranger = AppServer(here.env | {"SECRET_KEY": "of somebody else entirely " * 2})
    try:
        stranger.start()
        assert httpx.get(link.replace(here.url, stranger.url)).status_code == 404
    finally:
        stranger.close()
