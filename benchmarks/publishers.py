"""How something is published: a post through Microblog's API, or its frame through a peer."""

import asyncio
import http.client
import json
import socket
import time
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import wire
from microblog.actions import posts
from microblog.actions.posts import Draft
from microblog.database import open_database
from microblog.models import User
from microblog.settings import Settings

BODY = (
    "A clear morning on the ridge: the fog lies in the valley, and the lamps go out one by one. "
    "오늘 아침 산길은 맑고 조용합니다. Who comes along next week? #서울 #hiking, number {number}"
)
LONG_BODY = BODY + "긴 글 " * 80
"""Nearly as long as a post may be: a frame of it is twice as large."""

ANSWER_SECONDS = 30
KEPT_SECONDS = 2.0  # hypercorn hangs up on whoever says nothing for 5


class Publisher(ABC):
    """Publishes one item after the other on a running server."""

    @abstractmethod
    def publish(self) -> tuple[int, float]:
        """Publish; return the item's id and the moment (monotonic seconds) when it was asked."""

    @abstractmethod
    def close(self) -> None:
        """Hang up."""


class ApiPublisher(Publisher):
    """Publishes posts through Microblog's API, one request after the other."""

    def __init__(self, port: int, token: str, body: str = BODY) -> None:
        self._body = body
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._count = 0
        self._used_at = 0.0

    def publish(self) -> tuple[int, float]:
        self._count += 1
        body = json.dumps({"body": self._body.format(number=self._count)})
        started = time.monotonic()
        if started - self._used_at > KEPT_SECONDS:
            self._connection.close()  # it opens a new one by itself
        self._used_at = started
        self._connection.request("POST", "/api/posts", body, self._headers)
        response = self._connection.getresponse()
        answer = response.read()
        if response.status != 201:
            raise RuntimeError(f"the post was answered {response.status}: {answer!r}")
        return int(json.loads(answer)["id"]), started

    def close(self) -> None:
        self._connection.close()


class SocketPublisher(Publisher):
    """Publishes Microblog's own frame through a peer: the same bytes but for the numbers."""

    def __init__(self, port: int, sample: bytes) -> None:
        self._frame = json.loads(sample)
        self._number = 10_000
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(wire.request(port, "/publish"))
        answer = b""
        while wire.END_OF_HEADERS not in answer:
            answer += self._socket.recv(4096)

    def publish(self) -> tuple[int, float]:
        self._number += 1
        self._frame["cursor"] = self._frame["items"][0]["id"] = str(self._number)
        text = json.dumps(self._frame, ensure_ascii=False, separators=(",", ":"))
        started = time.monotonic()
        self._socket.sendall(wire.frame(wire.TEXT, text.encode(), masked=True))
        return self._number, started

    def close(self) -> None:
        self._socket.close()


class Burst:
    """Publishes many posts in one transaction on an SQLite file, beside the server that runs."""

    def __init__(self, database: Path, author_id: int, body: str = BODY) -> None:
        self._settings = Settings(data_dir=database.parent)
        self._author_id = author_id
        self._body = body

    def publish(self, count: int) -> dict[int, float]:
        """Publish; return the posts' ids with the moment (monotonic seconds) of the commit."""
        return asyncio.run(self._publish(count))

    async def _publish(self, count: int) -> dict[int, float]:
        database = open_database(self._settings)
        try:
            async with database.write() as tx:
                author = await tx.get(User, self._author_id)
                if author is None:
                    raise RuntimeError("the author is gone")
                drafts = [Draft(self._body.format(number=number)) for number in range(count)]
                now = datetime.now(UTC)
                written = [await posts.publish(tx, author, draft, now) for draft in drafts]
            at = time.monotonic()
        finally:
            await database.close()
        return {post.id: at for post in written}
