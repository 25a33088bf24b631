"""Oneself: looked at, changed, and gone for good."""

from collections.abc import Callable
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field
from quart import Blueprint, Response, jsonify

from microblog.actions import accounts, addresses, departures, usernames
from microblog.api import openapi, schemas, shapes
from microblog.core import names, passwords, scopes
from microblog.core.errors import Invalid, Message, NotFound
from microblog.database import Tx
from microblog.edge import auth, limits
from microblog.edge.accounts import must_know
from microblog.edge.auth import Visitor
from microblog.edge.passwords import hash_password
from microblog.models import User
from microblog.queries import users
from microblog.render import json as as_json
from microblog.runtime import runtime

CHANGE = "username once in a week, tries of the password per account and per address"
NEEDS_PASSWORD = frozenset({"email", "password"})
OF_THE_ACCOUNT = NEEDS_PASSWORD | {"username"}

blueprint = Blueprint("me", __name__)


class Change(BaseModel):
    """What is to be different; what is not sent stays as it is."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"display_name": "Mina", "about_me": "Seoul, bicycles"}]},
    )

    username: str = Field(
        "",
        description="The one before stays yours, and leads to you.",
        json_schema_extra=shapes.USERNAME,
    )
    display_name: str = Field("", description="50 characters at most.")
    about_me: str = Field("", description="500 characters at most.")
    email: str = Field(
        "",
        description="Holds once it is confirmed, where mail is sent.",
        json_schema_extra=shapes.EMAIL,
    )
    password: str = Field(
        "", description="Ends all other sessions and tokens.", json_schema_extra=shapes.PASSWORD
    )
    old_password: str = Field("", description="Needed for `password` and `email`.")

    @property
    def asked(self) -> set[str]:
        """The fields that were sent."""
        return set(self.model_fields_set)


@blueprint.get("/me")
@openapi.answers(200, schemas.User, "You.")
@openapi.signed_in
async def show() -> Response:
    """Show oneself."""
    return jsonify(as_json.own(await auth.person()))


@blueprint.patch("/me")
@openapi.answers(200, schemas.User, "You, as you are now.", limit=CHANGE)
@openapi.signed_in
@openapi.takes(Change)
async def change(data: Change) -> Response:
    """Change oneself.

    Another password ends all sessions and tokens but those of this sign-in.
    """
    return await _change(data)


@blueprint.put("/me")
@openapi.answers(200, schemas.User, "You, as you are now.", limit=CHANGE)
@openapi.signed_in
@openapi.takes(Change)
async def replace(data: Change) -> Response:
    """Change oneself, as `PATCH` does: what is not sent stays."""
    return await _change(data)


@blueprint.put("/users/<who>")
@openapi.answers(200, schemas.User, "You, as you are now.", limit=CHANGE)
@openapi.signed_in
@openapi.takes(Change)
async def change_by_name(who: str, data: Change) -> Response:
    """Change oneself by one's own id or username; nobody else can be changed."""
    user = await auth.person()
    if who.lower() not in {str(user.id), user.username_key}:
        raise NotFound
    return await _change(data)


class Leave(BaseModel):
    """The password of whoever wants to go."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"password": "a long enough sentence"}]},
    )

    password: str


@blueprint.delete("/me")
@openapi.answers(
    202,
    None,
    "You are gone for everybody; what you left is being deleted.",
    limit="tries of the password per account and per address in five minutes",
    refusals={409: "You are the only administrator."},
)
@openapi.signed_in
@auth.takes_scope(scopes.PASSWORD)
@openapi.takes(Leave)
async def delete(data: Leave) -> Response:
    """Delete one's account for good, with all that one wrote. Nobody else can have the name."""
    user = await auth.person()
    await must_know(user, data.password, "password")
    async with runtime().database.write() as tx:
        await departures.delete(tx, user, datetime.now(UTC))
    return Response(status=202)


async def _change(data: Change) -> Response:
    user = await auth.person()
    if found := _flaws(user, data):
        raise Invalid(found)
    if data.asked & OF_THE_ACCOUNT:
        async with runtime().database.read() as read:
            (await auth.visitor(read)).check(scopes.PASSWORD)
    if data.asked & NEEDS_PASSWORD:
        await must_know(user, data.old_password, "old_password")
    if "email" in data.asked and runtime().settings.mails_people:
        await limits.count_confirmation(user.id, names.check_email(data.email))
    hashed = await hash_password(data.password) if "password" in data.asked else None
    async with runtime().database.write() as tx:
        known = await auth.visitor(tx)
        await _carry_out(tx, user, known, data, hashed)
        fresh = await users.by_id(tx, user.id)
    return jsonify(as_json.own(fresh))


async def _carry_out(tx: Tx, user: User, known: Visitor, data: Change, hashed: str | None) -> None:
    now, settings = datetime.now(UTC), runtime().settings
    if "username" in data.asked:
        await usernames.rename(tx, user, data.username, now)
    if data.asked & {"display_name", "about_me"}:
        shown = data.display_name if "display_name" in data.asked else user.display_name
        about = data.about_me if "about_me" in data.asked else user.about_me
        await accounts.edit_profile(tx, user, shown, about)
    if hashed is not None:
        await accounts.change_password(tx, user, hashed, now, family_id=known.family_id)
    if "email" in data.asked:
        email = names.check_email(data.email)
        if settings.mails_people:
            await addresses.ask_to_confirm(tx, settings, runtime().secret, user, email, now)
        else:
            await addresses.change_unproved(tx, user, email)


def _flaws(user: User, data: Change) -> dict[str, list[Message]]:
    """Return what is wrong with a change, all fields at once; not whether a name is free."""
    site = runtime().settings.site_name
    name = data.username if "username" in data.asked else user.username
    checks: dict[str, Callable[[], object]] = {
        "username": lambda: names.check_username(data.username),
        "display_name": lambda: names.clean_display_name(data.display_name),
        "about_me": lambda: names.check_about_me(data.about_me),
        "email": lambda: names.check_email(data.email),
        "password": lambda: passwords.check(
            data.password, username=name, email=user.email, site=site
        ),
    }
    found: dict[str, list[Message]] = {}
    for field in data.asked & checks.keys():
        try:
            checks[field]()
        except Invalid as invalid:
            found |= dict(invalid.errors)
    return found
