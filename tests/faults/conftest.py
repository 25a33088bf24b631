"""The three set-ups on which everything that can go wrong is tried."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import require
from tests.faults.sites import SERVERS, SETUPS, TOGETHER, Site, opened
from tests.services import Postgres, Redis

on_all = pytest.mark.parametrize("setup", SETUPS)
on_many = pytest.mark.parametrize("setup", [TOGETHER, SERVERS])
on_servers = pytest.mark.parametrize("setup", [SERVERS])


def source_of(setup: str, request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return what a site of a set-up is made from: what all tests share."""
    if setup != SERVERS:
        return {"migrated": request.getfixturevalue("migrated_sqlite")}
    require("initdb", "postgres", "psql", "redis-server")
    return {
        "migrated": request.getfixturevalue("migrated_postgres"),
        "postgres": request.getfixturevalue("postgres_server"),
        "redis": request.getfixturevalue("redis_server"),
    }


@pytest.fixture(scope="session", params=SETUPS)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    """A microblog that many tests share: don't kill it."""
    with opened(
        request.param, **source_of(request.param, request), MICROBLOG_LOG_LEVEL="info"
    ) as one:
        yield one


@pytest.fixture
def setup(request: pytest.FixtureRequest) -> str:
    """The set-up of `own_site`: see `on_all`, `on_many` and `on_servers`."""
    return str(request.param)


@pytest.fixture
def env() -> dict[str, str]:
    """Further settings of `own_site`; a module or test may say others."""
    return {}


@pytest.fixture
def own_site(setup: str, env: dict[str, str], request: pytest.FixtureRequest) -> Iterator[Site]:
    """A microblog of the test's own; on servers, Redis is the test's own too."""
    source = source_of(setup, request)
    if setup == SERVERS:
        source["redis"] = request.getfixturevalue("own_redis")
    with opened(setup, **source, **env) as one:
        yield one


@pytest.fixture
def own_servers(own_postgres: Postgres, own_redis: Redis) -> Iterator[Site]:
    """Three processes on a PostgreSQL and a Redis of the test's own."""
    with opened(SERVERS, None, own_postgres, own_redis) as one:
        yield one
