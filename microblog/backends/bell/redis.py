"""A bell across processes and machines, by Redis pub/sub."""

import asyncio
import contextlib

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from microblog.backends.bell.whispers import Whispers

CHANNEL = "microblog:bell"
WHISPERS = "microblog:whispers"
RING_SECONDS = 0.25
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 2.0

log = structlog.get_logger(__name__)


class RedisBell:
    """Rings by PUBLISH and listens by SUBSCRIBE, reconnecting for as long as it is open."""

    name = "redis"

    def __init__(self, url: str) -> None:
        # Two clients: a subscribed connection cannot publish, and a dead one must not slow a post.
        self._speaker = Redis.from_url(url, socket_timeout=RING_SECONDS, retry=None)
        self._hearer = Redis.from_url(url, socket_connect_timeout=2.0, retry=None)
        self._rung = asyncio.Event()
        self.whispers = Whispers()
        self._listening = False
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        self._task = asyncio.create_task(self._listen(), name="bell")

    async def ring(self) -> None:
        self._rung.set()  # this process needs no way round
        try:
            async with asyncio.timeout(RING_SECONDS):
                await self._speaker.publish(CHANNEL, b"")
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("bell.not_rung", reason=type(error).__name__)

    async def whisper(self, words: str) -> None:
        handed = self.whispers.say(words)
        if handed is None or not self._listening:
            return
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            async with asyncio.timeout(RING_SECONDS):
                await self._speaker.publish(WHISPERS, handed)

    async def wait(self) -> None:
        await self._rung.wait()
        self._rung.clear()

    async def is_ready(self) -> bool:
        if not self._listening:
            return False
        try:
            async with asyncio.timeout(RING_SECONDS):
                return bool(await self._speaker.ping())
        except (RedisError, OSError, TimeoutError):
            return False

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._speaker.aclose()
        await self._hearer.aclose()

    async def _listen(self) -> None:
        pause = SHORTEST_PAUSE_SECONDS
        while True:
            pubsub = self._hearer.pubsub(ignore_subscribe_messages=False)
            try:
                await pubsub.subscribe(CHANNEL, WHISPERS)
                await self._hear(pubsub)
            except (RedisError, OSError, TimeoutError) as error:
                if self._listening:
                    log.warning("bell.lost", reason=type(error).__name__)
                    pause = SHORTEST_PAUSE_SECONDS
            finally:
                self._listening = False
                with contextlib.suppress(RedisError, OSError):
                    await pubsub.aclose()  # type: ignore[no-untyped-call]
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _hear(self, pubsub: PubSub) -> None:
        async for message in pubsub.listen():
            if message["type"] == "message" and message["channel"] == WHISPERS.encode():
                self.whispers.hear(message["data"])
                continue
            if message["type"] == "subscribe":
                self._listening = True
            # Also on "subscribe": whatever rang while nobody listened is found by a read now.
            self._rung.set()
