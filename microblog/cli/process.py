"""One process that serves: alone, or as one of the workers that `workers` looks after.

It ends on SIGTERM or SIGINT. New connections wait in the system's queue from then on, for whoever
serves next; live ones are closed with 1012 (`edge.drain`).
"""

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog
from hypercorn.asyncio import serve as serve_with_hypercorn
from hypercorn.config import Config

from microblog.cli.listening import Listening
from microblog.core.errors import MicroblogError
from microblog.edge import drain
from microblog.factory import create_app
from microblog.runtime import EXTENSION
from microblog.settings import Settings

SETTLE_SECONDS = 0.25

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Plan:
    """All that serving needs: read once at the start, and anew when the owner asks for it."""

    settings: Settings
    config: Config
    workers: int
    listening: Listening


@dataclass
class Process:
    """A process that serves a plan until it is told to end.

    `ready` is called when it begins to serve. The end of `alive`, a pipe, ends it too. On SIGHUP
    it calls `renew`, which may take its time and raises MicroblogError where the new settings
    are wrong, else returns what to do after the end; without it SIGHUP means the end as well.
    """

    plan: Plan
    ready: Callable[[], None] = lambda: None
    alive: int | None = None
    renew: Callable[[], Callable[[], None]] | None = None
    kept: list[int] = field(default_factory=list)  # copies of what listens, for who comes after
    _after: Callable[[], None] | None = None
    _renewing: "asyncio.Task[None] | None" = None

    def serve(self) -> None:
        """Serve until the end, and do what is to be done after it."""
        with asyncio.Runner(loop_factory=open_loop) as runner:
            runner.run(self._serve())
        if self._after is not None:
            self._after()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        self._app = create_app(self.plan.settings)
        self._app.before_serving(self._begin)
        self._servers = remember_servers(asyncio.get_running_loop())
        self._hear()
        await serve_with_hypercorn(self._app, self.plan.config, shutdown_trigger=self._told)

    def _hear(self) -> None:
        loop = asyncio.get_running_loop()
        if not hasattr(signal, "SIGHUP"):  # Windows: its loop hears no signals
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(self._stop.set))
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # that is what nohup asks for
            loop.add_signal_handler(signal.SIGHUP, self._hung_up)
        if self.alive is not None:
            loop.add_reader(self.alive, self._stop.set)
        # They may have been held back while this program began.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM, signal.SIGINT])

    async def _begin(self) -> None:
        if (ending := drain.of(self._app)) is not None:
            ending.last_resort = self._leave
        self.ready()

    def _leave(self) -> None:
        """End a process that does not end by itself."""
        if self._after is not None:
            self._after()
        drain.leave()

    def _hung_up(self) -> None:
        if self.renew is None:
            self._stop.set()
        elif self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew(self.renew), name="renewal")

    async def _renew(self, renew: Callable[[], Callable[[], None]]) -> None:
        try:
            self._after = await asyncio.to_thread(renew)
        except MicroblogError as error:
            log.error("reload.refused", reason=str(error))
            return
        log.info("reload.begins")
        self._stop.set()

    async def _told(self) -> None:
        """Wait for the end; then take nobody new, and let those who have just come ask."""
        await self._stop.wait()
        for server in self._servers:
            server.close()
        if self._after is None:
            for descriptor in self.kept:
                os.close(descriptor)
        opened = self._app.extensions.get(EXTENSION)
        if opened is not None:
            opened.stopping.set()
            await asyncio.sleep(SETTLE_SECONDS)


def open_loop() -> asyncio.AbstractEventLoop:
    """Make the event loop: uvloop's where it is installed."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def remember_servers(loop: asyncio.AbstractEventLoop) -> list[asyncio.AbstractServer]:
    """Return a list that will hold every server that the loop makes.

    hypercorn tells its connections to end before it stops accepting, so whoever has just come
    would be turned away without an answer. With this they come to an end the other way round.
    """
    made: list[asyncio.AbstractServer] = []
    create = loop.create_server

    async def create_server(*how: Any, **more: Any) -> asyncio.AbstractServer:
        server = await create(*how, **more)
        made.append(server)
        return server

    loop.create_server = create_server  # type: ignore[method-assign, assignment]
    return made
