"""One client of `/live`: a cursor that follows the log, and the frames that carry it.

`live.socket` runs it, in the connection's own task, which hears what the client says. While the
client is up to date its channel writes each frame on the spot, and the hub's pulse the heartbeats;
only for a client that is behind there is one more task, until it has caught up.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import structlog
from quart import websocket

from microblog.core.events import Kind
from microblog.edge import language
from microblog.edge.auth import Visitor
from microblog.live import inbound, transport, whispers
from microblog.live.channel import STEERING, Direct, channel
from microblog.live.inbound import Refused
from microblog.queries.events import Delivery
from microblog.realtime import topics
from microblog.realtime.following import Follower
from microblog.realtime.hub import RESTARTING
from microblog.realtime.listeners import Listener
from microblog.realtime.replay import Start
from microblog.render import frames
from microblog.runtime import Runtime

SESSION_ENDED = 4001
NO_HEARTBEAT = 4009
POLICY = 1008

SILENCE_SECONDS = 60.0
STALLED_SECONDS = 5.0

log = structlog.get_logger(__name__)


class Stream(Direct):
    """One client: its place in the log, and what is sent to it."""

    __slots__ = (
        "_beat_at",
        "_follower",
        "_heard_at",
        "_main",
        "_rate",
        "_refused",
        "_runtime",
        "_send_text",
        "_work",
        "channel",
        "listener",
    )

    def __init__(
        self, now: Runtime, visitor: Visitor, cursor: int, topics: Iterable[str], form: str
    ) -> None:
        super().__init__(transport.found_in(websocket.scope))
        self._runtime = now
        self._heard_at = time.monotonic()
        self._rate = inbound.FrameRate()
        self._main: asyncio.Task[Any] | None = None
        self._work: asyncio.Task[None] | None = None
        self._refused: Refused | None = None
        self._send_text: Callable[[str], Coroutine[Any, Any, None]] = websocket.send
        self._beat_at = self._heard_at + now.settings.heartbeat_seconds
        self.channel = channel(form, language.current())
        self.listener = Listener(
            visitor.id,
            topics,
            cursor,
            session_id=visitor.session_id,
            family_id=visitor.family_id,
            connection=self,
        )
        self._follower = Follower(
            now.hub, now.database, now.catching_up, self.listener, self._size_bytes
        )

    async def run(self, started: Start) -> None:
        """Serve until the client goes; raises Refused with the code to close with."""
        seconds = self._runtime.settings.heartbeat_seconds
        self._main = asyncio.current_task()
        await self._send(frames.hello(started.head.epoch, self.listener.cursor, seconds))
        if started.resync is not None:
            await self._send(frames.resync(started.resync, self.listener.cursor))
        if self._runtime.stopping.is_set() or self._runtime.hub.epoch != started.head.epoch:
            raise Refused(RESTARTING, "come back")  # nobody would tell it any more
        self._runtime.hub.join(self.listener)
        try:
            await self._hear()
        except asyncio.CancelledError:
            if self._refused is None or self._main is None:
                raise
            self._main.uncancel()  # it was we who cancelled
            raise self._refused from None
        finally:
            self._runtime.hub.leave(self.listener)
            self._main = None
            if self._work is not None:
                self._work.cancel()
                await asyncio.gather(self._work, return_exceptions=True)

    # --- What the hub asks for ------------------------------------------------------------------

    def close(self, code: int, reason: str) -> None:
        """End the connection with this code."""
        if self._refused is None and self._main is not None:
            self._refused = Refused(code, reason)
            self._main.cancel()

    def catch_up(self) -> None:
        """Begin to send what the client is behind, unless that is going on."""
        self._begin(self._catch_up)

    def whisper(self, frame: str) -> None:
        """Send a frame that may get lost, unless something else is being sent."""
        if not self.write(transport.text_frame(frame)) and self.way is None:
            self._begin(lambda: self._send(frame))

    def beat(self, now: float) -> None:
        """Send a heartbeat where it is time, and give up a client that has long been silent."""
        if now < self._beat_at:
            return
        self._beat_at += self._runtime.settings.heartbeat_seconds
        if now - self._heard_at > SILENCE_SECONDS:
            self.close(NO_HEARTBEAT, "no heartbeat")
            return
        frame = frames.heartbeat(self._runtime.hub.position(self.listener))
        if not self.write(transport.text_frame(frame)):
            self._begin(lambda: self._send(frame))

    def _begin(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if self._work is None and self._main is not None:
            self._work = asyncio.create_task(self._do(work))

    async def _do(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
            while self.listener.behind:  # it fell behind while something else was sent
                await self._send_next()
        except Refused as refused:
            self.close(refused.code, refused.reason)
        except Exception:
            log.exception("live.failed")
            self.close(1011, "something went wrong")
        finally:
            self._work = None

    # --- Catching up ----------------------------------------------------------------------------

    async def _catch_up(self) -> None:
        while self.listener.behind:
            await self._send_next()

    async def _send_next(self) -> None:
        """Send the next page of events."""
        chosen = await self._follower.next()
        await self._deliver(chosen, self.listener.cursor)

    def _size_bytes(self, delivery: Delivery) -> int:
        return len((frames.item(delivery, self.channel.form, self.channel.language) or "").encode())

    async def _deliver(self, chosen: list[Delivery], cursor: int) -> None:
        steering = [delivery for delivery in chosen if delivery.event.kind in STEERING]
        if any(self.listener.is_ended_by(delivery) for delivery in steering):
            raise Refused(SESSION_ENDED, "the session ended")
        shown = self.channel.shown(chosen)
        if shown:
            await self._send(self.channel.frame(shown, cursor))
        if any(delivery.event.kind is Kind.RELATIONS_CHANGED for delivery in steering):
            await self._send(frames.resync("relations", cursor))

    # --- The connection -------------------------------------------------------------------------

    async def _hear(self) -> None:
        """Read what the client says, for ever; raises Refused for what it must not say."""
        while True:
            frame = await websocket.receive()
            self._rate.count()
            asked = inbound.read(frame)
            self._heard_at = time.monotonic()
            if asked.type == "typing" and self.listener.viewer_id is not None:
                await whispers.tell_of_typing(self._runtime, self.listener.viewer_id, asked.to)
            if asked.topic is None:
                continue
            if asked.type == "unsubscribe":
                self._runtime.hub.unsubscribe(self.listener, asked.topic)
            elif len(self.listener.topics) >= topics.MOST_TOPICS:
                raise Refused(POLICY, "too many topics")
            else:
                position = self._runtime.hub.subscribe(self.listener, asked.topic)
                await self._send(frames.subscribed(asked.topic, position))

    async def _send(self, frame: str) -> None:
        """Send a frame; raises Refused where the client takes nothing for five seconds."""
        if self.write(transport.text_frame(frame)):
            return
        self.sending += 1
        try:
            async with asyncio.timeout(STALLED_SECONDS):
                await self._send_text(frame)
        except TimeoutError:
            transport.abort(self.way)
            raise Refused(POLICY, "too slow") from None
        finally:
            self.sending -= 1
