"""Servers for whoever comes in bad faith: each on a database of its own, as people would run it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.crowd import ROOM
from tests.services import AppServer

ROOT = Path(__file__).parents[2]
SERVE = "microblog serve"
WITH_THE_FILE = "microblog serve with the checkout's hypercorn.toml"
PLAIN = "plain hypercorn"


@contextmanager
def running(
    migrated: Path, way: str = SERVE, kind: type[AppServer] = AppServer, **env: str
) -> Iterator[AppServer]:
    """Run a server on a copy of an SQLite file."""
    server = kind(ROOM | {"SECRET_KEY": "hostile" * 8} | env, hypercorn=way == PLAIN)
    try:
        (server.folder / "var").mkdir()
        shutil.copy(migrated, server.folder / "var" / "microblog.db")
        if way == WITH_THE_FILE:
            shutil.copy(ROOT / "hypercorn.toml", server.folder)
        yield server.start()
    finally:
        server.close()


@pytest.fixture
def one_server(migrated_sqlite: Path) -> Iterator[AppServer]:
    """A server of the test's own, of one process."""
    with running(migrated_sqlite) as server:
        yield server
