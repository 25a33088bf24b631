"""A forgotten password: asking for a link, and choosing a new password with it."""

from datetime import UTC, datetime
from typing import Any

from quart import Blueprint, flash, redirect, url_for
from wtforms import PasswordField, StringField

from microblog.actions import mail, resets
from microblog.core import names, passwords
from microblog.core.errors import Invalid, Message, TooManyTries, message
from microblog.edge import auth, forms, language, limits, templates
from microblog.edge.csrf import shows_form_again
from microblog.edge.forms import Form
from microblog.edge.language import gettext as _
from microblog.edge.language import say
from microblog.edge.passwords import hash_password
from microblog.models import User
from microblog.queries import mail as queries
from microblog.queries import users
from microblog.runtime import runtime
from microblog.web.auth import STALE, refused_for_now

MOST_ADMINISTRATORS = 5

blueprint = Blueprint("resets", __name__, url_prefix="/auth")


class RequestForm(Form):
    """The address of whoever forgot their password."""

    email = StringField()


class PasswordForm(Form):
    """A new password."""

    password = PasswordField()
    password2 = PasswordField()


@blueprint.get("/reset_password_request")
async def request_reset() -> Any:
    """Show the form for a forgotten password, or whom to ask where no mail is sent."""
    return await _show_request(RequestForm())


@blueprint.post("/reset_password_request")
@shows_form_again
async def send_reset() -> Any:
    """Let a link be mailed. The answer is the same whether or not there is such an account."""
    form = RequestForm(await forms.sent())
    if not form.validate():
        form.form_errors.append(say(STALE))
        return await _show_request(form, 403)
    if not runtime().settings.mails_people:
        return await _show_request(form, 409)
    try:
        email = names.check_email(form.email.data or "")
        await limits.count_reset(email)
    except Invalid as invalid:
        form.refuse(invalid)
        return await _show_request(form, 400)
    except TooManyTries as refusal:
        return await _show_request(form, 429, refused_for_now(form, refusal))
    async with runtime().database.write() as tx:
        mail.ask_for_resets(tx, email, language.current())
    minutes = int(resets.LIFE.total_seconds()) // 60
    sent = _(
        "If an account has this address, a mail with a link is on its way there. "
        "The link is good for %(minutes)s minutes."
    )
    await flash(sent % {"minutes": minutes}, "info")
    return redirect(url_for("auth.login"), 303)


async def _show_request(form: RequestForm, status: int = 200, headers: Any = None) -> Any:
    settings = runtime().settings
    async with runtime().database.read() as read:
        await auth.visitor(read)
        admins = await users.administrators(read, MOST_ADMINISTRATORS)
    page = await templates.render(
        "resets/request.html",
        form=form,
        is_open=settings.mails_people,
        addresses=settings.admins,
        administrators=admins,
    )
    return page, status, headers or {}


@blueprint.get("/reset_password/<token>")
async def choose_password(token: str) -> Any:
    """Show the form for a new password. Looking at it spends nothing: mail programs look too."""
    if await _whose(token) is None:
        return await _show_over()
    return await _show_form(PasswordForm())


@blueprint.post("/reset_password/<token>")
@shows_form_again
async def reset_password(token: str) -> Any:
    """Set a new password, which logs the person out everywhere."""
    form = PasswordForm(await forms.sent())
    user = await _whose(token)
    if user is None:
        return await _show_over()
    if not form.validate():
        form.form_errors.append(say(STALE))
        return await _show_form(form, 403)
    if found := _flaws(form, user):
        form.refuse(Invalid(found))
        return await _show_form(form, 400)
    hashed = await hash_password(form.password.data or "")
    async with runtime().database.write() as tx:
        done = await resets.set_password(tx, token, hashed, datetime.now(UTC))
    if done is None:
        return await _show_over()
    auth.forget_on_this_browser()
    await flash(_("You have a new password. Log in with it."), "success")
    return redirect(url_for("auth.login"), 303)


def _flaws(form: PasswordForm, user: User) -> dict[str, list[Message]]:
    password, site = form.password.data or "", runtime().settings.site_name
    try:
        passwords.check(password, username=user.username, email=user.email, site=site)
    except Invalid as invalid:
        return dict(invalid.errors)
    if password != (form.password2.data or ""):
        return {"password2": [message("The two passwords differ.")]}
    return {}


async def _whose(token: str) -> User | None:
    """Return whose password a link may change, None where it is no good (any more)."""
    async with runtime().database.read() as read:
        await auth.visitor(read)
        found = await queries.link(read, token, resets.PURPOSE, datetime.now(UTC))
    return None if found is None else found[1]


async def _show_form(form: PasswordForm, status: int = 200) -> Any:
    return await templates.render("resets/password.html", form=form), status


async def _show_over() -> Any:
    again = url_for("resets.request_reset")
    return await templates.render("resets/over.html", again_url=again), 404
