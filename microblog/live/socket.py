"""The door of the `/live` WebSocket: who may come in, from which position, and how it is closed."""

import asyncio
from typing import Any, cast

from quart import Blueprint, g, websocket
from werkzeug.exceptions import BadRequest, HTTPException

from microblog.database import Read
from microblog.edge import auth, language, origin
from microblog.edge.auth import BEARER_PREFIX, Visitor
from microblog.live import inbound, transport
from microblog.live.inbound import Refused
from microblog.live.stream import Stream
from microblog.realtime import replay, topics
from microblog.realtime.replay import Start
from microblog.render import frames
from microblog.runtime import runtime

blueprint = Blueprint("live", __name__)


_HANDSHAKE_ONLY = ("args", "cookies", "accept_languages", "accept_mimetypes", "user_agent")
TRY_LATER = 1013  # IANA's registry of close codes: the server is full just now


@blueprint.websocket("/live")
async def live() -> None:
    """Carry events to one client until it goes, is silent, or loses its session."""
    form = _form_asked_for()
    now = runtime()
    if now.sockets >= now.most_sockets:
        await _turn_away(form, "too many connections")
        return
    now.sockets += 1  # from here on: many may come at once, and each waits for the database
    now.measures.sockets.inc()
    try:
        visitor, started, listed = await _admit()
        most = now.settings.sockets_per_person
        if visitor.id is not None and now.hub.count_of(visitor.id) >= most:
            await _turn_away(form, "too many connections of yours")
            return
        await websocket.accept(subprotocol=form)
        stream = Stream(now, visitor, started.cursor, listed, form)
        _forget_handshake()
        del visitor
        await stream.run(started)
    except Refused as refused:
        await _close(refused.code, refused.reason)
    finally:
        now.sockets -= 1
        now.measures.sockets.dec()


def _forget_handshake() -> None:
    """Let go of what only the handshake needed: several KiB, for as long as a connection lives."""
    g.pop("visitor", None)
    websocket.headers.clear()
    websocket.scope["headers"] = []
    connection = cast("Any", websocket)._get_current_object()
    for name in _HANDSHAKE_ONLY:
        connection.__dict__.pop(name, None)


async def _turn_away(form: str, reason: str) -> None:
    """Accept and close: the status of a refused handshake is hidden from a page."""
    await websocket.accept(subprotocol=form)
    await _close(TRY_LATER, reason)


async def _close(code: int, reason: str) -> None:
    transport.abort_later(transport.found_in(websocket.scope))
    await websocket.close(code, reason)
    if code == inbound.TOO_LARGE:
        # It may be in the middle of its message: hung up on now, it would not hear why.
        await asyncio.sleep(transport.LINGER_SECONDS)


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
        listed = topics.topics(websocket.args.get("topics", ""))
    except ValueError as wrong:
        raise BadRequest(str(wrong)) from None
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
    return visitor, started, listed


class Foreign(HTTPException):
    """The handshake was made by another site's page."""

    code = 403


async def _visitor(read: Read, bearer: str | None) -> Visitor:
    """Return who is at the door. Who names a token, even an empty one, is known by nothing else:
    a page of another site may name one too, and the browser adds the cookie.
    """
    if bearer is None:
        return await auth.may_read(read)
    return await auth.by_token_at_the_door(read, bearer.removeprefix(BEARER_PREFIX))
