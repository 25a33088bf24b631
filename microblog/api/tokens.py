"""Tokens: taken with a password, renewed with a refresh token, given back."""

from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict
from quart import Blueprint, Response, jsonify, request
from quart_schema import security_scheme

from microblog.actions import departures, tokens
from microblog.actions.tokens import Grant
from microblog.api import openapi, schemas
from microblog.core.errors import NotSignedIn, message
from microblog.core.tokens import Access, sign_access
from microblog.edge import auth, devices, errors
from microblog.edge.accounts import enter
from microblog.edge.request import device
from microblog.models import User
from microblog.runtime import runtime

BASIC = 'Basic realm="microblog", charset="UTF-8"'

blueprint = Blueprint("tokens", __name__)


@blueprint.post("/tokens")
@openapi.answers(
    200,
    schemas.Tokens,
    "A pair of tokens.",
    limit="tries per account and per address in five minutes",
    refusals={
        401: "The name and the password do not belong together.",
        403: "The account is suspended: `detail` says why.",
    },
)
@security_scheme([{"basic": []}])
async def take() -> Response:
    """Take a pair of tokens with a username or e-mail address and a password.

    The answer does not tell whether there is such an account. Who deactivated theirs less than
    thirty days ago is back with this.
    """
    user = await _by_password()
    if user is None:
        reason = message("That username and password do not belong together.")
        refusal = await errors.answer(errors.problem_of(NotSignedIn(reason)))
        refusal.headers["WWW-Authenticate"] = BASIC
        return refusal
    async with runtime().database.write() as tx:
        now = datetime.now(UTC)
        if user.deactivated_at is not None:
            await departures.come_back(tx, user, now)
        grant = await tokens.issue(tx, user.id, now, life=_life(), device=device())
        await devices.notice(tx, user, now)
    return _pair(grant, now)


async def _by_password() -> User | None:
    given = request.authorization
    if given is None or given.type != "basic":
        return None
    return await enter(given.username or "", given.password or "")


class Refresh(BaseModel):
    """The refresh token to spend."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"refresh_token": "0G7fW2…"}]}
    )

    refresh_token: str


@blueprint.put("/tokens")
@openapi.answers(
    200,
    schemas.Tokens,
    "The next pair of tokens.",
    refusals={401: "The refresh token is no good: unknown, expired, revoked or spent before."},
)
@security_scheme([])
@openapi.takes(Refresh)
async def renew(data: Refresh) -> Response:
    """Spend a refresh token on the next pair.

    For thirty seconds the same token gives the same next one, so a lost answer does no harm. Its
    use after that was not by its owner: the whole chain is revoked, and its live connections close.
    """
    async with runtime().database.write() as tx:
        now = datetime.now(UTC)
        grant = await tokens.refresh(
            tx, data.refresh_token, now, life=_life(), secret=runtime().secret
        )
    # Refused only now: what a stolen token revokes must be committed.
    if grant is None:
        raise NotSignedIn(message("This refresh token is no longer good. Log in again."))
    return _pair(grant, now)


@blueprint.delete("/tokens")
@openapi.answers(204, None, "The tokens are revoked.")
@openapi.signed_in
async def give_back() -> Response:
    """Revoke the tokens of this sign-in, and close its live connections."""
    async with runtime().database.write() as tx:
        known = await auth.visitor(tx)
        if known.id is not None and known.family_id is not None:
            await tokens.revoke(tx, known.id, known.family_id, datetime.now(UTC))
    return Response(status=204)


def _life() -> timedelta:
    return timedelta(days=runtime().settings.refresh_token_days)


def _pair(grant: Grant, now: datetime) -> Response:
    seconds = runtime().settings.access_token_seconds
    access = sign_access(
        runtime().secret,
        Access(grant.user_id, grant.family_id),
        issued_at=int(now.timestamp()),
        ttl_seconds=seconds,
    )
    body: dict[str, Any] = {
        "token": access,
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": seconds,
        "refresh_token": grant.refresh_token,
    }
    answer = jsonify(body)
    answer.headers["Cache-Control"] = "no-store"
    return answer
