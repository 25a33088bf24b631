"""One client of `/live`: a cursor that follows the log, and the frames that carry it.

`live.socket` runs it. While the client is up to date the hub hands it each event and the frame is
written on the spot; one task does the rest (catching up, heartbeats), another reads what the client
says. Whoever comes back with its cursor gets what it missed by the same way.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence

import structlog
from quart import websocket

from microblog.core.errors import Unavailable
from microblog.core.events import Kind
from microblog.edge import language
from microblog.edge.auth import Visitor
from microblog.live import inbound, transport
from microblog.live.inbound import Refused
from microblog.queries.events import Delivery
from microblog.realtime import replay
from microblog.realtime.hub import Listener
from microblog.realtime.replay import Start
from microblog.render import frames
from microblog.runtime import Runtime
from microblog.stores import finished

SESSION_ENDED = 4001
NO_HEARTBEAT = 4009
RESTARTING = 1012
POLICY = 1008

SILENCE_SECONDS = 60.0
STALLED_SECONDS = 5.0
FRAME_EVENTS = 50
FRAME_CHARACTERS = 64 * 1024
STEERING = {Kind.RELATIONS_CHANGED, Kind.SESSION_REVOKED, Kind.TOKENS_REVOKED}

log = structlog.get_logger(__name__)


class Stream:
    """One client: its place in the log, and the two tasks that serve it."""

    def __init__(
        self, now: Runtime, visitor: Visitor, started: Start, topics: Iterable[str], form: str
    ) -> None:
        self._runtime = now
        self._hub = now.hub
        self._started = started
        self._form = form
        self._language = language.current()
        self._heard_at = time.monotonic()
        self._rate = inbound.FrameRate()
        self._sending = 0
        self._transport = transport.found_in(websocket.scope)
        self.listener = Listener(
            visitor.id,
            topics,
            started.cursor,
            session_id=visitor.session_id,
            family_id=visitor.family_id,
        )
        self.listener.push = self._push

    async def run(self) -> None:
        """Serve until the client goes; raises Refused with the code to close with."""
        seconds = self._runtime.settings.heartbeat_seconds
        await self._send(frames.hello(self._started.head.epoch, self.listener.cursor, seconds))
        if self._started.resync is not None:
            await self._send(frames.resync(self._started.resync, self.listener.cursor))
        self._hub.join(self.listener)
        tasks = [asyncio.ensure_future(work()) for work in (self._follow, self._hear, self._stop)]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._hub.leave(self.listener)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _stop(self) -> None:
        await self._runtime.stopping.wait()
        raise Refused(RESTARTING, "the server restarts")

    async def _follow(self) -> None:
        """Send what concerns the client as it comes, and a heartbeat when it is quiet."""
        pause = self._runtime.settings.heartbeat_seconds
        beat_at = time.monotonic() + pause
        while True:
            try:
                async with asyncio.timeout(max(0.0, beat_at - time.monotonic())):
                    await self.listener.woken.wait()
            except TimeoutError:
                await self._beat()
                beat_at = time.monotonic() + pause
                continue
            self.listener.woken.clear()
            while self.listener.behind:
                await self._send_next()

    async def _beat(self) -> None:
        if time.monotonic() - self._heard_at > SILENCE_SECONDS:
            raise Refused(NO_HEARTBEAT, "no heartbeat")
        await self._send(frames.heartbeat(self._hub.position(self.listener)))

    async def _send_next(self) -> None:
        """Send the next page of events and move the cursor behind it."""
        listener = self.listener
        version = listener.version
        if listener.cursor < listener.read_to:
            chosen, cursor = await self._read_log(listener.read_to)
        else:
            newer = self._hub.after(listener.cursor)
            if newer is None:
                chosen, cursor = await self._read_log(self._hub.head)
            else:
                chosen, cursor = self._take(newer)
        if listener.version != version:
            return  # a topic came in meanwhile: read again, with it
        # A client may be ahead of this process; its position never goes back.
        listener.cursor = max(listener.cursor, cursor)
        if listener.cursor >= self._hub.head and listener.cursor >= listener.read_to:
            listener.behind = False
        await self._deliver(chosen, listener.cursor)

    async def _read_log(self, until: int) -> tuple[list[Delivery], int]:
        """Read from the log itself what the ring does not hold, or does not hold for us."""
        while True:
            try:
                return await finished(self._page(until))
            except Unavailable as away:
                log.warning("live.database_away", cause=repr(away.__cause__))
                await asyncio.sleep(away.retry_after_seconds)

    async def _page(self, until: int) -> tuple[list[Delivery], int]:
        async with self._runtime.catching_up, self._runtime.database.read() as read:
            return await replay.page(read, self.listener, until)

    def _take(self, newer: Iterable[Delivery]) -> tuple[list[Delivery], int]:
        """Choose from the ring what concerns the client, at most a frame's worth."""
        listener = self.listener
        chosen: list[Delivery] = []
        size, cursor = 0, self._hub.head
        for delivery in newer:
            if not delivery.concerns(listener.viewer_id, listener.topics):
                continue
            size += len(frames.item(delivery, self._form, self._language) or "")
            if chosen and (len(chosen) == FRAME_EVENTS or size > FRAME_CHARACTERS):
                return chosen, chosen[-1].event.id
            chosen.append(delivery)
        return chosen, cursor

    def _push(self, chosen: Sequence[Delivery], cursor: int) -> bool:
        """Write what concerns a client that is up to date straight to its connection.

        Refuses where something else is being sent, where the client is slow, and for events that
        steer the connection: then `_follow` does it.
        """
        if self._sending or len(chosen) > FRAME_EVENTS or not transport.is_free(self._transport):
            return False
        if any(delivery.event.kind in STEERING for delivery in chosen):
            return False
        shown = self._shown(chosen)
        if shown and self._transport is not None:
            frame = frames.events(shown, cursor, self._form, self._language)
            self._transport.write(self._on_the_wire(frame))
        return True

    def _on_the_wire(self, frame: str) -> bytes:
        ready = self._runtime.wire.get(frame)
        if ready is None:
            ready = self._runtime.wire[frame] = transport.text_frame(frame)
        return ready

    def _shown(self, chosen: Sequence[Delivery]) -> list[Delivery]:
        return [d for d in chosen if frames.item(d, self._form, self._language) is not None]

    async def _deliver(self, chosen: list[Delivery], cursor: int) -> None:
        steering = [delivery for delivery in chosen if delivery.event.kind in STEERING]
        if any(self.listener.is_ended_by(delivery) for delivery in steering):
            raise Refused(SESSION_ENDED, "the session ended")
        shown = self._shown(chosen)
        if shown:
            await self._send(frames.events(shown, cursor, self._form, self._language))
        if any(delivery.event.kind is Kind.RELATIONS_CHANGED for delivery in steering):
            await self._send(frames.resync("relations", cursor))

    async def _hear(self) -> None:
        """Read what the client says, for ever; raises Refused for what it must not say."""
        while True:
            frame = await websocket.receive()
            self._rate.count()
            asked = inbound.read(frame)
            self._heard_at = time.monotonic()
            if asked.topic is None:
                continue
            if asked.type == "unsubscribe":
                self._hub.unsubscribe(self.listener, asked.topic)
            elif len(self.listener.topics) >= inbound.MOST_TOPICS:
                raise Refused(POLICY, "too many topics")
            else:
                position = self._hub.subscribe(self.listener, asked.topic)
                await self._send(frames.subscribed(asked.topic, position))

    async def _send(self, frame: str) -> None:
        """Send a frame; raises Refused where the client takes nothing for five seconds."""
        self._sending += 1
        try:
            async with asyncio.timeout(STALLED_SECONDS):
                await websocket.send(frame)
        except TimeoutError:
            transport.abort(self._transport)
            raise Refused(POLICY, "too slow") from None
        finally:
            self._sending -= 1
