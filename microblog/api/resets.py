"""A forgotten password: a link by mail, and the new password with what it holds."""

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field
from quart import Blueprint, Response
from quart_schema import security_scheme

from microblog.actions import mail, resets
from microblog.api import openapi, shapes
from microblog.core import names, passwords
from microblog.core.errors import Conflict, Invalid, message
from microblog.edge import errors, language, limits
from microblog.edge.errors import Problem
from microblog.edge.passwords import hash_password
from microblog.queries import mail as queries
from microblog.runtime import runtime

NO_GOOD = message("This token is no longer good. Ask for another.")

blueprint = Blueprint("resets", __name__)


class Forgotten(BaseModel):
    """The address of whoever forgot their password."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"email": "mina@example.org"}]}
    )

    email: str = Field(json_schema_extra=shapes.EMAIL)


@blueprint.post("/tokens/reset")
@openapi.answers(
    204,
    None,
    "If an account has this address, a mail with a link is on its way there.",
    limit="mails per e-mail address and per network in an hour",
    refusals={409: "This server sends no mail."},
)
@security_scheme([])
@openapi.takes(Forgotten)
async def ask(data: Forgotten) -> Response:
    """Ask for a link with which a forgotten password is changed.

    The answer does not tell whether there is such an account. The link's last part is the token.
    """
    if not runtime().settings.mails_people:
        raise Conflict(message("This server sends no mail. Ask an administrator for a password."))
    email = names.check_email(data.email)
    await limits.count_reset(email)
    async with runtime().database.write() as tx:
        mail.ask_for_resets(tx, email, language.current())
    return Response(status=204)


class NewPassword(BaseModel):
    """A new password, and the token that allows it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"token": "0G7fW2…", "new_password": "another long sentence"}]
        },
    )

    token: str
    new_password: str = Field(
        description="8 characters to 1,024 bytes, none of the common ones.",
        json_schema_extra=shapes.PASSWORD,
    )


@blueprint.put("/tokens/reset")
@openapi.answers(
    204,
    None,
    "The password is changed. Every session and token of the person has ended.",
    refusals={400: "The token is no good: unknown, late or spent. Or the body is not JSON."},
)
@security_scheme([])
@openapi.takes(NewPassword)
async def carry_out(data: NewPassword) -> Response:
    """Change a forgotten password with the token of a mailed link, once."""
    async with runtime().database.read() as read:
        found = await queries.link(read, data.token, resets.PURPOSE, datetime.now(UTC))
    if found is None:
        return await errors.answer(Problem(400, NO_GOOD))
    user, site = found[1], runtime().settings.site_name
    try:
        passwords.check(data.new_password, username=user.username, email=user.email, site=site)
    except Invalid as invalid:
        raise Invalid({"new_password": invalid.errors["password"]}) from None
    hashed = await hash_password(data.new_password)
    async with runtime().database.write() as tx:
        done = await resets.set_password(tx, data.token, hashed, datetime.now(UTC))
    if done is None:
        return await errors.answer(Problem(400, NO_GOOD))
    return Response(status=204)
