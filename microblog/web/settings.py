"""What a reader chooses for themselves: language and appearance, signed in or not."""

from typing import Any

from quart import Blueprint, redirect, url_for
from werkzeug.wrappers import Response

from microblog.actions import accounts
from microblog.core.locators import safe_next
from microblog.edge import auth, forms, language, templates
from microblog.runtime import runtime
from microblog.web import layout
from microblog.web.layout import THEME_COOKIE, THEMES

blueprint = Blueprint("settings", __name__, url_prefix="/settings")


@blueprint.get("")
async def index() -> Any:
    """Lead to the first of one's settings."""
    await auth.person()
    return redirect(url_for("addresses.account"), 303)


@blueprint.get("/appearance")
async def show_appearance() -> str:
    """Show the choice between light and dark."""
    await auth.person()
    return await _show("settings/appearance.html")


@blueprint.get("/language")
async def show_language() -> str:
    """Show the choice of the language."""
    await auth.person()
    return await _show("settings/language.html")


async def _show(template: str) -> str:
    async with runtime().database.read() as read:
        await layout.open_page(read)
    return await templates.render(template)


@blueprint.post("/appearance")
async def appearance() -> Any:
    """Keep a language or a theme (light, dark, or "system"); a field that is not sent stays."""
    fields = await forms.sent()
    response = redirect(safe_next(fields.get("next"), url_for("timelines.home")), 303)
    chosen, theme = fields.get("language"), fields.get("theme")
    if chosen in runtime().settings.languages:
        _keep(response, language.COOKIE, chosen)
    if theme is not None:
        _keep(response, THEME_COOKIE, theme if theme in THEMES else "system")
    await _keep_for_person(chosen, theme)
    return response


async def _keep_for_person(chosen: str | None, theme: str | None) -> None:
    async with runtime().database.read() as read:
        user = (await auth.visitor(read)).user
    if user is None:
        return
    if chosen not in runtime().settings.languages:
        chosen = user.language
    kept = user.theme if theme is None else (theme if theme in THEMES else None)
    async with runtime().database.write() as tx:
        await accounts.choose_appearance(tx, user, chosen, kept)


def _keep(response: Response, name: str, value: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=language.COOKIE_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=runtime().settings.is_secure,
    )
