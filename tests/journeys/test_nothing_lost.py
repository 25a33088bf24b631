"""R1: servers are killed while people post and read; nothing is lost, missed or shown twice."""

import asyncio
import contextlib
import itertools
import random
import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.conftest import require
from tests.live.clients import listening
from tests.people import PASSWORD
from tests.services import AppServer, Postgres, Redis

READERS = 50
WRITERS = 5
POSTS_A_SECOND = 50
KILLS = 4
SECONDS_BETWEEN_KILLS = 2.0
PATIENCE_SECONDS = 30.0
ROOM = {
    "MICROBLOG_BCRYPT_ROUNDS": "4",
    "MICROBLOG_POSTS_PER_MINUTE": "1000000",
    "MICROBLOG_LOG_LEVEL": "error",
}


@dataclass
class Reader:
    """A client that reconnects for ever; with its cursor, or, as the control, without."""

    servers: list[AppServer]
    keeps_cursor: bool = True
    shown: Counter[str] = field(default_factory=Counter)
    connections: int = 0
    _cursor: str | None = None
    _epoch: str | None = None

    async def read_for_ever(self) -> None:
        while True:
            server = random.choice(self.servers)
            with contextlib.suppress(OSError, ConnectionClosed, InvalidHandshake, TimeoutError):
                await self._read_from(server)
            await asyncio.sleep(random.random() * 0.3)

    async def _read_from(self, server: AppServer) -> None:
        since, epoch = (self._cursor, self._epoch) if self.keeps_cursor else (None, None)
        async with listening(
            f"{server.ws_url}/live", topics="explore", since=since, epoch=epoch
        ) as client:
            self.connections += 1
            if since is None:
                self._cursor, self._epoch = client.cursor, client.epoch
            while True:
                frame = await client.frame(90)
                assert frame["type"] != "resync", frame
                for item in frame.get("items", []):
                    is_new = not self.keeps_cursor or int(item["id"]) > int(self._cursor or 0)
                    if is_new and item["kind"] == "post.published":
                        self.shown[item["data"]["id"]] += 1
                self._cursor = frame["cursor"]


@dataclass
class Writer:
    """Somebody who posts through the API and repeats what was not acknowledged."""

    servers: list[AppServer]
    token: str
    acknowledged: list[str] = field(default_factory=list)

    async def write_until(self, stop: asyncio.Event) -> None:
        async with httpx.AsyncClient(timeout=5) as http:
            for number in itertools.count():
                if stop.is_set():
                    return
                await self._write(http, f"Post {number} of {self.token[-6:]}")
                await asyncio.sleep(WRITERS / POSTS_A_SECOND)

    async def _write(self, http: httpx.AsyncClient, body: str) -> None:
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Idempotency-Key": secrets.token_hex(16),
        }
        while True:
            server = random.choice(self.servers)
            with contextlib.suppress(httpx.HTTPError):
                answer = await http.post(
                    f"{server.url}/api/posts", json={"body": body}, headers=headers
                )
                if answer.status_code == 201:
                    self.acknowledged.append(answer.json()["id"])
                    return
                assert answer.status_code == 503, answer.text
            await asyncio.sleep(0.05)


async def token_of(server: AppServer, username: str) -> str:
    """Sign somebody up through the API and return their access token."""
    account = {"username": username, "email": f"{username}@example.org", "password": PASSWORD}
    async with httpx.AsyncClient(base_url=server.url) as http:
        assert (await http.post("/api/users", json=account)).status_code == 201
        answer = await http.post("/api/tokens", auth=(username, PASSWORD))
        return str(answer.json()["access_token"])


async def kill_again_and_again(servers: list[AppServer]) -> None:
    """Kill a random server with SIGKILL and start it again, `KILLS` times."""
    for _ in range(KILLS):
        await asyncio.sleep(SECONDS_BETWEEN_KILLS)
        server = random.choice(servers)
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.restart)
    await asyncio.sleep(1)


async def run(servers: list[AppServer], *, keep_cursors: bool) -> tuple[list[str], list[Reader]]:
    """Let readers and writers live through the kills; return what was acknowledged and shown."""
    names = [f"writer{number}" for number in range(WRITERS)]
    writers = [Writer(servers, await token_of(servers[0], name)) for name in names]
    readers = [Reader(servers, keep_cursors) for _ in range(READERS)]
    reading = [asyncio.ensure_future(reader.read_for_ever()) for reader in readers]
    async with asyncio.timeout(20):
        while not all(reader.connections for reader in readers):
            await asyncio.sleep(0.05)
    stop = asyncio.Event()
    writing = [asyncio.ensure_future(writer.write_until(stop)) for writer in writers]
    await kill_again_and_again(servers)
    stop.set()
    await asyncio.gather(*writing)
    acknowledged = [post_id for writer in writers for post_id in writer.acknowledged]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_SECONDS if keep_cursors else 5):
            while any(reader.shown.keys() < set(acknowledged) for reader in readers):
                await asyncio.sleep(0.1)
    for task in reading:
        task.cancel()
    results = await asyncio.gather(*reading, return_exceptions=True)
    failures = [r for r in results if not isinstance(r, asyncio.CancelledError)]
    assert failures == []
    return acknowledged, readers


async def is_stored(server: AppServer, ids: list[str]) -> bool:
    """Tell whether each of the posts can be read."""
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
        answers = await asyncio.gather(*(http.get(f"/api/posts/{post_id}") for post_id in ids))
    return {answer.status_code for answer in answers} == {200}


@pytest.fixture(params=["sqlite", "postgres and redis"])
def servers(request: pytest.FixtureRequest) -> Iterator[list[AppServer]]:
    """One server on SQLite, or two on one PostgreSQL and one Redis."""
    if request.param == "sqlite":
        with AppServer(ROOM | {"SECRET_KEY": "r1" * 20}) as server:
            yield [server]
        return
    require("initdb", "redis-server")
    postgres: Postgres = request.getfixturevalue("postgres_server")
    redis: Redis = request.getfixturevalue("redis_server")
    url = postgres.create_database(request.getfixturevalue("migrated_postgres"))
    shared = {"DATABASE_URL": url, "REDIS_URL": redis.url, "SECRET_KEY": "r1" * 20}
    with AppServer(ROOM | shared) as one, AppServer(ROOM | shared) as other:
        yield [one, other]


@pytest.mark.R1
async def test_nothing_is_lost_missed_or_doubled_while_servers_are_killed(
    servers: list[AppServer],
) -> None:
    acknowledged, readers = await run(servers, keep_cursors=True)
    assert len(acknowledged) > 50
    assert len(set(acknowledged)) == len(acknowledged)
    assert sum(len(set(acknowledged) - reader.shown.keys()) for reader in readers) == 0
    assert [reader for reader in readers if max(reader.shown.values()) > 1] == []
    assert await is_stored(servers[0], acknowledged)


@pytest.mark.R1
async def test_clients_without_a_cursor_miss_posts(servers: list[AppServer]) -> None:
    """The control: if nothing is missed here, the test above proves nothing."""
    acknowledged, readers = await run(servers, keep_cursors=False)
    assert sum(len(set(acknowledged) - reader.shown.keys()) for reader in readers) > 0
