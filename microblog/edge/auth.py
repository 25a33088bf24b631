"""Who is asking. Browsers bring a cookie, programs a Bearer token; both name rows that can be
revoked at once.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from quart import Quart, current_app, g, has_request_context, request
from quart_auth import Action, AuthUser, QuartAuth

from microblog.core import scopes
from microblog.core.access_tokens import InvalidToken
from microblog.core.errors import NotSignedIn
from microblog.core.scopes import OutOfScope
from microblog.database import Read
from microblog.edge import language, limits
from microblog.edge.request import asking, is_api
from microblog.models import User
from microblog.queries import access
from microblog.runtime import runtime
from microblog.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
BEARER_PREFIX = "bearer."
_SCOPE = "_microblog_scope"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever is asking: nobody known, or a person by a session or a family of tokens.

    `scopes` are those of a token that the person made; without them everything is allowed.
    """

    user: User | None = None
    session_id: int | None = None
    family_id: int | None = None
    scopes: frozenset[str] | None = None

    def check(self, scope: str) -> None:
        """Raise OutOfScope where the token may not be used for this."""
        if self.scopes is not None and scope not in self.scopes:
            raise OutOfScope(scope)

    @property
    def id(self) -> int | None:
        return self.user.id if self.user is not None else None


NOBODY = Visitor()


def install(app: Quart) -> None:
    """Add the cookie to an application; `configure` names it when the settings are known."""
    QuartAuth(app, cookie_samesite="Lax")


def configure(app: Quart, settings: Settings) -> None:
    """Name the cookies as the settings allow: on HTTPS bound to this host (RFC 6265bis, 4.1.3)."""
    prefix = "__Host-" if settings.is_secure else ""
    (cookie,) = app.extensions["QUART_AUTH"]
    cookie.cookie_name = f"{prefix}session"
    cookie.cookie_secure = settings.is_secure
    cookie.duration = settings.remember_days * 86_400
    app.config["SESSION_COOKIE_NAME"] = f"{prefix}form"
    app.config["SESSION_COOKIE_SECURE"] = settings.is_secure
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"


def remember_on_this_browser(token: str, *, remembered: bool) -> None:
    """Send the cookie of a session with the answer."""
    action = Action.WRITE_PERMANENT if remembered else Action.WRITE
    _cookie().login_user(AuthUser(token, action))


def forget_on_this_browser() -> None:
    """Remove the cookie with the answer."""
    _cookie().logout_user()


def _cookie() -> QuartAuth:
    return cast("QuartAuth", current_app.extensions["QUART_AUTH"][0])


async def visitor(read: Read) -> Visitor:
    """Find out who is asking, once a request; nobody known where the proof is no good."""
    if "visitor" not in g:
        _receive(await (_by_bearer(read) if is_api() else _by_cookie(read)))
    known: Visitor = g.visitor
    return known


def takes_scope(scope: str | None) -> Callable[[F], F]:
    """Say which scope a call takes, where its method does not say it; None for any token."""

    def mark(handler: F) -> F:
        setattr(handler, _SCOPE, scope)
        return handler

    return mark


def scope_of(handler: Any, method: str) -> str | None:
    """Return the scope that a call takes, None where any token will do."""
    scope: str | None = getattr(handler, _SCOPE, scopes.needed_by(method))
    return scope


def _receive(found: Visitor) -> None:
    if found.user is not None:
        runtime().presence.noticed(found.user, datetime.now(UTC))
    language.choose(found.user)
    g.visitor = found


def become(user: User) -> None:
    """Make the rest of this request for somebody who has just logged in."""
    language.choose(user)
    g.visitor = Visitor(user)


async def _by_cookie(read: Read) -> Visitor:
    token = _cookie().load_user().auth_id
    if token is None:
        return NOBODY
    now = datetime.now(UTC)
    found = await access.session(read, token, now)
    if found is None:
        return NOBODY
    session, user = found
    runtime().presence.used_session(session.id, session.used_at, now)
    life = runtime().session_life(remembered=session.remembered)
    if session.expires_at - now < life / 2:
        runtime().presence.extended[session.id] = now + life
        if has_request_context():  # a handshake cannot set cookies; the next page does
            remember_on_this_browser(token, remembered=session.remembered)
    return Visitor(user, session_id=session.id)


async def _by_bearer(read: Read) -> Visitor:
    scheme, _, token = asking().headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return NOBODY
    found = await _by_access_token(read, token.strip())
    if found.scopes is not None and request.endpoint is not None:
        handler = current_app.view_functions[request.endpoint]
        scope = scope_of(handler, request.method)
        if scope is not None:
            found.check(scope)
    return found


async def by_token_at_the_door(read: Read, token: str) -> Visitor:
    """Return who opens a live connection with an access token; raises NotSignedIn."""
    found = await _by_access_token(read, token)
    found.check(scopes.LIVE)
    _receive(found)
    return found


async def _by_access_token(read: Read, token: str) -> Visitor:
    found = await _by_made_token(read, token) or await _by_signed_token(read, token)
    g.allowance = limits.count_call(found.family_id or 0)
    return found


async def _by_made_token(read: Read, token: str) -> Visitor | None:
    if not token.startswith(scopes.PREFIX):
        return None
    now = datetime.now(UTC)
    found = await access.program_token(read, token, now)
    if found is None:
        raise NotSignedIn
    family, user = found
    runtime().presence.used_token(family.id, family.used_at, now)
    return Visitor(user, family_id=family.id, scopes=frozenset((family.scopes or "").split()))


async def _by_signed_token(read: Read, token: str) -> Visitor:
    try:
        proof = runtime().access_keys.read(token)
    except InvalidToken:
        raise NotSignedIn from None
    user = await access.family(read, proof.family_id, proof.user_id)
    if user is None:
        raise NotSignedIn
    return Visitor(user, family_id=proof.family_id)


async def person() -> User:
    """Return the person who is asking; raises NotSignedIn for nobody known."""
    known: Visitor | None = g.get("visitor")
    if known is None:
        async with runtime().database.read() as read:
            known = await visitor(read)
    if known.user is None:
        raise NotSignedIn
    return known.user


def login_required(handler: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """Let only people who are signed in through to a handler."""

    @wraps(handler)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        await person()
        return await handler(*args, **kwargs)

    return guarded


async def may_read(read: Read) -> Visitor:
    """Return who is asking, on pages that a members-only microblog keeps to itself."""
    known = await visitor(read)
    if known.user is None and runtime().settings.members_only:
        raise NotSignedIn
    return known
