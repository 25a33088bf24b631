"""The `/live` WebSocket: a cursor that follows the log, and the frames that carry it.

One task sends what concerns the client and the heartbeat; another reads what the client says.
Whoever comes back with its cursor gets what it missed by the same way as everyone gets the new.
"""

import asyncio
import time
from collections.abc import Iterable

import structlog
from quart import Blueprint, websocket
from werkzeug.exceptions import BadRequest, HTTPException

from microblog.core.errors import Unavailable
from microblog.core.events import Kind
from microblog.database import Read, finished
from microblog.edge import auth, language, origin
from microblog.edge.auth import BEARER_PREFIX, Visitor
from microblog.live import inbound, transport
from microblog.live.inbound import Refused
from microblog.queries.events import Delivery
from microblog.realtime import replay
from microblog.realtime.hub import Listener
from microblog.realtime.replay import Start
from microblog.render import frames
from microblog.runtime import Runtime, runtime

SESSION_ENDED = 4001
NO_HEARTBEAT = 4009
RESTARTING = 1012
POLICY = 1008

SILENCE_SECONDS = 60.0
STALLED_SECONDS = 5.0
FRAME_EVENTS = 50
FRAME_CHARACTERS = 64 * 1024

log = structlog.get_logger(__name__)
blueprint = Blueprint("live", __name__)


@blueprint.websocket("/live")
async def live() -> None:
    """Carry events to one client until it goes, is silent, or loses its session."""
    form = _form_asked_for()
    visitor, started, topics = await _admit()
    await websocket.accept(subprotocol=form)
    connection = Connection(runtime(), visitor, started, topics, form)
    try:
        await connection.run()
    except Refused as refused:
        transport.abort_later(websocket.scope.get(transport.SCOPE_KEY))
        await websocket.close(refused.code, refused.reason)


def _form_asked_for() -> str:
    """Return the form of items that the client wants; raises BadRequest for none of ours."""
    offered = websocket.requested_subprotocols
    for form in frames.FORMS:
        if form in offered:
            return form
    raise BadRequest(f"Ask for one of the subprotocols {', '.join(frames.FORMS)}.")


async def _admit() -> tuple[Visitor, Start, list[str]]:
    """Check who is at the door before the handshake is accepted.

    The position is read before the session is checked: a session that is revoked in between is
    found in the log.
    """
    try:
        topics = inbound.topics(websocket.args.get("topics", ""))
    except Refused as refused:
        raise BadRequest(refused.reason) from None
    offered = websocket.requested_subprotocols
    bearer = next((p for p in offered if p.startswith(BEARER_PREFIX)), None)
    if bearer is None and not origin.is_own(websocket, runtime().settings):
        raise Foreign
    async with runtime().database.read() as read:
        args = websocket.args
        started = await replay.start(read, args.get("since"), args.get("epoch"))
        visitor = await _visitor(read, bearer)
    asked = websocket.args.get("lang")
    if asked in runtime().settings.languages:
        language.speak(asked)
    return visitor, started, topics


async def _position(token: str) -> tuple[Start, Visitor]:
    async with runtime().database.read() as read:
        args = websocket.args
        started = await replay.start(read, args.get("since"), args.get("epoch"))
        return started, await _visitor(read, token)


class Foreign(HTTPException):
    """The handshake was made by another site's page."""

    code = 403


async def _visitor(read: Read, bearer: str | None) -> Visitor:
    """Return who is at the door. Who names a token, even an empty one, is known by nothing else:
    a page of another site may name one too, and the browser adds the cookie.
    """
    if bearer is None:
        known = await auth.may_read(read)
    else:
        known = await auth.by_access_token(read, bearer.removeprefix(BEARER_PREFIX))
    _require_room(known)
    return known


def _require_room(visitor: Visitor) -> None:
    settings, hub = runtime().settings, runtime().hub
    if len(hub.listeners) >= settings.sockets_per_process:
        raise Unavailable(5)
    if visitor.id is not None and hub.count_of(visitor.id) >= settings.sockets_per_person:
        raise Unavailable(5)


class Connection:
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
        self.listener = Listener(
            visitor.id,
            topics,
            started.cursor,
            session_id=visitor.session_id,
            family_id=visitor.family_id,
        )

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
        if listener.cursor < listener.read_to:
            chosen, cursor = await self._read_log(listener.read_to)
        else:
            newer = self._hub.after(listener.cursor)
            if newer is None:
                chosen, cursor = await self._read_log(self._hub.head)
            else:
                chosen, cursor = self._take(newer)
        listener.cursor = cursor
        if cursor >= self._hub.head and cursor >= listener.read_to:
            listener.behind = False
        await self._deliver(chosen, cursor)

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

    async def _deliver(self, chosen: list[Delivery], cursor: int) -> None:
        shown: list[Delivery] = []
        resync = False
        for delivery in chosen:
            if self.listener.is_ended_by(delivery):
                raise Refused(SESSION_ENDED, "the session ended")
            if delivery.event.kind is Kind.RELATIONS_CHANGED:
                resync = True
            elif frames.item(delivery, self._form, self._language) is not None:
                shown.append(delivery)
        if shown:
            await self._send(frames.events(shown, cursor, self._form, self._language))
        if resync:
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
        try:
            async with asyncio.timeout(STALLED_SECONDS):
                await websocket.send(frame)
        except TimeoutError:
            transport.abort(websocket.scope.get(transport.SCOPE_KEY))
            raise Refused(POLICY, "too slow") from None
