"""What every test may ask for: servers, ports, time limits; pytest reads this file by itself."""

import asyncio
import os
import secrets
import shutil
import signal
from collections.abc import AsyncIterator, Generator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

import hypothesis
import pytest
from quart import Quart

from microblog import create_app
from microblog.cli.db import upgrade_to_head
from microblog.database import Database, open_database
from microblog.jobs import HANDLERS
from microblog.jobs.worker import recurring
from microblog.runtime import EXTENSION
from microblog.settings import Settings
from tests.elastic import Elasticsearch
from tests.fake_translator import REFUSALS, FakeTranslator, fake_translator
from tests.mailboxes import MailServer, mail_server
from tests.mariadb import MariaDb
from tests.people import MakePost, MakeUser, Visit
from tests.requiring import IN_CI, require, require_elasticsearch
from tests.services import Postgres, Redis, choose_free_port, clean_environment
from tests.serving import Serving, serving

LIMIT_SECONDS = 120

hypothesis.settings.register_profile("dev", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)


# --- The run as a whole ------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", f"limit(seconds): the time limit of a test, instead of {LIMIT_SECONDS} s"
    )
    hypothesis.settings.load_profile("ci" if IN_CI else "dev")
    # The settings of whoever runs the tests are none of the tests' business.
    for name in os.environ.keys() - clean_environment().keys():
        del os.environ[name]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the whole run in CI when anything was skipped: there, everything must be tested."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if IN_CI and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line("CI skips nothing, but tests were skipped: see the list below")
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


# --- Time limits: a hang fails its test and the run goes on --------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    return (yield from limited(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    return (yield from limited(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    return (yield from limited(item))


def limited(item: pytest.Item) -> Generator[None, None, None]:
    """Raise out of what hangs in one phase of a test; `faulthandler_timeout` is the last resort.

    The alarm rings again each second, for an event loop swallows what is raised in a callback.
    """
    marker = item.get_closest_marker("limit")
    seconds = marker.args[0] if marker else LIMIT_SECONDS

    def ring(_number: int, _frame: FrameType | None) -> None:
        pytest.fail(f"still not done after {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# --- Servers -----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    """The Redis that all tests share: don't stop it, and don't count on finding it empty."""
    require("redis-server")
    with Redis() as server:
        yield server


@pytest.fixture
def own_redis() -> Iterator[Redis]:
    """A Redis of the test's own, to be killed as it likes."""
    require("redis-server")
    with Redis() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """The PostgreSQL that all tests share: create a database in it, but don't stop it."""
    require("initdb", "postgres", "psql")
    with Postgres() as server:
        yield server


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A PostgreSQL of the test's own, to be killed as it likes."""
    require("initdb", "postgres", "psql")
    with Postgres() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariaDb]:
    """The MariaDB that all tests share: create a database in it, but don't stop it."""
    require("mariadbd", "mariadb-install-db")
    with MariaDb() as server:
        yield server


@pytest.fixture
def own_mariadb() -> Iterator[MariaDb]:
    """A MariaDB of the test's own, to be killed as it likes."""
    require("mariadbd", "mariadb-install-db")
    with MariaDb() as server:
        yield server


@pytest.fixture(scope="session")
def elastic_server() -> Iterator[Elasticsearch]:
    """The Elasticsearch that all tests share: use indexes of your own, and don't stop it."""
    require_elasticsearch()
    with Elasticsearch() as server:
        yield server


@pytest.fixture
def free_port() -> int:
    """A loopback port that nobody listens on."""
    return choose_free_port()


@pytest.fixture
def translation_service(request: pytest.FixtureRequest) -> Iterator[FakeTranslator]:
    """A fake of DeepL, or of the service that is the parameter (`each_service`)."""
    with fake_translator(getattr(request, "param", "deepl")) as fake:
        yield fake


each_service = pytest.mark.parametrize("translation_service", sorted(REFUSALS), indirect=True)


# --- The app, its databases, its people --------------------------------------------------------


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with all tables, to be copied: migrating takes longer than a test."""
    path = tmp_path_factory.mktemp("migrated") / "microblog.db"
    _make_tables(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: Postgres) -> str:
    """The address of a PostgreSQL database with all tables, to be copied."""
    url = postgres_server.create_database()
    _make_tables(url)
    return url


@pytest.fixture(scope="session")
def migrated_mariadb(mariadb_server: MariaDb) -> str:
    """The address of a MariaDB database with all tables, to be copied."""
    url = mariadb_server.create_database()
    _make_tables(url)
    return url


def _make_tables(url: str) -> None:
    """Make all tables, and let what comes by itself come tomorrow: tests count rows."""
    settings = Settings(database_url=url)
    upgrade_to_head(settings)

    async def put_off() -> None:
        database = open_database(settings)
        async with database.write() as tx:
            for kind, handler in HANDLERS.items():
                if handler.every is not None:
                    tomorrow = datetime.now(UTC) + timedelta(days=1)
                    tx.enqueue(handler.task(), key=recurring(kind), at=tomorrow)
        await database.close()

    asyncio.run(put_off())


both_databases = pytest.mark.parametrize("backend", ["sqlite", "postgres"], indirect=True)
# For what speaks to the database as nothing else does; the rest says nothing new of MariaDB.
all_databases = pytest.mark.parametrize("backend", ["sqlite", "postgres", "mariadb"], indirect=True)


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> str:
    """On what the test runs: "sqlite" alone, "postgres" or "mariadb" with Redis."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def settings(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """Settings of a microblog with an empty database of its own."""
    common: dict[str, Any] = {"data_dir": tmp_path, "secret_key": "test" * 16, "bcrypt_rounds": 4}
    common["calls_per_minute"] = 10**6  # one program asks for everything that there is
    if backend in {"sqlite", "elastic"}:
        source = request.getfixturevalue("migrated_sqlite")
        shutil.copy(source, tmp_path / "microblog.db")
        if backend == "elastic":
            common |= {
                "elasticsearch_url": request.getfixturevalue("elastic_server").url,
                "elasticsearch_index": f"test-{secrets.token_hex(6)}",
            }
        yield Settings(**common, log_level="error")
        return
    server: Postgres | MariaDb = request.getfixturevalue(f"{backend}_server")
    redis: Redis = request.getfixturevalue("redis_server")
    url = server.create_database(request.getfixturevalue(f"migrated_{backend}"))
    yield Settings(**common, log_level="error", database_url=url, redis_url=redis.url)
    server.drop_database(url)


@pytest.fixture
async def sink() -> AsyncIterator[MailServer]:
    """A mail server; `settings` send there where a test file says so (`mailboxes.mailed_by`)."""
    async with mail_server() as server:
        yield server


@pytest.fixture
async def app(settings: Settings, database: Database) -> AsyncIterator[Quart]:
    """The application, serving: its log is followed, but no port is open."""
    made = create_app(settings)
    async with made.test_app():
        database.ring = made.extensions[EXTENSION].bell.ring
        yield made


@pytest.fixture
async def server(settings: Settings, database: Database) -> AsyncIterator[Serving]:
    """The application on a real port, in this process."""
    async with serving(settings) as running:
        database.ring = running.runtime.bell.ring
        yield running


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    """The test's database. What the test writes rings the bell of `app` or `server`."""
    opened = open_database(settings)
    yield opened
    await opened.close()


@pytest.fixture
def make_user(database: Database) -> MakeUser:
    """Make a person: `await make_user("mina")`; the password is `people.PASSWORD`."""
    return MakeUser(database)


@pytest.fixture
def make_post(database: Database) -> MakePost:
    """Publish a post: `await make_post(mina, "Hello")`."""
    return MakePost(database)


@pytest.fixture
def visit(app: Quart, database: Database) -> Visit:
    """Open a browser without JavaScript: `await visit(mina)`, or `await visit()` for a stranger."""
    return Visit(app, database)
