"""The end of a serving process: sockets are closed with 1012, requests in flight are answered,
and whatever is still open after two and a half seconds is cut off.

`factory` makes a `Drain` when serving begins, and each connection reports to it. So it works
under plain `hypercorn microblog:app` too, where no command of ours runs. What starts it is
whatever is known first: `runtime.stopping`, which `microblog serve` sets; hypercorn's own sign;
or under other servers the signal, which is passed on to the server's handler.
"""

import asyncio
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Protocol
from weakref import WeakSet

import structlog
from hypercorn.asyncio.tcp_server import TCPServer
from quart import Quart

from microblog.edge import below_asgi

EXTENSION = "microblog.drain"
ANSWER_SECONDS = 2.5  # less than what hypercorn itself allows, which ends with tracebacks
LAST_SECONDS = 4.0  # five are promised, and the parent process needs a moment as well

log = structlog.get_logger(__name__)


class Request(Protocol):
    """Something that waits for its client."""

    def give_up(self) -> None:
        """Wait for it no longer."""


class Drain:
    """Knows what is open in this process, and ends it when `stopping` is set.

    `last_resort` is called where the process is still there four seconds later; it may come from
    a thread of its own.
    """

    def __init__(self, stopping: asyncio.Event) -> None:
        self.last_resort: Callable[[], None] | None = None
        self._stopping = stopping
        self._connections: WeakSet[TCPServer] = WeakSet()
        self._requests: set[Request] = set()
        self._server: TCPServer | None = None
        self._loop = asyncio.get_running_loop()
        self._handlers: dict[int, Any] = {}
        self._tasks = [asyncio.create_task(self._run(), name="drain")]

    def enter(self, send: Any, request: Request | None = None) -> None:
        """Note a request or socket that begins."""
        connection = below_asgi.connection_of(send)
        if connection is not None:
            self._connections.add(connection)
            below_asgi.note_asked(connection)
            if self._server is None:
                self._server = connection
                self._tasks.append(asyncio.create_task(self._heed(connection), name="stop"))
        elif request is not None:
            self._requests.add(request)

    def leave(self, request: Request) -> None:
        """Note that a request has ended."""
        self._requests.discard(request)

    def close(self) -> None:
        """Watch no longer."""
        for task in self._tasks:
            task.cancel()
        for number, before in self._handlers.items():
            if signal.getsignal(number) == self._signalled:
                signal.signal(number, before)

    async def _heed(self, server: TCPServer) -> None:
        await below_asgi.stopped(server)
        self._stopping.set()

    async def _run(self) -> None:
        await self._stopping.wait()
        if self.last_resort is not None:
            timer = threading.Timer(LAST_SECONDS, self.last_resort)
            timer.daemon = True
            timer.start()
        await asyncio.sleep(ANSWER_SECONDS)
        for connection in list(self._connections):
            below_asgi.transport_of(connection).abort()
        for request in list(self._requests):
            request.give_up()

    # --- Signals -----------------------------------------------------------------------------

    def hear_signals(self) -> None:
        """Notice SIGTERM and SIGINT where a server handles them; its own handler runs as well.

        In a worker process of hypercorn nobody handles SIGTERM: its parent tells it to stop in
        another way, and then sends SIGTERM in the middle of the drain.
        """
        if threading.current_thread() is not threading.main_thread():
            return
        usual = signal.getsignal(signal.SIGTERM)
        if usual is signal.SIG_DFL and multiprocessing.parent_process() is not None:
            self._handle(signal.SIGTERM)
        elif callable(usual):
            self._handle(signal.SIGTERM)
            if callable(signal.getsignal(signal.SIGINT)):
                self._handle(signal.SIGINT)
        if self._handlers or multiprocessing.parent_process() is not None:
            self.last_resort = leave

    def _handle(self, number: signal.Signals) -> None:
        self._handlers[number] = signal.signal(number, self._signalled)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        before = self._handlers[number]
        if callable(before):
            self._loop.call_soon_threadsafe(self._stopping.set)
            before(number, frame)
        else:
            self._loop.call_soon_threadsafe(self._stop_worker, number)

    def _stop_worker(self, number: int) -> None:
        self._stopping.set()
        if self._server is not None:
            self._tasks.append(asyncio.create_task(below_asgi.stop(self._server)))
        else:  # nobody ever came: there is nothing to end
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)


def leave() -> None:
    """End the process at once, as one that was asked to."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def install(app: Quart, stopping: asyncio.Event) -> Drain:
    """Let an application that is beginning to serve end well."""
    drain = app.extensions[EXTENSION] = Drain(stopping)
    drain.hear_signals()
    return drain


def of(app: Quart) -> Drain | None:
    """Return the drain of an application that serves."""
    found: Drain | None = app.extensions.get(EXTENSION)
    return found
