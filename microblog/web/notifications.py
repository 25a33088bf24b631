"""What a person is told of, and marking it as read."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from quart import Blueprint, Response, redirect, url_for

from microblog.actions import notifications
from microblog.core import cursors
from microblog.core.errors import Invalid, NotSignedIn, message
from microblog.edge import auth, forms, paging, templates
from microblog.edge.request import wants_json
from microblog.queries import notifications as notification_queries
from microblog.render import views
from microblog.runtime import runtime
from microblog.web import layout, pages

blueprint = Blueprint("notifications", __name__)


@blueprint.get("/notifications")
async def index() -> str:
    """Show one's notifications, newest first."""
    async with runtime().database.read() as read:
        visitor = await layout.open_page(read)
        if visitor.id is None:
            raise NotSignedIn
        window = paging.window(runtime().settings.posts_per_page)
        page = await notification_queries.page(read, visitor.id, window)
        return await templates.render(
            "notifications/index.html",
            items=[views.notification(row) for row in page.items],
            older=pages.neighbour("before", page.before),
            newer=pages.neighbour("after", page.after),
        )


@blueprint.post("/notifications/read")
async def read() -> Any:
    """Mark notifications as read: the one with this `id`, those up to the id `up_to`, or all."""
    user = await auth.person()
    fields = await forms.sent()
    one, up_to = (_number(fields, name) for name in ("id", "up_to"))
    now = datetime.now(UTC)
    async with runtime().database.write() as tx:
        if one is not None:
            await notifications.mark_one_read(tx, user.id, one, now)
        else:
            await notifications.mark_read(tx, user.id, up_to, now)
    if wants_json():
        return Response(status=204)
    return redirect(url_for("notifications.index"), 303)


def _number(fields: Mapping[str, str], name: str) -> int | None:
    try:
        return cursors.parse(fields.get(name))
    except ValueError:
        raise Invalid({name: [message("This is not the number of a notification.")]}) from None
