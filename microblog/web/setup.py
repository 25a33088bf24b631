"""The first administrator: a page that only the link printed at the start opens."""

import hmac
from datetime import UTC, datetime
from typing import Any

from quart import Blueprint, redirect, request, url_for
from wtforms import HiddenField

from microblog.actions import accounts, addresses
from microblog.core.errors import Conflict, Invalid, NotFound
from microblog.core.tokens import setup_token
from microblog.edge import forms, templates
from microblog.edge.csrf import shows_form_again
from microblog.edge.language import say
from microblog.queries import users
from microblog.runtime import runtime
from microblog.web.auth import STALE, RegisterForm, begin_session, check_account, hashed_account

blueprint = Blueprint("setup", __name__)


class AdministratorForm(RegisterForm):
    """The account of the first administrator, with the link's token."""

    token = HiddenField()


@blueprint.get("/setup")
async def administrator() -> Any:
    """Show the form for the first administrator; not found without the token, or afterwards."""
    await _must_be_allowed(request.args.get("token", ""))
    return await _show(AdministratorForm(data={"token": request.args["token"]}))


@blueprint.post("/setup")
@shows_form_again
async def make_administrator() -> Any:
    """Make the first administrator and log in."""
    form = AdministratorForm(await forms.sent())
    await _must_be_allowed(form.token.data or "")
    if not form.validate():
        form.form_errors.append(say(STALE))
        return await _show(form, 403)
    try:
        check_account(form)
        account = await hashed_account(form, role="admin")
        async with runtime().database.write() as tx:
            now = datetime.now(UTC)
            user = await accounts.become_first_admin(tx, account, now)
            await addresses.welcome(tx, runtime().settings, runtime().secret, user, now)
            await begin_session(tx, user)
    except Invalid as invalid:
        form.refuse(invalid)
        return await _show(form, 400)
    except Conflict:
        raise NotFound from None
    return redirect(url_for("timelines.home"), 303)


async def _must_be_allowed(token: str) -> None:
    async with runtime().database.read() as read:
        there_is_one = await users.has_admin(read)
    expected = setup_token(runtime().secret, runtime().hub.epoch)
    if there_is_one or not hmac.compare_digest(token.encode(), expected.encode()):
        raise NotFound


async def _show(form: AdministratorForm, status: int = 200) -> Any:
    return await templates.render("setup/administrator.html", form=form), status
