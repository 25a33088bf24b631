"""One's e-mail address: the settings page of the account, and confirming by a mailed link."""

from datetime import UTC, datetime
from typing import Any

from quart import Blueprint, flash, redirect, url_for
from wtforms import PasswordField, StringField

from microblog.actions import addresses
from microblog.core import names
from microblog.core.errors import Conflict, Invalid, TooManyTries
from microblog.edge import auth, forms, limits, templates
from microblog.edge.accounts import must_know
from microblog.edge.csrf import shows_form_again
from microblog.edge.forms import Form
from microblog.edge.language import gettext as _
from microblog.edge.language import say
from microblog.models import User
from microblog.queries import mail as queries
from microblog.runtime import runtime
from microblog.web import layout
from microblog.web.auth import STALE, refused_for_now

blueprint = Blueprint("addresses", __name__)


class AddressForm(Form):
    """A new address, and the password of whoever wants it."""

    email = StringField()
    password = PasswordField()


@blueprint.get("/settings/account")
async def account() -> Any:
    """Show one's address, whether it is confirmed, and the form to change it."""
    await auth.person()
    return await _show_account(AddressForm())


@blueprint.post("/settings/account")
@shows_form_again
async def change_address() -> Any:
    """Let a new address be confirmed by mail; where no mail is sent, it holds at once."""
    user = await auth.person()
    form = AddressForm(await forms.sent())
    if not form.validate():
        form.form_errors.append(say(STALE))
        return await _show_account(form, 403)
    try:
        email = names.check_email(form.email.data or "")
        await must_know(user, form.password.data or "", "password")
        await limits.count_confirmation(user.id, email)
    except Invalid as invalid:
        form.refuse(invalid)
        return await _show_account(form, 400)
    except TooManyTries as refusal:
        return await _show_account(form, 429, refused_for_now(form, refusal))
    await _change(user, email)
    return redirect(url_for("addresses.account"), 303)


async def _change(user: User, email: str) -> None:
    settings, now = runtime().settings, datetime.now(UTC)
    async with runtime().database.write() as tx:
        if not settings.mails_people:
            await addresses.change_unproved(tx, user, email)
            await flash(_("Your address was changed."), "success")
            return
        await addresses.ask_to_confirm(tx, settings, runtime().secret, user, email, now)
    await _tell_that_mail_comes(email)


@blueprint.post("/settings/account/confirm")
async def send_again() -> Any:
    """Mail the link again that confirms the address one has."""
    user, settings = await auth.person(), runtime().settings
    if settings.mails_people and user.email_confirmed_at is None:
        await limits.count_confirmation(user.id, user.email)
        async with runtime().database.write() as tx:
            await addresses.ask_to_confirm(
                tx, settings, runtime().secret, user, user.email, datetime.now(UTC)
            )
        await _tell_that_mail_comes(user.email)
    return redirect(url_for("addresses.account"), 303)


async def _tell_that_mail_comes(email: str) -> None:
    told = _("A mail to %(email)s is on its way. Follow the link in it to confirm the address.")
    await flash(told % {"email": email}, "info")


async def _show_account(form: AddressForm, status: int = 200, headers: Any = None) -> Any:
    async with runtime().database.read() as read:
        visitor = await layout.open_page(read)
    user = visitor.user
    page = await templates.render(
        "addresses/account.html",
        form=form,
        email=user.email if user else "",
        is_confirmed=user is not None and user.email_confirmed_at is not None,
        mails_people=runtime().settings.mails_people,
    )
    return page, status, headers or {}


@blueprint.get("/auth/confirm_address/<token>")
async def look_at_confirmation(token: str) -> Any:
    """Show what would be confirmed. Looking at it confirms nothing: mail programs look too."""
    async with runtime().database.read() as read:
        await auth.visitor(read)
        found = await queries.link(read, token, addresses.PURPOSE, datetime.now(UTC))
    if found is None:
        return await _show_over()
    link, user = found
    return await templates.render(
        "addresses/confirm.html", email=link.email, username=user.username
    )


@blueprint.post("/auth/confirm_address/<token>")
async def confirm(token: str) -> Any:
    """Confirm an address."""
    try:
        async with runtime().database.write() as tx:
            await auth.visitor(tx)
            done = await addresses.confirm(tx, runtime().settings, token, datetime.now(UTC))
    except Conflict as conflict:
        await flash(say(conflict.reason) if conflict.reason else "", "danger")
        return redirect(url_for("timelines.home"), 303)
    if done is None:
        return await _show_over()
    await flash(_("Your address is confirmed. Thank you."), "success")
    return redirect(url_for("timelines.home"), 303)


async def _show_over() -> Any:
    again = url_for("addresses.account")
    return await templates.render("resets/over.html", again_url=again), 404
