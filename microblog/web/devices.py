"""Where one is signed in: browsers, and programs that have tokens. Any of them can be ended."""

from datetime import UTC, datetime
from typing import Any

from quart import Blueprint, flash, redirect, url_for

from microblog.actions import sessions, tokens
from microblog.core.cursors import GREATEST
from microblog.core.errors import NotFound, NotSignedIn
from microblog.edge import auth, templates
from microblog.edge.language import gettext as _
from microblog.queries import access
from microblog.render import views
from microblog.runtime import runtime
from microblog.web import layout

blueprint = Blueprint("devices", __name__, url_prefix="/settings/sessions")


@blueprint.get("")
async def index() -> str:
    """Show the browsers and programs that are signed in as oneself."""
    now = datetime.now(UTC)
    async with runtime().database.read() as read:
        visitor = await layout.open_page(read)
        if visitor.id is None:
            raise NotSignedIn
        browsers = await access.sessions_of(read, visitor.id, now)
        programs = await access.families_of(read, visitor.id, now)
    return await templates.render(
        "settings/sessions.html",
        browsers=[views.door(one, is_here=one.id == visitor.session_id) for one in browsers],
        programs=[views.door(one) for one in programs if one.name is None],
        tokens=sum(one.name is not None for one in programs),
    )


@blueprint.post(f"/<int(max={GREATEST}):session_id>/revoke")
async def revoke(session_id: int) -> Any:
    """Log one browser out."""
    user = await auth.person()
    async with runtime().database.write() as tx:
        if not await sessions.revoke(tx, user.id, session_id):
            raise NotFound
    return await _done(_("It is logged out."))


@blueprint.post(f"/tokens/<int(max={GREATEST}):family_id>/revoke")
async def revoke_tokens(family_id: int) -> Any:
    """Take a program's tokens away."""
    user = await auth.person()
    async with runtime().database.write() as tx:
        if not await tokens.revoke(tx, user.id, family_id, datetime.now(UTC)):
            raise NotFound
    return await _done(_("It is logged out."))


@blueprint.post("/revoke_others")
async def revoke_others() -> Any:
    """Log everything out but this browser."""
    user = await auth.person()
    async with runtime().database.write() as tx:
        here = (await auth.visitor(tx)).session_id
        await sessions.revoke_others(tx, user.id, datetime.now(UTC), session_id=here)
    return await _done(_("Everywhere else you are logged out."))


async def _done(told: str) -> Any:
    await flash(told, "success")
    return redirect(url_for("devices.index"), 303)
