"""The servers of the tests can be killed and come back where they were."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import pymysql
import pytest
import redis

from tests import processes
from tests.mariadb import MariaDb
from tests.services import AppServer, Postgres, Redis, ServiceError, missing, name_in


async def fetch(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def test_redis_comes_back_on_its_port_after_a_kill(own_redis: Redis) -> None:
    with redis.Redis.from_url(own_redis.url) as client:
        client.set("name", "value")
        own_redis.kill()
        with pytest.raises(redis.ConnectionError):
            client.get("name")
        own_redis.start()
        assert client.get("name") is None
        assert client.set("name", "other")
        own_redis.restart()
        assert client.ping()


def test_redis_is_emptied(own_redis: Redis) -> None:
    with redis.Redis.from_url(own_redis.url) as client:
        client.set("name", "value")
        own_redis.flush()
        assert client.get("name") is None


async def test_postgres_keeps_what_was_committed_through_kills(own_postgres: Postgres) -> None:
    url = own_postgres.create_database()
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE kept (number integer)")
    for number in range(3):
        if connection.is_closed():
            connection = await asyncpg.connect(url)
        await connection.execute("INSERT INTO kept VALUES ($1)", number)
        own_postgres.kill()
        with pytest.raises(ConnectionRefusedError):
            await asyncpg.connect(url)
        own_postgres.start()
        connection.terminate()
        assert await fetch(url, "SELECT count(*) FROM kept") == number + 1
    own_postgres.restart()
    assert await fetch(url, "SELECT count(*) FROM kept") == 3


async def test_postgres_copies_a_template(postgres_server: Postgres) -> None:
    template = postgres_server.create_database()
    connection = await asyncpg.connect(template)
    await connection.execute("CREATE TABLE here AS SELECT 7 AS number")
    await connection.close()
    copy = postgres_server.create_database(template)
    assert await fetch(copy, "SELECT number FROM here") == 7
    for url in (template, copy):
        postgres_server.drop_database(url)
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(copy)


def test_mariadb_keeps_what_was_committed_through_kills(own_mariadb: MariaDb) -> None:
    name = name_in(own_mariadb.create_database())
    own_mariadb.execute("CREATE TABLE kept (number INT PRIMARY KEY)", database=name)
    for number in range(3):
        own_mariadb.execute(f"INSERT INTO kept VALUES ({number})", database=name)
        own_mariadb.kill()
        with pytest.raises(pymysql.err.OperationalError):
            own_mariadb.execute("SELECT 1")
        own_mariadb.start()
        assert own_mariadb.execute("SELECT count(*) FROM kept", database=name) == [(number + 1,)]
    own_mariadb.restart()
    assert own_mariadb.execute("SELECT count(*) FROM kept", database=name) == [(3,)]


def test_mariadb_copies_a_template(mariadb_server: MariaDb) -> None:
    template = mariadb_server.create_database()
    key = "CREATE TABLE {} (number INT PRIMARY KEY{})"
    mariadb_server.execute(
        key.format("parent", ""),
        key.format("child", " REFERENCES parent (number)"),
        "INSERT INTO parent VALUES (7)",
        "INSERT INTO child VALUES (7)",
        database=name_in(template),
    )
    copy = mariadb_server.create_database(template)
    assert mariadb_server.execute("SELECT * FROM child", database=name_in(copy)) == [(7,)]
    for url in (template, copy):
        mariadb_server.drop_database(url)
    with pytest.raises(pymysql.err.OperationalError, match="Unknown database"):
        mariadb_server.execute("SELECT 1", database=name_in(copy))


def test_server_that_cannot_start_says_why() -> None:
    with socket.socket() as taken:
        server = AppServer({}, hypercorn=True)
        taken.bind(("127.0.0.1", server.port))
        taken.listen()
        with pytest.raises(ServiceError, match=r"(?i)ended\. It printed:[\s\S]+in use"):
            server.start()
        server.close()
    assert not server.folder.exists()


def test_missing_server_is_told_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert missing("redis-server") == ["redis-server (apt install redis-server)"]
    assert missing("no-such-server", "python") == [
        "no-such-server (apt install no-such-server)",
        "python (apt install python)",
    ]


def test_servers_end_with_a_killed_test_run(own_redis: Redis) -> None:
    program = (
        "import time; from tests.services import Redis; server = Redis().start();"
        "print(server.process.pid, server.folder, flush=True); time.sleep(60)"
    )
    root = Path(processes.__file__).parent.parent
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=root, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        pid, folder = run.stdout.readline().split()
        os.kill(int(pid), 0)
        run.send_signal(signal.SIGKILL)
    while is_alive(int(pid)) or Path(folder).exists():
        time.sleep(0.01)
    assert own_redis.is_ready()


def is_alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()
