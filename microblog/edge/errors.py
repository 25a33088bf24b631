"""What went wrong, said to whoever asked: a page for people, problem+json (RFC 9457) for programs.

Each domain error is mapped once, here. Unknown errors become a 500 with a number to report.
"""

import contextlib
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

import structlog
from pydantic import ValidationError
from quart import (
    Quart,
    Response,
    g,
    jsonify,
    redirect,
    request,
    url_for,
)
from quart_schema import RequestSchemaValidationError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from werkzeug.exceptions import (
    HTTPException,
    RequestedRangeNotSatisfiable,
    RequestEntityTooLarge,
)

from microblog.core.errors import (
    Changed,
    Conflict,
    Forbidden,
    Invalid,
    Message,
    MicroblogError,
    NotFound,
    NotSignedIn,
    ServiceFailed,
    TooManyTries,
    Unavailable,
    message,
)
from microblog.core.scopes import OutOfScope
from microblog.edge import auth, language, payloads, room, templates
from microblog.edge.headers import request_id
from microblog.edge.language import gettext, say
from microblog.edge.request import MicroblogRequest, asking, here, is_api, shown_path, wants_json
from microblog.queries import badges
from microblog.runtime import runtime

BEARER = 'Bearer realm="microblog"'
CHARACTER_NOT_IN_REPERTOIRE = "22021"  # PostgreSQL's error codes, class 22

log = structlog.get_logger(__name__)

_EXPLAINED = {
    400: message("The request could not be understood."),
    401: message("Please log in first."),
    403: message("You may not do this."),
    404: message("There is nothing here. It may have been deleted."),
    405: message("This address does not do that."),
    406: message("This cannot be had in the form that was asked for."),
    408: message("The request took too long to arrive."),
    409: message("This clashes with what is already there."),
    412: message("This was changed since you read it. Read it again, then send your change."),
    413: message("That is too much at once. Send less."),
    415: message("This kind of content is not understood here."),
    422: message("Some of what was sent is not right."),
    428: message("Say which version you change: send its ETag as If-Match."),
    429: message("That was too often. Please wait %(seconds)d seconds and try again."),
    500: message("Something went wrong on our side. Please try again in a moment."),
    502: message("A service that this needs gave no useful answer."),
    503: message("The server is out of breath just now. Please try again in a moment."),
}
_TITLES = {
    400: message("Not understood"),
    401: message("Not logged in"),
    403: message("Not allowed"),
    404: message("Not found"),
    405: message("Not possible here"),
    406: message("Not available in this form"),
    408: message("Too slow"),
    409: message("Conflict"),
    412: message("Changed meanwhile"),
    413: message("Too large"),
    415: message("Unknown kind of content"),
    422: message("Not valid"),
    428: message("No version named"),
    429: message("Too often"),
    500: message("Our mistake"),
    502: message("A service failed"),
    503: message("Not available just now"),
}
# Fields that hold what took somebody time to write; an error page gives it back.
_WRITINGS = ("post", "draft", "about_me", "message")


@dataclass(frozen=True, slots=True)
class Problem:
    """An error, ready to be shown: status, reason, field errors, and seconds to wait."""

    status: int
    reason: Message | None = None
    errors: dict[str, list[str]] | None = None
    retry_after_seconds: int | None = None
    allow: str | None = None
    challenge: str | None = None
    limit: int | None = None

    @property
    def title(self) -> str:
        return say(_TITLES.get(self.status) or _TITLES[self._likely])

    @property
    def detail(self) -> str:
        if self.reason is not None:
            return say(self.reason)
        known = _EXPLAINED.get(self.status) or _EXPLAINED[self._likely]
        if self.retry_after_seconds is not None:
            return gettext(known.text) % {"seconds": self.retry_after_seconds}
        return say(known)

    @property
    def _likely(self) -> int:
        """The status that explains one without words of its own."""
        return 400 if self.status < 500 else 500


def install(app: Quart) -> None:
    """Let an application answer all errors from here."""
    app.register_error_handler(MicroblogError, _domain)
    app.register_error_handler(RequestSchemaValidationError, _schema)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(DBAPIError, _database)
    app.register_error_handler(OSError, _system)
    app.register_error_handler(Exception, _unknown)


def problem_of(error: MicroblogError) -> Problem:
    """Map a domain error."""
    match error:
        case NotFound():
            return Problem(404, error.reason)
        case NotSignedIn():
            return Problem(401, error.reason)
        case Forbidden():
            return Problem(403, error.reason, challenge=_challenge(error))
        case Conflict():
            return Problem(409, error.reason)
        case Changed():
            return Problem(412 if is_api() else 409, error.reason)
        case Invalid():
            errors = {name: [say(one) for one in found] for name, found in error.errors.items()}
            return Problem(422 if wants_json() else 400, errors=errors)
        case TooManyTries():
            wait = error.retry_after_seconds
            return Problem(429, retry_after_seconds=wait, limit=error.limit)
        case Unavailable():
            wait = error.retry_after_seconds
            return Problem(503, error.reason, retry_after_seconds=wait)
        case ServiceFailed():
            return Problem(502, error.reason)
    return Problem(500, error.reason)


def _challenge(error: Forbidden) -> str | None:
    """Return the header that names the scope which a token lacks (RFC 6750, 3.1)."""
    if not isinstance(error, OutOfScope):
        return None
    return f'{BEARER}, error="insufficient_scope", scope="{error.scope}"'


async def _domain(error: MicroblogError) -> Any:
    if isinstance(error, NotSignedIn) and not wants_json():
        if asking().method in {"GET", "HEAD"}:
            return redirect(url_for("auth.login", next=here()), 303)
        return redirect(url_for("auth.login"), 303)
    if isinstance(error, Unavailable):
        log.warning("request.unavailable", request_id=request_id(), cause=repr(error.__cause__))
    return await answer(problem_of(error))


async def _schema(error: RequestSchemaValidationError) -> Response:
    cause = error.validation_error
    if not isinstance(cause, ValidationError):
        return await answer(Problem(400))
    errors = {name: [say(one) for one in found] for name, found in payloads.flaws(cause).items()}
    return await answer(Problem(422, errors=errors))


async def _http(error: HTTPException) -> Any:
    if error.code is None or error.code < 400:
        return error.get_response()
    if isinstance(error, RequestEntityTooLarge):
        await cast("MicroblogRequest", request).body.drain()
    if isinstance(error, RequestedRangeNotSatisfiable):
        return await answer(Problem(416))
    methods = getattr(error, "valid_methods", None)
    return await answer(Problem(error.code, allow=", ".join(sorted(methods)) if methods else None))


async def _database(error: DBAPIError) -> Response:
    # PostgreSQL has no NUL in its texts: nothing can be there by that name.
    if getattr(error.orig, "sqlstate", None) == CHARACTER_NOT_IN_REPERTOIRE:
        return await answer(Problem(400))
    return await _unknown(error)


async def _system(error: OSError) -> Response:
    if error.errno not in room.NO_MORE_FILES:
        return await _unknown(error)
    log.warning("request.unavailable", request_id=request_id(), cause=repr(error))
    return await answer(Problem(503, retry_after_seconds=2))


async def _unknown(error: Exception) -> Response:
    log.error("request.failed", request_id=request_id(), path=shown_path(), exc_info=error)
    rule = asking().url_rule
    where = f"{asking().method} {rule.rule if rule else 'no address of ours'}"
    runtime().report(error, where, request_id())
    return await answer(Problem(500))


async def answer(problem: Problem) -> Response:
    """Make the answer that tells of a problem, as a page or as problem+json."""
    if wants_json():
        response = jsonify(_as_json(problem))
        response.content_type = "application/problem+json"
        response.headers["Content-Language"] = language.current()
    else:
        response = Response(await _page(problem), content_type="text/html; charset=utf-8")
    response.status_code = problem.status
    if problem.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(problem.retry_after_seconds)
    if problem.limit is not None and is_api():
        response.headers["RateLimit-Limit"] = str(problem.limit)
    if problem.allow is not None:
        response.headers["Allow"] = problem.allow
    if problem.status == HTTPStatus.UNAUTHORIZED and is_api():
        response.headers["WWW-Authenticate"] = BEARER
    if problem.challenge is not None:
        response.headers["WWW-Authenticate"] = problem.challenge
    return response


async def _knows_reader() -> bool:
    """Find out who is asking, for the layout around the error, if that is possible now."""
    try:
        async with runtime().database.read() as read:
            known = await auth.visitor(read)
            if known.id is not None:
                g.unread = await badges.unread(read, known.id)
    except (MicroblogError, SQLAlchemyError):
        return False
    return True


async def _writing() -> str | None:
    """Return what was sent and took somebody time to write, if the form can be read at all."""
    with contextlib.suppress(HTTPException):
        fields = await request.form
        return next((fields[name] for name in _WRITINGS if fields.get(name)), None)
    return None


def _as_json(problem: Problem) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        # The tutorial's clients look for these two.
        "error": HTTPStatus(problem.status).phrase,
        "message": problem.detail,
    }
    if problem.errors:
        body["errors"] = problem.errors
    return body


async def _page(problem: Problem) -> str:
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE or not await _knows_reader():
        # Whatever the layout would ask of the database cannot be had now.
        return await templates.render("errors/plain.html", problem=problem, kept=await _writing())
    sentences = [one for found in (problem.errors or {}).values() for one in found]
    return await templates.render(
        "errors/error.html",
        status=problem.status,
        title=problem.title,
        message=" ".join(sentences) or problem.detail,
        request_id=request_id(),
    )
