"""How something is published: a post through Microblog's API, or its frame through a peer."""

import http.client
import json
import socket
import time
from abc import ABC, abstractmethod

from benchmarks import wire

BODY = (
    "A clear morning on the ridge: the fog lies in the valley, and the lamps go out one by one. "
    "오늘 아침 산길은 맑고 조용합니다. Who comes along next week? #서울 #hiking, number {number}"
)
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

    def __init__(self, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._count = 0
        self._used_at = 0.0

    def publish(self) -> tuple[int, float]:
        self._count += 1
        body = json.dumps({"body": BODY.format(number=self._count)})
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
