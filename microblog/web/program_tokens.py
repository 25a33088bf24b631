"""Tokens for programs: made with a name and scopes, shown once, revoked at any time."""

from datetime import UTC, datetime
from typing import Any

from quart import Blueprint, flash, redirect, url_for
from wtforms import PasswordField, SelectField, SelectMultipleField, StringField

from microblog.actions import program_tokens, tokens
from microblog.core.cursors import GREATEST
from microblog.core.errors import Conflict, Invalid, NotFound, TooManyTries
from microblog.core.scopes import DAYS, READ, SCOPES
from microblog.edge import auth, forms, templates
from microblog.edge.accounts import must_know
from microblog.edge.csrf import shows_form_again
from microblog.edge.forms import Form
from microblog.edge.language import gettext as _
from microblog.edge.language import say
from microblog.models import User
from microblog.queries import access
from microblog.render import views
from microblog.runtime import runtime
from microblog.web import layout
from microblog.web.auth import STALE, refused_for_now

USUAL_DAYS = 90

blueprint = Blueprint("program_tokens", __name__, url_prefix="/settings/tokens")


class TokenForm(Form):
    """A token that is to be made. What may be chosen is checked by `core.scopes`."""

    name = StringField()
    scopes = SelectMultipleField(default=(READ,), validate_choice=False)
    days = SelectField(coerce=int, default=USUAL_DAYS, validate_choice=False)
    password = PasswordField()


@blueprint.get("")
async def index() -> Any:
    """Show the tokens that one has made, and the form for another."""
    await auth.person()
    return await _show(TokenForm())


@blueprint.post("")
@shows_form_again
async def make() -> Any:
    """Make a token. It stands in this answer, and nowhere else."""
    user = await auth.person()
    form = TokenForm(await forms.sent())
    if not form.validate():
        is_stale = "csrf_token" in form.errors
        if is_stale:
            form.form_errors.append(say(STALE))
        return await _show(form, 403 if is_stale else 400)
    try:
        token = await _make(user, form)
    except Invalid as invalid:
        form.refuse(invalid)
        return await _show(form, 400)
    except TooManyTries as refusal:
        return await _show(form, 429, refused_for_now(form, refusal))
    except Conflict as conflict:
        form.form_errors.append(say(conflict.reason) if conflict.reason else "")
        return await _show(form, 409)
    return await _show(TokenForm(formdata=None), 201, {"Cache-Control": "no-store"}, token=token)


async def _make(user: User, form: TokenForm) -> str:
    await must_know(user, form.password.data or "", "password")
    chosen = form.name.data or "", form.scopes.data or [], form.days.data
    async with runtime().database.write() as tx:
        _row, token = await program_tokens.make(tx, user, *chosen, datetime.now(UTC))
    return token


@blueprint.post(f"/<int(max={GREATEST}):family_id>/revoke")
async def revoke(family_id: int) -> Any:
    """Take a token away, and close what it has opened."""
    user = await auth.person()
    async with runtime().database.write() as tx:
        if not await tokens.revoke(tx, user.id, family_id, datetime.now(UTC)):
            raise NotFound
    await flash(_("The token is revoked."), "success")
    return redirect(url_for("program_tokens.index"), 303)


async def _show(
    form: TokenForm, status: int = 200, headers: Any = None, *, token: str | None = None
) -> Any:
    user = await auth.person()
    async with runtime().database.read() as read:
        await layout.open_page(read)
        doors = await access.families_of(read, user.id, datetime.now(UTC))
    shown = await templates.render(
        "settings/tokens.html",
        form=form,
        token=token,
        tokens=[views.program_token(one) for one in doors if one.name is not None],
        scopes=SCOPES if user.is_admin else SCOPES[:-1],
        lives=DAYS,
    )
    return shown, status, headers or {}
