"""A microblog on one of three set-ups, as `conftest` starts it for the tests of what goes wrong.

It knows its worker processes and which of them serves a connection, and it can be locked.
"""

import asyncio
import os
import re
import shutil
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from microblog.database import Database, open_database
from microblog.order import LOG_LOCK
from microblog.settings import Settings
from tests.crowd import ROOM
from tests.live.clients import LiveClient, listening
from tests.people import PASSWORD
from tests.services import AppServer, Postgres, Redis

ALONE = "one process on SQLite"
TOGETHER = "three processes on SQLite"
SERVERS = "three processes on PostgreSQL and Redis"
SETUPS = [ALONE, TOGETHER, SERVERS]
WORKERS = 3
SECRET = "kept by all of them " * 2
ESTABLISHED = "01"
_FORM_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class Site:
    """A running microblog and what it stands on."""

    setup: str
    server: AppServer
    postgres: Postgres | None = None
    redis: Redis | None = None
    database_url: str | None = None

    @property
    def live_url(self) -> str:
        return f"{self.server.ws_url}/live"

    @property
    def file(self) -> Path:
        """The database where it is SQLite."""
        return self.server.folder / "var" / "microblog.db"

    # --- Processes ------------------------------------------------------------------------------

    @property
    def workers(self) -> set[int]:
        """The processes that serve."""
        assert self.server.process is not None
        pid = self.server.process.pid
        if self.setup == ALONE:
            return {pid}
        return {int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}

    async def server_of(self, port: int) -> int:
        """Return the worker that serves the connection from a port."""
        async with asyncio.timeout(10):
            while True:
                if (inode := self._inode(port)) is not None:
                    name = f"socket:[{inode}]"
                    for pid in self.workers:
                        if name in _open_names(pid):
                            return pid
                await asyncio.sleep(0.01)

    def serves(self, port: int) -> bool:
        """Tell whether a worker still holds the connection from a port."""
        return self._inode(port) is not None

    def _inode(self, port: int) -> int | None:
        ours, theirs = f":{self.server.port:04X}", f":{port:04X}"
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            words = line.split()
            ends = words[1].endswith(ours), words[2].endswith(theirs)
            if all(ends) and words[3] == ESTABLISHED and words[9] != "0":
                return int(words[9])
        return None

    async def kill(self, pid: int) -> None:
        """Kill a worker with SIGKILL; `complete` brings a single process back."""
        if self.setup == ALONE:
            await asyncio.to_thread(self.server.kill)
            return
        before = self.workers
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(10):
            while pid in self.workers:
                await asyncio.sleep(0.01)
        assert self.workers >= before - {pid}, "the others stay"

    async def complete(self, seconds: float = 40) -> float:
        """Wait until as many workers are there as were asked for; return how long that took.

        A single process that was killed is started again, as its owner's machine does.
        """
        began = time.monotonic()
        if not self.server.running:
            await asyncio.to_thread(self.server.start)
        number = 1 if self.setup == ALONE else WORKERS
        async with asyncio.timeout(seconds):
            while len(self.workers) < number or self.server.status("/readyz") != 200:
                await asyncio.sleep(0.02)
        return time.monotonic() - began

    def resident_bytes(self) -> dict[int, int]:
        """Return the memory of each worker."""
        found = {}
        for pid in self.workers:
            status = Path(f"/proc/{pid}/status").read_text()
            found[pid] = int(status.partition("VmRSS:")[2].split()[0]) * 1024
        return found

    # --- The database ---------------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        folder = self.server.folder / "var"
        return Settings(
            data_dir=folder, database_url=self.database_url, secret_key=SECRET, bcrypt_rounds=4
        )

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """Open the database as a command beside the server does."""
        opened = open_database(self.settings)
        try:
            yield opened
        finally:
            await opened.close()

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Execute a statement and return its rows; it is committed."""
        if self.database_url is None:
            connection = sqlite3.connect(self.file, timeout=20)
            try:
                with connection:
                    return connection.execute(statement).fetchall()
            finally:
                connection.close()
        remote = await asyncpg.connect(self.database_url)
        try:
            return [tuple(row) for row in await remote.fetch(statement)]
        finally:
            await remote.close()

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """Let nobody write while the block runs: the lock of the file, or that of the log."""
        if self.database_url is None:
            connection = sqlite3.connect(self.file, timeout=20, isolation_level=None)
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield
            finally:
                connection.close()
            return
        remote = await asyncpg.connect(self.database_url)
        try:
            await remote.execute(f"SELECT pg_advisory_lock({LOG_LOCK})")
            yield
        finally:
            await remote.close()

    async def doubled_posts(self) -> list[tuple[Any, ...]]:
        """Return the texts that are stored more than once."""
        return await self.rows("SELECT body FROM post GROUP BY body HAVING count(*) > 1")

    # --- People ---------------------------------------------------------------------------------

    async def browser(self, username: str) -> httpx.AsyncClient:
        """Sign somebody up in a browser, which the caller closes."""
        http = httpx.AsyncClient(base_url=self.server.url, timeout=15)
        form = {
            "csrf_token": form_token((await http.get("/auth/register")).text),
            "username": username,
            "email": f"{username}@example.org",
            "password": PASSWORD,
            "password2": PASSWORD,
        }
        assert (await http.post("/auth/register", data=form)).status_code == 303
        return http


def form_token(page: str) -> str:
    """Return the token of a page's form."""
    found = _FORM_TOKEN.search(page)
    assert found is not None, page
    return found[1]


async def spread(
    stack: AsyncExitStack, site: Site, count: int, **how: Any
) -> dict[LiveClient, int]:
    """Connect clients to two workers at least, where there are so many; says who serves which."""
    wanted = 1 if site.setup == ALONE else 2
    found: dict[LiveClient, int] = {}
    async with asyncio.timeout(30):
        while len(found) < count or len(set(found.values())) < wanted:
            made = await asyncio.gather(
                *(stack.enter_async_context(listening(site.live_url, **how)) for _ in range(count))
            )
            for client in made:
                found[client] = await site.server_of(client.port)
    first = {pid: client for client, pid in found.items()}  # one of each worker stays
    kept = [*first.values(), *(client for client in found if client not in first.values())][:count]
    for client in found.keys() - set(kept):
        await client.socket.close()
    return {client: found[client] for client in kept}


def _open_names(pid: int) -> set[str]:
    names = set()
    for entry in os.scandir(f"/proc/{pid}/fd"):
        try:
            names.add(os.readlink(entry.path))
        except OSError:
            continue  # closed meanwhile
    return names


@contextmanager
def opened(
    setup: str,
    migrated: Path | str | None,
    postgres: Postgres | None = None,
    redis: Redis | None = None,
    **env: str,
) -> Iterator[Site]:
    """Start a microblog on a set-up, its database a copy of `migrated` where that is given."""
    words = () if setup == ALONE else ("--workers", str(WORKERS))
    server = AppServer(settings_of(setup, env), *words)
    site = Site(setup, server, postgres, redis)
    try:
        if setup == SERVERS:
            assert postgres is not None
            assert redis is not None
            site.database_url = postgres.create_database(str(migrated) if migrated else None)
            server.env |= {"DATABASE_URL": site.database_url, "REDIS_URL": redis.url}
        elif migrated is not None:
            site.file.parent.mkdir()
            shutil.copy(migrated, site.file)
        server.start()
        yield site
    finally:
        server.close()
        if site.database_url is not None and postgres is not None and postgres.running:
            postgres.drop_database(site.database_url)


def settings_of(setup: str, env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a microblog on a set-up."""
    return ROOM | {"SECRET_KEY": SECRET} | dict(env)
