"""People who post and read through everything that happens to the servers, and what they saw.

Readers keep a cursor and reconnect for ever; writers repeat with the same `Idempotency-Key` what
was not acknowledged.
"""

import asyncio
import contextlib
import itertools
import random
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.live.clients import listening
from tests.people import PASSWORD
from tests.services import AppServer

WRITERS = 5
POSTS_A_SECOND = 50
PATIENCE_SECONDS = 30.0
UNANSWERED = 0  # in place of a status: the connection failed or ended
ROOM = {
    "MICROBLOG_BCRYPT_ROUNDS": "4",
    "MICROBLOG_POSTS_PER_MINUTE": "1000000",
    "MICROBLOG_CALLS_PER_MINUTE": "1000000",
    "MICROBLOG_SIGN_UPS_PER_HOUR": "1000000",
    "MICROBLOG_LOGIN_TRIES": "1000000",
    "MICROBLOG_LOG_LEVEL": "error",
}


@dataclass
class Reader:
    """A client that reconnects for ever; with its cursor, or, as the control, without."""

    servers: Sequence[AppServer]
    keeps_cursor: bool = True
    shown: Counter[str] = field(default_factory=Counter)
    seen_at: dict[str, float] = field(default_factory=dict)
    connections: int = 0
    port: int | None = None  # that it is connected from, if it is
    _cursor: str | None = None
    _epoch: str | None = None

    async def read_for_ever(self) -> None:
        while True:
            server = random.choice(self.servers)
            with contextlib.suppress(OSError, ConnectionClosed, InvalidHandshake, TimeoutError):
                await self._read_from(server)
            self.port = None
            # The controls stay away for long enough that something happens meanwhile, and not
            # all for equally long: they left together, and might all be back before it does.
            await asyncio.sleep(random.random() * (0.3 if self.keeps_cursor else 3.0))

    async def _read_from(self, server: AppServer) -> None:
        since, epoch = (self._cursor, self._epoch) if self.keeps_cursor else (None, None)
        async with listening(
            f"{server.ws_url}/live", topics="explore", since=since, epoch=epoch
        ) as client:
            self.connections += 1
            self.port = client.port
            if since is None:
                self._cursor, self._epoch = client.cursor, client.epoch
            while True:
                frame = await client.frame(90)
                assert frame["type"] != "resync", frame
                for item in frame.get("items", []):
                    is_new = not self.keeps_cursor or int(item["id"]) > int(self._cursor or 0)
                    if is_new and item["kind"] == "post.published":
                        self.shown[item["data"]["id"]] += 1
                        self.seen_at.setdefault(item["data"]["id"], time.monotonic())
                self._cursor = frame["cursor"]
                if frame["type"] == "heartbeat":
                    await client.say({"type": "heartbeat"})


@dataclass
class Writer:
    """Somebody who posts through the API and repeats what was not acknowledged."""

    servers: Sequence[AppServer]
    token: str
    posts_a_second: float = POSTS_A_SECOND / WRITERS
    timeout_seconds: float = 5.0
    acknowledged: list[str] = field(default_factory=list)
    acknowledged_at: dict[str, float] = field(default_factory=dict)
    took_seconds: list[float] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)

    async def write_until(self, stop: asyncio.Event) -> None:
        async with httpx.AsyncClient(timeout=self.timeout_seconds) as http:
            for number in itertools.count():
                if stop.is_set():
                    return
                await self._write(http, f"Post {number} of {self.token[-12:]}")
                await asyncio.sleep(1 / self.posts_a_second)

    async def _write(self, http: httpx.AsyncClient, body: str) -> None:
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Idempotency-Key": secrets.token_hex(16),
        }
        while True:
            server, asked = random.choice(self.servers), time.monotonic()
            try:
                answer = await http.post(
                    f"{server.url}/api/posts", json={"body": body}, headers=headers
                )
            except httpx.HTTPError:
                self.answers[UNANSWERED] += 1
                await asyncio.sleep(0.05)
                continue
            self.answers[answer.status_code] += 1
            if answer.status_code == 201:
                now = time.monotonic()
                self.took_seconds.append(now - asked)
                self.acknowledged.append(answer.json()["id"])
                self.acknowledged_at[answer.json()["id"]] = now
                return
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["Retry-After"]) > 0
            await asyncio.sleep(0.05)


@dataclass
class Crowd:
    """Readers and writers of one microblog, and what they have seen together."""

    readers: Sequence[Reader]
    writers: Sequence[Writer]
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _writing: list["asyncio.Task[None]"] = field(default_factory=list)

    @property
    def acknowledged(self) -> list[str]:
        return [post_id for writer in self.writers for post_id in writer.acknowledged]

    @property
    def answers(self) -> Counter[int]:
        """How often each status was answered."""
        return sum((writer.answers for writer in self.writers), Counter())

    @property
    def connections(self) -> int:
        return sum(reader.connections for reader in self.readers)

    def missed(self) -> int:
        """Count the posts that were acknowledged and that somebody was never shown."""
        published = set(self.acknowledged)
        return sum(len(published - reader.shown.keys()) for reader in self.readers)

    def doubled(self) -> int:
        """Count the posts that somebody was shown again."""
        return sum(times > 1 for reader in self.readers for times in reader.shown.values())

    def lateness_seconds(self, since: float = 0.0) -> list[float]:
        """Return how long after its acknowledgement, after `since`, each reader saw each post."""
        known = {p: at for writer in self.writers for p, at in writer.acknowledged_at.items()}
        return [
            at - known[post_id]
            for reader in self.readers
            for post_id, at in reader.seen_at.items()
            if known.get(post_id, 0.0) > since
        ]

    async def acknowledgement(self, seconds: float) -> float:
        """Wait for a post that is acknowledged from now on; return how long that took."""
        began, count = time.monotonic(), len(self.acknowledged)
        async with asyncio.timeout(seconds):
            while len(self.acknowledged) == count:
                await asyncio.sleep(0.01)
        return time.monotonic() - began

    def write(self) -> None:
        """Begin to write."""
        self._writing = [asyncio.ensure_future(one.write_until(self._stop)) for one in self.writers]

    async def settle(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Let the writers end, and wait until everybody was shown everything, if that happens."""
        self._stop.set()
        await asyncio.gather(*self._writing)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.missed():
                    await asyncio.sleep(0.1)


@asynccontextmanager
async def gathered(
    servers: Sequence[AppServer],
    *,
    readers: int = 20,
    writers: int = WRITERS,
    posts_a_second: float = POSTS_A_SECOND,
    keep_cursors: bool = True,
    timeout_seconds: float = 5.0,
) -> AsyncIterator[Crowd]:
    """Let a crowd connect and begin to write; what goes wrong with a reader is raised at the end.

    `posts_a_second` is what all writers together try to reach.
    """
    each = posts_a_second / writers
    people = [
        Writer(servers, await token_of(servers[0], f"w{number}_{secrets.token_hex(3)}"), each)
        for number in range(writers)
    ]
    for one in people:
        one.timeout_seconds = timeout_seconds
    crowd = Crowd([Reader(servers, keep_cursors) for _ in range(readers)], people)
    reading = [asyncio.ensure_future(reader.read_for_ever()) for reader in crowd.readers]
    try:
        async with asyncio.timeout(20):
            while not all(reader.connections for reader in crowd.readers):
                await asyncio.sleep(0.05)
        crowd.write()
        yield crowd
        await crowd.settle(0)
    finally:
        for task in [*reading, *crowd._writing]:
            task.cancel()
        ends = await asyncio.gather(*reading, *crowd._writing, return_exceptions=True)
    failures = [end for end in ends if end is not None]
    assert [end for end in failures if not isinstance(end, asyncio.CancelledError)] == []


async def token_of(server: AppServer, username: str) -> str:
    """Sign somebody up through the API and return their access token."""
    account = {"username": username, "email": f"{username}@example.org", "password": PASSWORD}
    async with httpx.AsyncClient(base_url=server.url, timeout=15) as http:
        assert (await http.post("/api/users", json=account)).status_code == 201
    return await another_token(server, username)


async def another_token(server: AppServer, username: str) -> str:
    """Return an access token, good for ten minutes, of somebody who has signed up."""
    async with httpx.AsyncClient(base_url=server.url, timeout=15) as http:
        answer = await http.post("/api/tokens", auth=(username, PASSWORD))
        return str(answer.json()["access_token"])


async def is_stored(server: AppServer, ids: Sequence[str]) -> bool:
    """Tell whether each of the posts can be read."""
    few = asyncio.Semaphore(20)
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:

        async def status(post_id: str) -> int:
            async with few:
                return (await http.get(f"/api/posts/{post_id}")).status_code

        return set(await asyncio.gather(*(status(post_id) for post_id in ids))) == {200}
