"""One's own account: its username and password, and leaving, for a while or for good."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from quart import Blueprint, flash, redirect, url_for
from wtforms import PasswordField, StringField

from microblog.actions import accounts, departures, usernames
from microblog.core import passwords
from microblog.core.errors import Conflict, Invalid, TooManyTries, message
from microblog.core.leaving import RENAME_DAYS, RETURN_DAYS
from microblog.database import Tx
from microblog.edge import auth, forms, templates
from microblog.edge.accounts import must_know
from microblog.edge.csrf import shows_form_again
from microblog.edge.forms import Form
from microblog.edge.language import gettext as _
from microblog.edge.language import say
from microblog.edge.passwords import hash_password
from microblog.models import User
from microblog.runtime import runtime
from microblog.web import layout
from microblog.web.auth import STALE, refused_for_now

Leave = Callable[[Tx, User, datetime], Awaitable[None]]

blueprint = Blueprint("account", __name__, url_prefix="/settings")


class UsernameForm(Form):
    """Another name."""

    username = StringField()


@blueprint.get("/username")
async def username() -> Any:
    """Show the form for another username."""
    user = await auth.person()
    return await _show("settings/username.html", UsernameForm(data={"username": user.username}))


@blueprint.post("/username")
@shows_form_again
async def rename() -> Any:
    """Change the username; the one before leads to the new one."""
    user = await auth.person()
    form = UsernameForm(await forms.sent())
    if not form.validate():
        form.form_errors.append(say(STALE))
        return await _show("settings/username.html", form, 403)
    try:
        async with runtime().database.write() as tx:
            await usernames.rename(tx, user, (form.username.data or "").strip(), datetime.now(UTC))
    except Invalid as invalid:
        form.refuse(invalid)
        return await _show("settings/username.html", form, 400)
    except TooManyTries as refusal:
        wait = {"Retry-After": str(refusal.retry_after_seconds)}
        told = _("You changed it less than %(days)s days ago. Please keep it that long.")
        form.form_errors.append(told % {"days": RENAME_DAYS})
        return await _show("settings/username.html", form, 429, wait)
    await flash(_("Your username was changed."), "success")
    return redirect(url_for("addresses.account"), 303)


class PasswordForm(Form):
    """A new password, and the one that it replaces."""

    old_password = PasswordField()
    password = PasswordField()
    password2 = PasswordField()


@blueprint.get("/password")
async def password() -> Any:
    """Show the form for another password."""
    await auth.person()
    return await _show("settings/password.html", PasswordForm())


@blueprint.post("/password")
@shows_form_again
async def change_password() -> Any:
    """Change the password: every other session and all tokens end, this one stays."""
    user = await auth.person()
    form = PasswordForm(await forms.sent())
    if not form.validate():
        form.form_errors.append(say(STALE))
        return await _show("settings/password.html", form, 403)
    new = form.password.data or ""
    try:
        site = runtime().settings.site_name
        passwords.check(new, username=user.username, email=user.email, site=site)
        if new != (form.password2.data or ""):
            raise Invalid({"password2": [message("The two passwords differ.")]})
        await must_know(user, form.old_password.data or "", "old_password")
    except Invalid as invalid:
        form.refuse(invalid)
        return await _show("settings/password.html", form, 400)
    except TooManyTries as refusal:
        return await _show("settings/password.html", form, 429, refused_for_now(form, refusal))
    hashed, now = await hash_password(new), datetime.now(UTC)
    async with runtime().database.write() as tx:
        here = (await auth.visitor(tx)).session_id
        await accounts.change_password(tx, user, hashed, now, session_id=here)
    await flash(_("Your password was changed. Everywhere else you are logged out."), "success")
    return redirect(url_for("account.password"), 303)


class LeaveForm(Form):
    """The password of whoever wants to go."""

    password = PasswordField()


@blueprint.get("/deactivate")
async def deactivation() -> Any:
    """Show what deactivating means, and the form that asks for the password."""
    await auth.person()
    return await _show("settings/deactivate.html", LeaveForm())


@blueprint.post("/deactivate")
@shows_form_again
async def deactivate() -> Any:
    """Let the person be gone until they log in again."""
    told = _("Your account is deactivated. Log in within %(days)s days to come back.")
    return await _leave(
        departures.deactivate, "settings/deactivate.html", told % {"days": RETURN_DAYS}
    )


@blueprint.get("/delete")
async def deletion() -> Any:
    """Show what deleting means, and the form that asks for the password."""
    await auth.person()
    return await _show("settings/delete.html", LeaveForm())


@blueprint.post("/delete")
@shows_form_again
async def delete() -> Any:
    """Delete the account, and all that the person wrote."""
    told = _("Your account is deleted. Good-bye.")
    return await _leave(departures.delete, "settings/delete.html", told)


async def _leave(leave: Leave, template: str, told: str) -> Any:
    user = await auth.person()
    form = LeaveForm(await forms.sent())
    if not form.validate():
        form.form_errors.append(say(STALE))
        return await _show(template, form, 403)
    try:
        await must_know(user, form.password.data or "", "password")
        async with runtime().database.write() as tx:
            await leave(tx, user, datetime.now(UTC))
    except Invalid as invalid:
        form.refuse(invalid)
        return await _show(template, form, 400)
    except TooManyTries as refusal:
        return await _show(template, form, 429, refused_for_now(form, refusal))
    except Conflict as conflict:
        form.form_errors.append(say(conflict.reason) if conflict.reason else "")
        return await _show(template, form, 409)
    auth.forget_on_this_browser()
    await flash(told, "info")
    return redirect(url_for("auth.login"), 303)


async def _show(template: str, form: Form, status: int = 200, headers: Any = None) -> Any:
    async with runtime().database.read() as read:
        await layout.open_page(read)
    days = {"return_days": RETURN_DAYS, "rename_days": RENAME_DAYS}
    return await templates.render(template, form=form, **days), status, headers or {}
