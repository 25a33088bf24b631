"""The door of the `/live` WebSocket: who may come in, from which position, and how it is closed."""

from quart import Blueprint, websocket
from werkzeug.exceptions import BadRequest, HTTPException

from microblog.core.errors import Unavailable
from microblog.database import Read
from microblog.edge import auth, language, origin
from microblog.edge.auth import BEARER_PREFIX, Visitor
from microblog.live import inbound, transport
from microblog.live.inbound import Refused
from microblog.live.stream import Stream
from microblog.realtime import replay
from microblog.realtime.replay import Start
from microblog.render import frames
from microblog.runtime import runtime

blueprint = Blueprint("live", __name__)


@blueprint.websocket("/live")
async def live() -> None:
    """Carry events to one client until it goes, is silent, or loses its session."""
    form = _form_asked_for()
    visitor, started, topics = await _admit()
    await websocket.accept(subprotocol=form)
    stream = Stream(runtime(), visitor, started, topics, form)
    try:
        await stream.run()
    except Refused as refused:
        transport.abort_later(transport.found_in(websocket.scope))
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
