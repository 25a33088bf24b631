"""For administrators: finding people, suspending and restoring them, and what was done."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from quart import Blueprint, flash, redirect, request, url_for
from wtforms import TextAreaField

from microblog.actions import departures
from microblog.core.errors import Conflict, Forbidden, Invalid, NotFound, message
from microblog.core.leaving import Left
from microblog.database import Read, Tx
from microblog.edge import auth, forms, paging, templates
from microblog.edge.csrf import shows_form_again
from microblog.edge.forms import Form
from microblog.edge.language import gettext as _
from microblog.edge.language import say
from microblog.models import User
from microblog.queries import audit, users
from microblog.render import views
from microblog.runtime import runtime
from microblog.web import layout, pages
from microblog.web.auth import STALE

Judge = Callable[[Tx, User | None, User, str, datetime], Awaitable[None]]

blueprint = Blueprint("administration", __name__, url_prefix="/admin")


class ReasonForm(Form):
    """Why somebody is suspended, or restored."""

    reason = TextAreaField()


async def administrator() -> User:
    """Return the administrator who is asking; raises NotSignedIn, Forbidden for anybody else."""
    user = await auth.person()
    if not user.is_admin:
        raise Forbidden(message("This is for administrators."))
    return user


@blueprint.get("/people")
async def people() -> str:
    """Show who is suspended, or whose names begin with `q`."""
    await administrator()
    beginning = request.args.get("q", "").strip().lstrip("@").replace("\0", "")
    async with runtime().database.read() as read:
        await layout.open_page(read)
        page = await audit.people(read, beginning, paging.window(runtime().settings.posts_per_page))
    return await templates.render(
        "administration/people.html",
        q=beginning,
        people=[_listed(each) for each in page.items],
        older=_neighbour("before", page.before, beginning),
        newer=_neighbour("after", page.after, beginning),
    )


def _neighbour(name: str, cursor: int | None, beginning: str) -> str | None:
    if cursor is None:
        return None
    return f"{request.path}?{urlencode({'q': beginning, name: cursor})}"


def _listed(user: User) -> dict[str, Any]:
    return {"person": views.person(user), "left_because": _why_gone(user)}


def _why_gone(user: User) -> str:
    if user.deactivated_at is None:
        return ""
    return user.left_because or Left.SELF


@blueprint.get("/people/<username>")
async def person(username: str) -> Any:
    """Show one person, whether they are there, and what was done to them."""
    await administrator()
    return await _show_person(username, ReasonForm())


@blueprint.post("/people/<username>/suspend")
@shows_form_again
async def suspend(username: str) -> Any:
    """Keep a person out, with a reason that they will read."""
    told = _("@%(name)s is suspended: logged out everywhere, and nothing of theirs can be seen.")
    return await _judge(username, departures.suspend, told)


@blueprint.post("/people/<username>/restore")
@shows_form_again
async def restore(username: str) -> Any:
    """Let a suspended person in again."""
    told = _("@%(name)s is restored, and may log in again.")
    return await _judge(username, departures.restore, told)


async def _judge(username: str, judge: Judge, told: str) -> Any:
    admin = await administrator()
    form = ReasonForm(await forms.sent())
    if not form.validate():
        form.form_errors.append(say(STALE))
        return await _show_person(username, form, 403)
    try:
        async with runtime().database.write() as tx:
            user = await _known(tx, username)
            await judge(tx, admin, user, form.reason.data or "", datetime.now(UTC))
    except Invalid as invalid:
        form.refuse(invalid)
        return await _show_person(username, form, 400)
    except Conflict as conflict:
        form.form_errors.append(say(conflict.reason) if conflict.reason else "")
        return await _show_person(username, form, 409)
    await flash(told % {"name": user.username}, "success")
    return redirect(url_for("administration.person", username=user.username), 303)


async def _known(read: Read, username: str) -> User:
    """Return a person, there or not, but no deleted one; raises NotFound."""
    user = await users.of_name(read, username)
    if user is None or user.left_because == Left.DELETED:
        raise NotFound
    return user


async def _show_person(username: str, form: ReasonForm, status: int = 200) -> Any:
    window = paging.window(runtime().settings.posts_per_page)
    async with runtime().database.read() as read:
        await layout.open_page(read)
        user = await _known(read, username)
        page = await audit.deeds_to(read, user.id, window)
    shown = await templates.render(
        "administration/person.html",
        form=form,
        deeds=page.items,
        older=pages.neighbour("before", page.before),
        newer=pages.neighbour("after", page.after),
        **_listed(user),
    )
    return shown, status


@blueprint.get("/log")
async def log() -> str:
    """Show what administrators did, newest first."""
    await administrator()
    async with runtime().database.read() as read:
        await layout.open_page(read)
        page = await audit.deeds(read, paging.window(runtime().settings.posts_per_page))
    return await templates.render(
        "administration/log.html",
        deeds=page.items,
        older=pages.neighbour("before", page.before),
        newer=pages.neighbour("after", page.after),
    )
