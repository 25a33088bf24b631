"""Real servers for the tests: Redis, PostgreSQL and Microblog itself, as processes of their own.
MariaDB is in `mariadb`.

The fixtures of `conftest.py` and every test that kills or restarts a server use this module.
All of it is synchronous; an async test calls it through `asyncio.to_thread`.
Each server listens on loopback only and lives in a temporary folder of its own.
"""

import contextlib
import http.client
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import redis

from tests.processes import (
    START_SECONDS,
    STOP_SECONDS,
    Server,
    ServiceError,
    account,
    choose_free_port,
    clean_environment,
    find_program,
    missing,
)

__all__ = [
    "AppServer",
    "Postgres",
    "Redis",
    "ServiceError",
    "choose_free_port",
    "clean_environment",
    "missing",
]


class Redis(Server):
    """A Redis server that stores nothing on disk: after a restart it is empty."""

    name = "redis"
    tries_again = True  # the port may be held for a moment after a kill

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> Sequence[str]:
        program = find_program("redis-server") or "redis-server"
        where = ("--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder))
        return [program, *where, "--save", "", "--appendonly", "no"]

    def is_ready(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1, retry=None) as client:
                return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):
            return False

    def flush(self) -> None:
        """Empty all databases."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()


class Postgres(Server):
    """A PostgreSQL server with a fresh cluster; clients are trusted, for it is on loopback only.

    `durable` writes through to the disk as in production. Otherwise fsync is off and the cluster
    is kept in memory where there is room: a killed server still loses no commit, a dead machine
    would.
    """

    name = "postgres"
    stop_signal = signal.SIGINT  # SIGTERM would wait until every client has left
    tries_again = True  # its shared memory may be held for a moment after a kill

    def __init__(self, *, durable: bool = False) -> None:
        self.durable = durable
        memory = Path("/dev/shm")
        roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2**30
        super().__init__(memory if roomy and not durable else None)
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            names = {entry.pw_name for entry in pwd.getpwall()}
            self.user = "postgres" if "postgres" in names else "nobody"
            shutil.chown(self.folder, self.user)

    @property
    def url(self) -> str:
        return self.database_url("postgres")

    def database_url(self, name: str) -> str:
        return f"postgresql://microblog@127.0.0.1:{self.port}/{name}"

    def start(self, seconds: float = START_SECONDS) -> Self:
        if not (self.folder / "data" / "PG_VERSION").exists():
            self._initdb()
        return super().start(seconds)

    def command(self) -> Sequence[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 200,
            "jit": "off",
        }
        if not self.durable:
            settings |= {"fsync": "off", "full_page_writes": "off"}
        words = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        return [find_program("postgres") or "postgres", "-D", str(self.folder / "data"), *words]

    def is_ready(self) -> bool:
        return self._psql("SELECT 1").returncode == 0

    def execute(self, statement: str) -> None:
        """Run one statement outside of a transaction, in the database `postgres`."""
        done = self._psql(statement)
        if done.returncode != 0:
            raise ServiceError(f"{statement}\n{done.stderr}")

    def create_database(self, template: str | None = None) -> str:
        """Create a database, empty or as a copy of the one at the URL `template`; return its URL.

        Nobody may be connected to the template meanwhile.
        """
        name = f"test_{secrets.token_hex(6)}"
        source = f' TEMPLATE "{template.rpartition("/")[2]}"' if template else ""
        self.execute(f'CREATE DATABASE "{name}"{source}')
        return self.database_url(name)

    def drop_database(self, url: str) -> None:
        """Drop the database at this URL, with the connections to it."""
        self.execute(f'DROP DATABASE IF EXISTS "{url.rpartition("/")[2]}" WITH (FORCE)')

    def _initdb(self) -> None:
        options = ("-U", "microblog", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        subprocess.run(
            [find_program("initdb") or "initdb", *options, "-D", str(self.folder / "data")],
            check=True,
            capture_output=True,
            cwd=self.folder,
            timeout=60,
            **account(self.user),
        )

    def _psql(self, statement: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [find_program("psql") or "psql", "-Xq", "-d", self.url, "-c", statement],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "PGCONNECT_TIMEOUT": "5"},
            timeout=60,
        )


class AppServer(Server):
    """Microblog itself, as `microblog serve` or, with `hypercorn=True`, under plain hypercorn.

    `env` holds its settings and is all it gets: the settings of whoever runs the tests, and a
    `.env` in the checkout, are not seen. It runs in its own temporary `folder`, where by default
    its database is too. `python` may be the interpreter of another environment.
    """

    name = "microblog"

    def __init__(
        self,
        env: Mapping[str, str],
        *arguments: str,
        hypercorn: bool = False,
        python: str = sys.executable,
    ) -> None:
        super().__init__()
        self.env = dict(env)
        self.arguments = arguments
        self.hypercorn = hypercorn
        self.python = python

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def command(self) -> Sequence[str]:
        if self.hypercorn:
            bind = ("--bind", f"127.0.0.1:{self.port}")
            return [self.python, "-m", "hypercorn", *bind, *self.arguments, "microblog:app"]
        serve = ("-m", "microblog", "serve", "--port", str(self.port))
        return [self.python, *serve, *self.arguments]

    def environment(self) -> Mapping[str, str]:
        return {**clean_environment(), "PYTHONUNBUFFERED": "1", **self.env}

    def is_ready(self) -> bool:
        return self.status("/readyz") == 200

    def status(self, path: str) -> int | None:
        """Ask for a path; the status of the answer, or None where nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        with contextlib.closing(connection):
            try:
                connection.request("GET", path)
                return connection.getresponse().status
            except (OSError, http.client.HTTPException):
                return None

    def terminate(self) -> int:
        """Ask for the end (SIGTERM), wait for it, and return the exit status.

        Raises `ServiceError` where the server does not end in time, which is a fault of ours.
        """
        if self.process is None:
            raise ServiceError(f"{self.name} is not running")
        self.process.terminate()
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise ServiceError(f"{self.name} ignored SIGTERM\n{self.output()}") from error


def name_in(url: str) -> str:
    """Take the database's name out of one of our own addresses."""
    return url.rpartition("/")[2]
