"""Tokens: taken with a password, renewed with a refresh token, given back."""

from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from quart import Blueprint, Response, jsonify, request
from quart_schema import security_scheme

from microblog.actions import departures, tokens
from microblog.actions.tokens import Grant
from microblog.api import openapi, paging, schemas
from microblog.core import scopes
from microblog.core.access_tokens import Access
from microblog.core.errors import NotFound, NotSignedIn, message
from microblog.edge import auth, devices, errors
from microblog.edge.accounts import enter
from microblog.edge.request import device
from microblog.models import User
from microblog.queries import access
from microblog.render import json as as_json
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
            tx, data.refresh_token, now, life=_life(), secrets=runtime().secrets
        )
    # Refused only now: what a stolen token revokes must be committed.
    if grant is None:
        raise NotSignedIn(message("This refresh token is no longer good. Log in again."))
    return _pair(grant, now)


class SignInLinks(BaseModel):
    """Addresses around a sign-in."""

    self: str


class SignIn(BaseModel):
    """A program that is signed in: by the chain of tokens that began with a password, or by a
    token that was made for it in the settings.
    """

    id: str
    device: str = Field(description="What the program called itself.")
    name: str | None = Field(description="What the token was called when it was made.")
    scopes: list[str] = Field(description="What it may be used for; of a password, everything.")
    expires_at: str | None = Field(
        description="When a token that was made ends; null for never.",
        json_schema_extra={"format": "date-time"},
    )
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    used_at: str = Field(
        description="When its tokens were last renewed.", json_schema_extra={"format": "date-time"}
    )
    current: bool = Field(description="Whether it is the one that asks.")
    links: SignInLinks = Field(alias="_links")


_SIGN_IN = {
    "id": "3",
    "device": "reader/2.1",
    "name": None,
    "scopes": ["read", "write", "live", "admin"],
    "expires_at": None,
    "created_at": "2026-01-02T03:04:05.678Z",
    "used_at": "2026-02-03T04:05:06.789Z",
    "current": True,
    "_links": {"self": "/api/tokens/3"},
}


class SignIns(schemas.Whole):
    """All programs that are signed in."""

    model_config = schemas.all_on_one_page([_SIGN_IN], "/api/tokens")

    items: list[SignIn]


@blueprint.get("/tokens")
@openapi.answers(200, SignIns, "The programs that are signed in, the last used first.")
@openapi.signed_in
@auth.takes_scope(scopes.PASSWORD)
async def live() -> Response:
    """List the programs that are signed in as oneself. Browsers are not among them."""
    async with runtime().database.read() as read:
        known = await auth.visitor(read)
        if known.id is None:
            raise NotSignedIn
        doors = await access.families_of(read, known.id, datetime.now(UTC))
    return paging.whole([as_json.sign_in(one, known.family_id) for one in doors])


@blueprint.delete("/tokens/<id:family_id>")
@openapi.answers(204, None, "Its tokens are revoked.")
@openapi.signed_in
@auth.takes_scope(scopes.PASSWORD)
async def end(family_id: str) -> Response:
    """Sign one program out, and close its live connections."""
    user = await auth.person()
    async with runtime().database.write() as tx:
        if not await tokens.revoke(tx, user.id, paging.number(family_id), datetime.now(UTC)):
            raise NotFound
    return Response(status=204)


@blueprint.delete("/tokens")
@openapi.answers(204, None, "The tokens are revoked.")
@openapi.signed_in
@auth.takes_scope(None)
async def give_back() -> Response:
    """Revoke the tokens of this sign-in, or the token that asks, and close its live connections."""
    async with runtime().database.write() as tx:
        known = await auth.visitor(tx)
        if known.id is not None and known.family_id is not None:
            await tokens.revoke(tx, known.id, known.family_id, datetime.now(UTC))
    return Response(status=204)


def _life() -> timedelta:
    return timedelta(days=runtime().settings.refresh_token_days)


def _pair(grant: Grant, now: datetime) -> Response:
    seconds = runtime().settings.access_token_seconds
    access = runtime().access_keys.sign(
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
