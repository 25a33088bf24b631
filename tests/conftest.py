"""What every test may ask for: servers, ports, time limits; pytest reads this file by itself."""

import os
import signal
from collections.abc import Generator, Iterator
from types import FrameType

import hypothesis
import pytest

from tests.services import Postgres, Redis, choose_free_port, clean_environment, missing

LIMIT_SECONDS = 120
IN_CI = bool(os.environ.get("CI"))

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


def require(*programs: str) -> None:
    """Skip a test whose server this machine lacks, with its name told; in CI that is a failure."""
    if absent := missing(*programs):
        message = f"not installed: {', '.join(absent)}"
        pytest.fail(message) if IN_CI else pytest.skip(message)


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


@pytest.fixture
def free_port() -> int:
    """A loopback port that nobody listens on."""
    return choose_free_port()


# --- The app, its databases, its people --------------------------------------------------------
# (the fixtures of the app and of its databases go here)
