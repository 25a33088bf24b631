"""People: everyone, one of them, and signing up."""

import json
import re
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from quart import Blueprint, Response, jsonify
from quart_schema import security_scheme, validate_headers, validate_querystring

from microblog.actions import accounts, addresses, idempotency
from microblog.actions.accounts import NewAccount
from microblog.api import fields, me, openapi, paging, schemas
from microblog.api.paging import NumberedQuery
from microblog.api.posts import KEY, Repeatable
from microblog.core import names
from microblog.core.errors import Conflict, Forbidden, Invalid, NotFound, message
from microblog.database import Read, Tx
from microblog.edge import auth, language, limits
from microblog.edge.accounts import flaws, prove
from microblog.edge.passwords import hash_password
from microblog.edge.request import network
from microblog.models import User
from microblog.queries import users
from microblog.queries.rows import Person
from microblog.render import json as as_json
from microblog.runtime import runtime

blueprint = Blueprint("users", __name__)


@blueprint.get("/users")
@openapi.answers(200, schemas.UserPage, "A page of people.")
@openapi.open_to_all
@validate_querystring(NumberedQuery)
async def everyone(query_args: NumberedQuery) -> Response:
    """List the people, the earliest member first."""
    per_page = query_args.per_page or runtime().settings.posts_per_page
    async with runtime().database.read() as read:
        visitor = await auth.may_read(read)
        people, total = await users.numbered(read, query_args.page, per_page)
    items = [_shown(each, visitor) for each in people]
    return paging.numbered(items, query_args.page, per_page, total)


class SignUp(BaseModel):
    """Who wants an account."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "username": "mina",
                    "email": "mina@example.org",
                    "password": "a long enough sentence",
                    "display_name": "Mina",
                }
            ]
        },
    )

    username: fields.Username = Field(
        description="3 to 30 letters, digits and _, beginning with a letter."
    )
    email: fields.Email
    password: fields.Password = Field(
        description="8 characters to 1,024 bytes, none of the common ones."
    )
    display_name: fields.DisplayName = Field("", description="50 characters at most.")
    about_me: fields.AboutMe = Field("", description="500 characters at most.")


@blueprint.post("/users")
@openapi.answers(
    201,
    schemas.User,
    "The new person.",
    location=True,
    limit="sign-ups per address in an hour",
    refusals={403: "Signing up is closed here."},
)
@security_scheme([])
@validate_headers(Repeatable)
@openapi.takes(SignUp)
async def sign_up(data: SignUp, headers: Repeatable) -> Response:
    """Sign up.

    Take tokens with the new name and password afterwards. All that is wrong is told at once. A
    repetition with the same `Idempotency-Key` is known for an hour, to the same network address.
    """
    if not runtime().settings.sign_up_open:
        raise Forbidden(message("Signing up is closed here. Ask the owner for an account."))
    username, email = data.username.strip(), data.email.strip()
    profile = {"display_name": data.display_name, "about_me": data.about_me}
    if found := flaws(username, email, data.password, **profile):
        raise Invalid(found)
    try:
        user = await _made_before(data, headers.idempotency_key)
        if user is None:
            await limits.count_sign_up()
            account = NewAccount(
                username, email, await hash_password(data.password), language.current()
            )
            user = await _register(account, profile, data, headers.idempotency_key)
        if user is None:  # by who came with the same key meanwhile
            user = await _made_before(data, headers.idempotency_key)
    except Conflict as reused:
        raise Invalid({KEY: [reused.reason] if reused.reason else []}) from None
    if user is None:
        raise NotFound
    made = me.answer(user)
    made.status_code = 201
    made.headers["Location"] = f"/api/users/{user.id}"
    return made


async def _register(
    account: NewAccount, profile: dict[str, str], data: SignUp, key: str | None
) -> User | None:
    """Make an account; None where the same request has made one. Raises Conflict."""
    async with runtime().database.write() as tx:
        now = datetime.now(UTC)
        if key is not None and await _earlier(tx, data, key, now) is not None:
            return None
        user = await accounts.register(tx, account, now)
        await addresses.welcome(tx, runtime().settings, runtime().secret, user, now)
        if any(profile.values()):
            await accounts.edit_profile(tx, user, **profile)
        if key is not None:
            kept = idempotency.stranger_key(network(), key)
            await idempotency.remember(tx, user.id, kept, _said(data), user.id, now)
    return user


async def _made_before(data: SignUp, key: str | None) -> User | None:
    """Return whom the same request has made, or None; raises Conflict for another request.

    The password is compared as for a log-in, and counted so: a digest of it is kept nowhere.
    """
    if key is None:
        return None
    async with runtime().database.write() as tx:
        now = datetime.now(UTC)
        user_id = await _earlier(tx, data, key, now)
    if user_id is None:
        return None
    user = await prove(data.username, data.password)
    if user is None or user.id != user_id:
        raise idempotency.reused()
    return user


async def _earlier(tx: Tx, data: SignUp, key: str, now: datetime) -> int | None:
    return await idempotency.of_stranger(tx, network(), key, _said(data), now)


def _said(data: SignUp) -> str:
    """Return what a repetition has to say again to be one, but for the password."""
    return json.dumps([data.username, data.email, data.display_name, data.about_me])


@blueprint.get("/users/<who>")
@openapi.answers(200, schemas.User, "The person.")
@openapi.open_to_all
async def show(who: str) -> Response:
    """Show a person."""
    async with runtime().database.read() as read:
        visitor = await auth.may_read(read)
        if re.fullmatch(names.USERNAME_PATTERN, who):
            person: User | Person = await users.by_username(read, who)
        else:
            person = await users.shown(read, paging.number(who))
    if visitor.user is not None and person.id == visitor.user.id:
        return me.answer(visitor.user)
    return jsonify(as_json.user(person))


def _shown(person: User | Person, visitor: auth.Visitor) -> dict[str, Any]:
    if visitor.user is not None and person.id == visitor.user.id:
        return as_json.own(visitor.user)
    return as_json.user(person)


async def named(read: Read, who: str) -> User:
    """Return the active person with that id or username; raises NotFound."""
    if re.fullmatch(names.USERNAME_PATTERN, who):
        return await users.by_username(read, who)
    return await users.by_id(read, paging.number(who))
