"""What a person is told of, marking it as read, and choosing what to be told of."""

from datetime import UTC, datetime
from typing import Any

from quart import Blueprint, flash, jsonify, redirect, request, url_for

from microblog.actions import notifications
from microblog.core import cursors, notices
from microblog.core.errors import Invalid, NotSignedIn, message
from microblog.core.locators import safe_next
from microblog.edge import auth, forms, paging, templates
from microblog.edge.language import gettext as _
from microblog.edge.request import wants_json
from microblog.queries import badges, changes
from microblog.queries import notifications as notification_queries
from microblog.render import fragments, polling
from microblog.render import notifications as notification_views
from microblog.runtime import runtime
from microblog.web import layout, pages

MOST_AT_ONCE = 200

blueprint = Blueprint("notifications", __name__)


@blueprint.get("/notifications")
async def index() -> Any:
    """Show one's notifications, newest first; scripts get what has changed since a moment."""
    if "since" in request.args or wants_json():
        return await _changes()
    only = request.args.get("only", "")
    kinds = _kinds(only)
    async with runtime().database.read() as read:
        visitor = await layout.open_page(read)
        if visitor.id is None:
            raise NotSignedIn
        window = paging.window(runtime().settings.posts_per_page)
        page = await notification_queries.page(read, visitor.id, window, kinds)
        chosen = {"only": only} if only else {}
        return await templates.render(
            "notifications/index.html",
            items=[
                fragments.notification(notification_views.notification(row)) for row in page.items
            ],
            only=only,
            kinds=kinds,
            older=pages.neighbour("before", page.before, **chosen),
            newer=pages.neighbour("after", page.after, **chosen),
        )


def _kinds(only: str) -> tuple[str, ...]:
    """Return the kinds of which a list is; none for all of them."""
    if only and only not in notices.FILTERS:
        raise Invalid({"only": [message("There is no such list of notifications.")]})
    return notices.FILTERS.get(only, ())


async def _changes() -> Any:
    asked = paging.moment(request.args.get("since"))
    user = await auth.person()
    async with runtime().database.read() as read:
        found = await changes.since(read, user.id, asked)
        unread = await badges.unread(read, user.id)
    counts = {polling.UNREAD: unread.notifications, polling.UNREAD_MESSAGES: unread.messages}
    answer = jsonify(polling.notices(found, counts, asked))
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@blueprint.post("/notifications/read")
async def read() -> Any:
    """Mark notifications as read.

    Those of the items `id`, of the post `post_id`, or all; `up_to` leaves out newer ones.
    """
    user = await auth.person()
    fields = await forms.sent()
    ids = [number for each in fields.getlist("id") if (number := _number("id", each)) is not None]
    post_id, up_to = (_number(name, fields.get(name)) for name in ("post_id", "up_to"))
    now = datetime.now(UTC)
    async with runtime().database.write() as tx:
        if ids:
            await notifications.mark_groups_read(tx, user.id, ids[:MOST_AT_ONCE], up_to, now)
        elif post_id is not None:
            await notifications.mark_post_read(tx, user.id, post_id, now)
        else:
            await notifications.mark_read(tx, user.id, up_to, now)
        unread = await notification_queries.unread(tx, {user.id})
    if wants_json():
        return jsonify({"unread_count": unread.get(user.id, 0)})
    if post_id is not None:
        return redirect(url_for("posts.show", post_id=post_id), 303)
    return redirect(safe_next(fields.get("next"), url_for("notifications.index")), 303)


def _number(name: str, written: str | None) -> int | None:
    try:
        return cursors.parse(written)
    except ValueError:
        raise Invalid({name: [message("This is not the number of a notification.")]}) from None


@blueprint.get("/settings/notifications")
async def choose() -> Any:
    """Show of which kinds of things one is told."""
    async with runtime().database.read() as read:
        visitor = await layout.open_page(read)
        if visitor.id is None:
            raise NotSignedIn
        unwanted = await notification_queries.silenced(read, visitor.id)
        wanted = [kind for kind in notices.KINDS if kind not in unwanted]
        return await templates.render("notifications/choose.html", wanted=wanted)


@blueprint.post("/settings/notifications")
async def keep_choice() -> Any:
    """Keep of which kinds one wants to be told: those that are sent as `kind`."""
    user = await auth.person()
    wanted = (await forms.sent()).getlist("kind")
    if not set(wanted) <= set(notices.KINDS):
        raise Invalid({"kind": [message("There is no such kind of notification.")]})
    async with runtime().database.write() as tx:
        await notifications.choose_kinds(tx, user.id, wanted)
    await flash(_("Your choice is kept."), "success")
    return redirect(url_for("notifications.choose"), 303)
