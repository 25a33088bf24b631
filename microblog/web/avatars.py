"""The pictures of people: those they gave, and those that are drawn from their names."""

from typing import Any

from quart import Blueprint, Response, redirect

from microblog.core import identicons, pictures
from microblog.core.errors import NotFound
from microblog.edge import auth
from microblog.edge.headers import YEAR_SECONDS
from microblog.queries import avatars, users
from microblog.render import views
from microblog.runtime import runtime

DAY_SECONDS = 86_400

blueprint = Blueprint("avatars", __name__, url_prefix="/user/<username>")


@blueprint.get("/avatar.svg")
async def drawn(username: str) -> Response:
    """Draw a person's picture from their name; whether there is such a person is not told."""
    return Response(
        identicons.draw(username.lower()),
        content_type="image/svg+xml",
        headers={"Cache-Control": f"public, max-age={DAY_SECONDS}"},
    )


@blueprint.get("/avatar/<picture>-<int:size>.webp")
async def given(username: str, picture: str, size: int) -> Any:
    """Send a picture that a person gave, for ever; an old one's address leads to the present one.

    So pages that were made before the change show what counts now.
    """
    if size not in pictures.SIZES:
        raise NotFound
    is_private = runtime().settings.members_only
    async with runtime().database.read() as read:
        if is_private:
            await auth.may_read(read)
        person = await users.by_username(read, username)
        if picture != person.avatar:
            present = views.avatar_path(person.username, person.avatar, size)
            return redirect(present, 302)
        content = await avatars.content(read, person.id, size)
    if content is None:  # it was changed between the two
        raise NotFound
    shared = "private" if is_private else "public"
    headers = {"Cache-Control": f"{shared}, max-age={YEAR_SECONDS}, immutable"}
    return Response(content, content_type="image/webp", headers=headers)
