"""People: everyone, one of them, and signing up."""

import re
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from quart import Blueprint, Response, jsonify
from quart_schema import security_scheme, validate_querystring

from microblog.actions import accounts, addresses
from microblog.actions.accounts import NewAccount
from microblog.api import openapi, paging, schemas, shapes
from microblog.api.paging import NumberedQuery
from microblog.core import names
from microblog.core.errors import Forbidden, Invalid, message
from microblog.database import Read
from microblog.edge import auth, language, limits
from microblog.edge.accounts import flaws
from microblog.edge.passwords import hash_password
from microblog.models import User
from microblog.queries import users
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

    username: str = Field(
        description="3 to 30 letters, digits and _, beginning with a letter.",
        json_schema_extra=shapes.USERNAME,
    )
    email: str = Field(json_schema_extra=shapes.EMAIL)
    password: str = Field(
        description="8 characters to 1,024 bytes, none of the common ones.",
        json_schema_extra=shapes.PASSWORD,
    )
    display_name: str = Field("", description="50 characters at most.")
    about_me: str = Field("", description="500 characters at most.")


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
@openapi.takes(SignUp)
async def sign_up(data: SignUp) -> Response:
    """Sign up.

    Take tokens with the new name and password afterwards. All that is wrong is told at once.
    """
    if not runtime().settings.sign_up_open:
        raise Forbidden(message("Signing up is closed here. Ask the owner for an account."))
    username, email = data.username.strip(), data.email.strip()
    profile = {"display_name": data.display_name, "about_me": data.about_me}
    if found := flaws(username, email, data.password, **profile):
        raise Invalid(found)
    await limits.count_sign_up()
    hashed = await hash_password(data.password)
    account = NewAccount(username, email, hashed, language=language.current())
    async with runtime().database.write() as tx:
        now = datetime.now(UTC)
        user = await accounts.register(tx, account, now)
        await addresses.welcome(tx, runtime().settings, runtime().secret, user, now)
        if any(profile.values()):
            await accounts.edit_profile(tx, user, **profile)
    answer = jsonify(as_json.own(user))
    answer.status_code = 201
    answer.headers["Location"] = f"/api/users/{user.id}"
    return answer


@blueprint.get("/users/<who>")
@openapi.answers(200, schemas.User, "The person.")
@openapi.open_to_all
async def show(who: str) -> Response:
    """Show a person."""
    async with runtime().database.read() as read:
        visitor = await auth.may_read(read)
        person = await named(read, who)
    return jsonify(_shown(person, visitor))


def _shown(person: User, visitor: auth.Visitor) -> dict[str, Any]:
    return as_json.own(person) if person.id == visitor.id else as_json.user(person)


async def named(read: Read, who: str) -> User:
    """Return the active person with that id or username; raises NotFound."""
    if re.fullmatch(names.USERNAME_PATTERN, who):
        return await users.by_username(read, who)
    return await users.by_id(read, paging.number(who))
