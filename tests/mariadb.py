"""A real MariaDB for the tests, as `services` has Redis and PostgreSQL."""

import contextlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Self

import pymysql
from pymysql.constants import CLIENT

from tests.processes import START_SECONDS, Server, ServiceError, find_program


class MariaDb(Server):
    """A MariaDB server with fresh data, in memory where there is room; root needs no password.

    A killed server loses no commit, a dead machine would: nothing waits for the disk.
    """

    name = "mariadb"
    tries_again = True  # the port and the files may be held for a moment after a kill

    def __init__(self) -> None:
        memory = Path("/dev/shm")
        roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2**30
        super().__init__(memory if roomy else None)

    @property
    def url(self) -> str:
        return self.database_url("mysql")

    def database_url(self, name: str) -> str:
        return f"mysql://root@127.0.0.1:{self.port}/{name}"

    def start(self, seconds: float = START_SECONDS) -> Self:
        if not (self.folder / "data" / "mysql").exists():
            self._install()
        return super().start(seconds)

    def command(self) -> Sequence[str]:
        settings = {
            "port": self.port,
            "bind-address": "127.0.0.1",
            "socket": self.folder / "socket",
            "pid-file": self.folder / "pid",
            "max-connections": 200,
            "innodb-buffer-pool-size": "64M",
            "innodb-flush-log-at-trx-commit": 2,
            "innodb-doublewrite": "OFF",
        }
        words = [f"--{key}={value}" for key, value in settings.items()]
        return [*self._program("mariadbd"), "--skip-name-resolve", "--skip-log-bin", *words]

    def is_ready(self) -> bool:
        try:
            self.execute("SELECT 1")
        except pymysql.err.OperationalError:
            return False
        return True

    def execute(self, *statements: str, database: str | None = None) -> list[tuple[Any, ...]]:
        """Execute statements, each committed by itself, and return the rows of the last."""
        address = {"host": "127.0.0.1", "port": self.port, "user": "root", "connect_timeout": 5}
        with contextlib.closing(
            pymysql.connect(
                **address,
                database=database,
                autocommit=True,
                charset="utf8mb4",
                client_flag=CLIENT.MULTI_STATEMENTS,
            )
        ) as connection:
            cursor = connection.cursor()
            cursor.execute(";".join(statements))
            rows = cursor.fetchall()
            while cursor.nextset():
                rows = cursor.fetchall()
            return list(rows)

    def create_database(self, template: str | None = None) -> str:
        """Create a database, empty or as a copy of that at the URL `template`; return its URL."""
        name = f"test_{secrets.token_hex(6)}"
        self.execute(f"CREATE DATABASE `{name}`")
        if template is not None:
            source = template.rpartition("/")[2]
            self.execute(*self._statements(source), database=name)
        return self.database_url(name)

    def drop_database(self, url: str) -> None:
        """Drop the database at this URL."""
        self.execute(f"DROP DATABASE IF EXISTS `{url.rpartition('/')[2]}`")

    @cache  # noqa: B019 - as long as the server lives
    def _statements(self, source: str) -> list[str]:
        """Say how a template is copied: MariaDB has no way of its own."""
        tables = [row[0] for row in self.execute("SHOW TABLES", database=source)]
        made = [self.execute(f"SHOW CREATE TABLE `{source}`.`{name}`")[0][1] for name in tables]
        filled = [f"INSERT INTO `{name}` SELECT * FROM `{source}`.`{name}`" for name in tables]
        return ["SET foreign_key_checks = 0", *made, *filled]

    def _install(self) -> None:
        words = ("--skip-test-db", "--auth-root-authentication-method=normal")
        done = subprocess.run(
            [*self._program("mariadb-install-db"), *words],
            check=False,
            capture_output=True,
            text=True,
            cwd=self.folder,
            timeout=60,
        )
        if done.returncode != 0:
            raise ServiceError(f"mariadb-install-db\n{done.stdout}\n{done.stderr}")

    def _program(self, name: str) -> list[str]:
        found = [find_program(name) or name, "--no-defaults", f"--datadir={self.folder / 'data'}"]
        return [*found, "--user=root"] if os.geteuid() == 0 else found
