"""What is open while serving: the settings, the database, the bell, the hub and its tail.

`factory` opens it in `before_serving` and closes it at the end; handlers ask `runtime()`.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import structlog
from cachetools import LRUCache, TTLCache
from quart import current_app

from microblog import secret_file
from microblog.actions import accounts, faults, program_tokens, sessions
from microblog.backends.bell import Bell, open_bell
from microblog.backends.search import SearchServer, open_search
from microblog.backends.translator import Translated, Translator, open_translator
from microblog.core.access_tokens import AccessKeys
from microblog.core.errors import Message, Unavailable, message
from microblog.core.faults import describe
from microblog.core.guessing import Guesser, open_guesser
from microblog.database import Database, open_database
from microblog.finishing import finished
from microblog.measures import Measures
from microblog.models import User
from microblog.queries import schema
from microblog.realtime.hub import Hub
from microblog.realtime.tail import Tail
from microblog.settings import Settings

EXTENSION = "microblog"
PRESENCE_SECONDS = 60
MEASURE_SECONDS = 1.0
ARTICLES_KEPT = 4096
RETRY_SECONDS = 2.0
DATABASE_AWAY = message("The database is out of reach.")
FRAMES_SHARED = 512
UPLOADS = 3  # large bodies that a process holds at once

log = structlog.get_logger(__name__)


@dataclass
class Presence:
    """Who was here and which sessions are in use: gathered, and written once a minute."""

    seen: set[int] = field(default_factory=set)
    used: set[int] = field(default_factory=set)
    used_tokens: set[int] = field(default_factory=set)
    extended: dict[int, datetime] = field(default_factory=dict)

    def noticed(self, user: User, now: datetime) -> None:
        """Note that a person is here, unless their row says so already."""
        if now - user.last_seen > timedelta(seconds=PRESENCE_SECONDS):
            self.seen.add(user.id)

    def used_session(self, session_id: int, used_at: datetime, now: datetime) -> None:
        """Note that a session is in use, unless its row says so already."""
        if now - used_at > timedelta(seconds=PRESENCE_SECONDS):
            self.used.add(session_id)

    def used_token(self, family_id: int, used_at: datetime, now: datetime) -> None:
        """Note likewise that a token that somebody made is in use."""
        if now - used_at > timedelta(seconds=PRESENCE_SECONDS):
            self.used_tokens.add(family_id)

    async def write(self, database: Database, now: datetime) -> None:
        """Write what was gathered; keeps it for the next time if the database is away."""
        seen, self.seen = self.seen, set()
        used, self.used = self.used, set()
        tokens, self.used_tokens = self.used_tokens, set()
        extended, self.extended = self.extended, {}
        if not seen and not used and not tokens and not extended:
            return
        try:
            async with database.write() as tx:
                if seen:
                    await accounts.seen(tx, seen, now)
                await sessions.used(tx, used - set(extended), now)
                await sessions.extend(tx, extended, now)
                await program_tokens.used(tx, tokens, now)
        except Unavailable:
            self.seen |= seen
            self.used |= used
            self.used_tokens |= tokens
            self.extended = extended | self.extended


@dataclass
class Runtime:
    """Everything that is open, in one place."""

    settings: Settings
    secrets: tuple[str, ...]
    """The server's own, the one in force first; the former ones verify what they have signed."""
    access_keys: AccessKeys
    database: Database
    bell: Bell
    hub: Hub
    tail: Tail
    translator: Translator
    measures: Measures
    search: SearchServer | None = None
    presence: Presence = field(default_factory=Presence)
    catching_up: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(4))
    articles: LRUCache[Any, Any] = field(default_factory=lambda: LRUCache(ARTICLES_KEPT))
    encoded: LRUCache[Any, str] = field(default_factory=lambda: LRUCache(ARTICLES_KEPT))
    suggested: TTLCache[Any, list[int]] = field(default_factory=lambda: TTLCache(ARTICLES_KEPT, 60))
    uploading: set[int] = field(default_factory=set)  # who is sending a large body
    upload_places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(UPLOADS))
    frames: LRUCache[Any, str] = field(default_factory=lambda: LRUCache(FRAMES_SHARED))
    limiters: dict[str, Any] = field(default_factory=dict)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    not_ready: Message | None = None
    requests: int = 0  # that are being worked on (edge.room)
    sockets: int = 0
    most_sockets: int = 0
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    guessing: asyncio.Future[Guesser] | None = None
    translating: dict[Any, asyncio.Future[Translated]] = field(default_factory=dict)
    reports: set[asyncio.Task[None]] = field(default_factory=set)

    @classmethod
    def assemble(cls, settings: Settings, secrets: tuple[str, ...]) -> "Runtime":
        """Put the parts together; connects to nothing yet."""
        access_keys = secret_file.access_keys(settings, secrets)
        database = open_database(settings)
        bell = open_bell(settings)
        measures = Measures()
        measures.processes.set(1)
        most = settings.pool_size + settings.pool_overflow + (database.vendor == "sqlite")
        measures.connections_most.set(most)  # SQLite has one more, which alone writes
        hub = Hub(measures)
        database.ring = bell.ring
        tail = Tail(database, bell, hub)
        translator, search = open_translator(settings), open_search(settings)
        opened = database, bell, hub, tail, translator, measures, search
        made = cls(settings, secrets, access_keys, *opened)
        tail.on_new_history = made.frames.clear  # its numbers speak of other events now
        return made

    @property
    def secret(self) -> str:
        """The secret in force."""
        return self.secrets[0]

    async def open(self) -> None:
        """Begin to follow the log.

        Where the database is away or its tables are not ready, `not_ready` says so, and the
        start is tried again every two seconds: no restart is needed after the cure.
        """
        await self.bell.open()
        if not await self._start():
            self._spawn(self._start_later(), "start")

    async def _start(self) -> bool:
        try:
            async with self.database.read() as read:
                self.not_ready = await schema.problem(read)
            if self.not_ready is None:
                await self.tail.begin()
        except Unavailable:
            self.not_ready = DATABASE_AWAY
        if self.not_ready is not None:
            log.warning("start.waits", reason=str(self.not_ready))
            return False
        self._spawn(self.tail.follow(), "tail")
        self._spawn(self.hub.pulse(), "pulse")
        self._spawn(self._send_away(), "stopping")
        self._spawn(self._every(PRESENCE_SECONDS, self._write_presence), "presence")
        self._spawn(self._every(MEASURE_SECONDS, self._measure), "measures")
        return True

    async def _send_away(self) -> None:
        await self.stopping.wait()
        self.hub.send_away("the server restarts")

    async def _start_later(self) -> None:
        await asyncio.sleep(RETRY_SECONDS)
        while not await self._start():
            await asyncio.sleep(RETRY_SECONDS)

    async def close(self) -> None:
        """Stop the tasks, write what was gathered, and close all connections."""
        self.stopping.set()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        if self.guessing is not None:
            await self.guessing  # its thread cannot be stopped
        await asyncio.gather(*self.reports)
        if self.not_ready is None:
            await self._write_presence()
        await self.database.close()  # lets the last rings out
        await self.bell.close()
        await self.translator.close()
        if self.search is not None:
            await self.search.close()

    @property
    def translates(self) -> bool:
        """Whether there is somebody who translates."""
        return self.translator.name != "none"

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self.tasks.append(asyncio.create_task(work, name=name))

    async def _every(self, seconds: float, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do some work again and again; a failure is logged, and the next time comes."""
        while True:
            started = time.monotonic()
            try:
                await finished(work())
            except Unavailable:
                log.warning("task.database_away", task=work.__name__)
            except Exception as error:
                log.exception("task.failed", task=work.__name__)
                self.report(error, work.__name__.strip("_"))
            await asyncio.sleep(max(1.0, seconds - (time.monotonic() - started)))

    def report(self, error: Exception, where: str, number: str = "") -> None:
        """Tell the administrators of a fault, by mail and without being waited for."""
        if self.settings.admins and self.settings.mailer_in_use != "none":
            task = asyncio.create_task(self._report(error, where, number), name="report")
            self.reports.add(task)
            task.add_done_callback(self.reports.discard)

    async def _report(self, error: Exception, where: str, number: str) -> None:
        now = datetime.now(UTC)
        try:
            async with self.database.write() as tx:
                await faults.report(tx, self.settings, describe(error), where, number, now)
        except Exception:  # of a fault in here nobody is mailed
            log.exception("report.failed")

    async def _write_presence(self) -> None:
        await self.presence.write(self.database, datetime.now(UTC))

    def measure(self) -> None:
        """Note how much of this process is in use just now."""
        used, opened = self.database.connections()
        self.measures.connections_used.set(used)
        self.measures.connections_open.set(opened)
        self.measures.requests_now.set(self.requests)

    async def _measure(self) -> None:
        self.measure()

    def warm_guesser(self) -> None:
        """Begin to load what guesses languages, where it is not there yet: somebody may write."""
        if self.guessing is None:
            self.guessing = asyncio.ensure_future(self._open_guesser())

    async def guesser(self) -> Guesser:
        """Return what guesses languages, when it is loaded."""
        self.warm_guesser()
        return await asyncio.shield(cast("asyncio.Future[Guesser]", self.guessing))

    async def _open_guesser(self) -> Guesser:
        """Load the model. Without it posts are written all the same, and scripts still known."""
        if not self.settings.guess_languages:
            return Guesser()
        try:
            return await asyncio.to_thread(open_guesser)
        except Exception:
            log.exception("guesser.failed")
            return Guesser()

    def session_life(self, *, remembered: bool) -> timedelta:
        """Return how long a browser session lasts without use."""
        if remembered:
            return timedelta(days=self.settings.remember_days)
        return timedelta(hours=self.settings.session_hours)


def runtime() -> Runtime:
    """Return what is open for the current application."""
    return cast("Runtime", current_app.extensions[EXTENSION])
