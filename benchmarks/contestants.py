"""The servers that are compared: Microblog as it is installed, and three peers beside it."""

import contextlib
import shutil
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import loops, wire
from benchmarks.publishers import ApiPublisher, Publisher, SocketPublisher
from benchmarks.stage import Stage
from tests.processes import Server
from tests.services import AppServer

FORM = "microblog.html.v1"  # what our own pages ask for
BROADCAST = "websockets.broadcast()"
QUEUES = "Quart, a queue a client"
CEILING = f"bare protocol on {loops.NAME}"


@dataclass(frozen=True, slots=True)
class Contestant:
    """How to make a server, to come to it (a header block for each client), and to publish."""

    name: str
    make: Callable[[], Server]
    publisher: Callable[[int], Publisher]
    path: str
    headers: Sequence[str]


class Peer(Server):
    """A small server of `benchmarks/peers`, started by `python -m` and these words."""

    name = "peer"

    def __init__(self, *words: str) -> None:
        super().__init__()
        self._words = words

    def command(self) -> Sequence[str]:
        return [sys.executable, "-m", *(word.format(port=self.port) for word in self._words)]

    def is_ready(self) -> bool:
        """Ask for a handshake: an answer of any kind will do."""
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self.port), 1) as end,
        ):
            end.sendall(wire.request(self.port, "/ready"))
            return end.recv(8) == b"HTTP/1.1"
        return False


def microblog(stage: Stage, topic: str) -> Contestant:
    """Microblog under plain hypercorn; every client is someone else and hears `topic`."""
    headers = [live_headers(cookie) for cookie in stage.cookies]
    return Contestant(
        f"microblog, {topic}",
        partial(_microblog_server, stage),
        lambda port: ApiPublisher(port, stage.author_token),
        f"/live?topics={topic}",
        headers,
    )


def live_headers(cookie: str) -> str:
    """Return what a client of Microblog adds to its handshake."""
    return f"Sec-WebSocket-Protocol: {FORM}\r\nCookie: {cookie}\r\n"


def _microblog_server(stage: Stage) -> Server:
    return product(stage.database, stage.secret)


def product(
    database: Path, secret: str, *arguments: str, hypercorn: bool = True, take: bool = False
) -> AppServer:
    """Return Microblog with a copy of a database, or with the file itself where it may be taken.

    Limits of what one person may do are out of the way.
    """
    env = {
        "MICROBLOG_SECRET_KEY": secret,
        "MICROBLOG_POSTS_PER_MINUTE": "1000000",
        "MICROBLOG_CALLS_PER_MINUTE": "1000000",
        "MICROBLOG_LOGIN_TRIES": "1000000",
    }
    server = AppServer(env, *arguments, hypercorn=hypercorn)
    # The default data folder is `var` where the server runs.
    (server.folder / "var").mkdir()
    (shutil.move if take else shutil.copy)(database, server.folder / "var" / "microblog.db")
    return server


def peers(sockets: int, sample: bytes) -> list[Contestant]:
    """Return the peers; they deliver frames like `sample`."""
    hypercorn = ("hypercorn", "--bind", "127.0.0.1:{port}", "benchmarks.peers.quart_queue:app")
    commands: dict[str, tuple[str, ...]] = {
        BROADCAST: ("benchmarks.peers.websockets_broadcast", "{port}"),
        QUEUES: hypercorn,
        CEILING: ("benchmarks.peers.protocol", "{port}"),
    }
    return [
        Contestant(
            name,
            partial(Peer, *words),
            lambda port: SocketPublisher(port, sample),
            "/live",
            [""] * sockets,
        )
        for name, words in commands.items()
    ]
