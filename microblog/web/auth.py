"""Signing up, logging in and out."""

from datetime import UTC, datetime
from typing import Any

from quart import Blueprint, flash, redirect, request, url_for
from wtforms import BooleanField, HiddenField, PasswordField, StringField

from microblog.actions import accounts, addresses, departures, sessions
from microblog.actions.accounts import NewAccount
from microblog.core.errors import Forbidden, Invalid, TooManyTries, message
from microblog.core.locators import safe_next
from microblog.database import Tx
from microblog.edge import auth, devices, errors, forms, language, limits, templates
from microblog.edge.accounts import enter, flaws
from microblog.edge.csrf import shows_form_again
from microblog.edge.forms import Form
from microblog.edge.language import gettext as _
from microblog.edge.language import say
from microblog.edge.passwords import hash_password
from microblog.edge.request import device
from microblog.models import User
from microblog.queries.events import HOME
from microblog.runtime import runtime
from microblog.web import layout
from microblog.web.compose import form_with
from microblog.web.timelines import show_home

blueprint = Blueprint("auth", __name__, url_prefix="/auth")

STALE = message("This page was open too long. Nothing you typed is lost: send it again.")


class LoginForm(Form):
    """A log-in; `draft` carries a text that was being written when the session ended, `reply_to`
    what it answers.
    """

    username = StringField()
    password = PasswordField()
    remember_me = BooleanField()
    next = HiddenField()
    draft = HiddenField()
    reply_to = HiddenField()


class RegisterForm(Form):
    """A sign-up."""

    username = StringField()
    email = StringField()
    password = PasswordField()
    password2 = PasswordField()
    next = HiddenField()


@blueprint.get("/login")
async def login() -> Any:
    """Show the log-in."""
    if await _is_signed_in():
        return redirect(_target(request.args.get("next")), 303)
    return await _show_login(LoginForm(data={"next": _wanted()}))


@blueprint.post("/login")
@shows_form_again
async def log_in() -> Any:
    """Log in by username or e-mail. A refusal does not tell whether there is such an account."""
    form = LoginForm(await forms.sent())
    if not form.validate():
        form.form_errors.append(say(STALE))
        return await _show_login(form, 403)
    try:
        user = await enter(form.username.data or "", form.password.data or "")
    except TooManyTries as refusal:
        return await _show_login(form, 429, refused_for_now(form, refusal))
    except Forbidden as suspended:
        form.form_errors.append(errors.problem_of(suspended).detail)
        return await _show_login(form, 403)
    if user is None:
        form.form_errors.append(_("That username and password do not belong together."))
        return await _show_login(form, 401)
    async with runtime().database.write() as tx:
        await begin_session(tx, user, remembered=bool(form.remember_me.data))
    if user.deactivated_at is not None:
        await flash(_("Welcome back. Your profile and your posts can be seen again."), "success")
    if form.draft.data:
        return await _home_with(user, form.draft.data, form.reply_to.data)
    return redirect(_target(form.next.data), 303)


async def begin_session(tx: Tx, user: User, *, remembered: bool = False) -> None:
    """Open a session for a person on this browser; who had left is there again."""
    life = runtime().session_life(remembered=remembered)
    now = datetime.now(UTC)
    if user.deactivated_at is not None:
        await departures.come_back(tx, user, now)
    token = await sessions.open_session(
        tx, user.id, now, life=life, remembered=remembered, device=device()
    )
    auth.remember_on_this_browser(token, remembered=remembered)
    await devices.notice(tx, user, now)


async def _home_with(user: User, text: str, reply_to: str | None) -> str:
    """Show home with a text in the form that was being written before the log-in."""
    auth.become(user)
    async with runtime().database.read() as read:
        await layout.open_page(read, HOME)
        return await show_home(read, user, form_with(text, reply_to))


async def log_in_first(text: str | None, sentence: str, reply_to: str | None = None) -> Any:
    """Show the log-in with a text kept in it, so that nothing typed is lost."""
    kept = {"draft": text, "reply_to": reply_to}
    form = LoginForm(data={"next": url_for("timelines.home"), **kept})
    form.form_errors.append(sentence)
    return await templates.render("auth/login.html", form=form), 401


@blueprint.get("/register")
async def register() -> Any:
    """Show the sign-up."""
    if await _is_signed_in():
        return redirect(_target(request.args.get("next")), 303)
    _must_be_open()
    return await _show_register(RegisterForm(data={"next": _wanted()}))


@blueprint.post("/register")
@shows_form_again
async def sign_up() -> Any:
    """Make an account and log in."""
    _must_be_open()
    form = RegisterForm(await forms.sent())
    if not form.validate():
        form.form_errors.append(say(STALE))
        return await _show_register(form, 403)
    try:
        check_account(form)
        await limits.count_sign_up()
        account = await hashed_account(form)
        async with runtime().database.write() as tx:
            now = datetime.now(UTC)
            user = await accounts.register(tx, account, now)
            await addresses.welcome(tx, runtime().settings, runtime().secret, user, now)
            await begin_session(tx, user)
    except Invalid as invalid:
        form.refuse(invalid)
        return await _show_register(form, 400)
    except TooManyTries as refusal:
        return await _show_register(form, 429, refused_for_now(form, refusal))
    return redirect(_target(form.next.data), 303)


def check_account(form: Any) -> None:
    """Check a sign-up, all fields at once; raises Invalid."""
    username, email, password = _typed(form)
    found = flaws(username, email, password)
    if password != (form.password2.data or ""):
        found["password2"] = [message("The two passwords differ.")]
    if found:
        raise Invalid(found)


async def hashed_account(form: Any, role: str = "member") -> NewAccount:
    """Make an account of a checked sign-up."""
    username, email, password = _typed(form)
    hashed = await hash_password(password)
    return NewAccount(username, email, hashed, language=language.current(), role=role)


def _typed(form: Any) -> tuple[str, str, str]:
    username, email = (form.username.data or "").strip(), (form.email.data or "").strip()
    return username, email, form.password.data or ""


@blueprint.post("/logout")
async def logout() -> Any:
    """End this browser's session; its sockets close."""
    async with runtime().database.read() as read:
        known = await auth.visitor(read)
    if known.user is not None and known.session_id is not None:
        async with runtime().database.write() as tx:
            await sessions.revoke(tx, known.user.id, known.session_id)
    auth.forget_on_this_browser()
    return redirect(url_for("timelines.home"), 303)


def _must_be_open() -> None:
    if not runtime().settings.sign_up_open:
        raise Forbidden(message("Signing up is closed here. Ask the owner for an account."))


async def _is_signed_in() -> bool:
    async with runtime().database.read() as read:
        return (await auth.visitor(read)).user is not None


def _wanted() -> str:
    return safe_next(request.args.get("next"), "")


def _target(wanted: str | None) -> str:
    return safe_next(wanted, url_for("timelines.home"))


async def _show_login(form: LoginForm, status: int = 200, headers: Any = None) -> Any:
    return await templates.render("auth/login.html", form=form), status, headers or {}


async def _show_register(form: RegisterForm, status: int = 200, headers: Any = None) -> Any:
    return await templates.render("auth/register.html", form=form), status, headers or {}


def refused_for_now(form: Form, refusal: TooManyTries) -> dict[str, str]:
    """Say in the form how long to wait, and return the headers that say it to programs."""
    form.form_errors.append(errors.problem_of(refusal).detail)
    return {"Retry-After": str(refusal.retry_after_seconds)}
