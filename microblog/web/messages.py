"""Private messages: the conversations, each one's page, and who may write to oneself."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup
from quart import Blueprint, Response, flash, jsonify, redirect, request, url_for
from wtforms import BooleanField, HiddenField, StringField, TextAreaField
from wtforms.validators import Length

from microblog.actions import messages
from microblog.actions.messages import Choices, Letter
from microblog.core import cursors
from microblog.core.cursors import GREATEST
from microblog.core.errors import Conflict, Forbidden, Invalid, NotSignedIn, TooManyTries, message
from microblog.database import Read
from microblog.edge import auth, errors, forms, limits, paging, templates
from microblog.edge.csrf import shows_form_again
from microblog.edge.errors import Problem
from microblog.edge.forms import Form
from microblog.edge.language import gettext as _
from microblog.edge.language import say
from microblog.edge.request import wants_json
from microblog.models import User
from microblog.queries import correspondents
from microblog.queries import messages as message_queries
from microblog.queries.correspondents import Ways
from microblog.queries.messages import MessageRow
from microblog.render import messages as shown
from microblog.render import views
from microblog.render.views import PersonView
from microblog.runtime import runtime
from microblog.web import layout, pages
from microblog.web.auth import STALE as PAGE_STALE

BAD_KEY = message("An idempotency key has 1 to 200 characters.")
LOG_IN_FIRST = message("Please log in to send your message. Here is what you wrote.")
STALE = message("This page was open too long. Your text is kept: send it again.")

blueprint = Blueprint("messages", __name__)


class MessageForm(Form):
    """A message; the key makes a double click one, `up_to` is what its writer has seen."""

    message = TextAreaField()
    idempotency_key = HiddenField(validators=[Length(max=200)])
    up_to = HiddenField()


@dataclass(frozen=True, slots=True)
class ThreadView:
    """A conversation's page: its messages oldest first and ready, and what may be done there."""

    other: PersonView
    left: bool
    ways: Ways
    items: tuple[Markup, ...]
    last_id: int
    seen_to: int
    unread: int
    older: str | None
    newer: str | None


@blueprint.get("/messages")
async def index() -> str:
    """Show one's conversations, the newest message first."""
    async with runtime().database.read() as read:
        visitor = await layout.open_page(read)
        if visitor.id is None:
            raise NotSignedIn
        window = paging.window(runtime().settings.posts_per_page)
        page = await message_queries.conversations(read, visitor.id, window)
        return await templates.render(
            "messages/index.html",
            items=[shown.line(row) for row in page.items],
            older=pages.neighbour("before", page.before),
            newer=pages.neighbour("after", page.after),
        )


@blueprint.get("/send_message/<username>", endpoint="compose")
@blueprint.get("/messages/<username>")
async def show(username: str) -> Any:
    """Show a conversation: its newest messages, or those before or after a position."""
    return await _show(username, _fresh_form())


def _fresh_form() -> MessageForm:
    return MessageForm(data={"idempotency_key": forms.new_key()})


async def _show(username: str, form: MessageForm) -> str:
    async with runtime().database.read() as read:
        visitor = await layout.open_page(read)
        if visitor.user is None:
            raise NotSignedIn
        other = await correspondents.by_username(read, visitor.user.id, username)
        thread = await _thread(read, visitor.user, other)
        return await templates.render("messages/show.html", thread=thread, form=form)


async def _thread(read: Read, viewer: User, other: User) -> ThreadView:
    side = await message_queries.between(read, viewer.id, other.id)
    cleared_to = side.cleared_to if side else 0
    seen_to = side.seen_to if side else 0
    window = paging.window(runtime().settings.posts_per_page)
    page = await message_queries.thread(read, viewer.id, other.id, cleared_to, window)
    address = views.conversation_path(other.username)
    older, newer = pages.neighbour("before", page.before), pages.neighbour("after", page.after)
    items = [shown.item(shown.view(row, viewer.id, seen_to)) for row in reversed(page.items)]
    return ThreadView(
        other=views.person(other),
        left=other.deactivated_at is not None,
        ways=await correspondents.ways(read, viewer, other),
        items=tuple(items),
        last_id=page.items[0].id if page.items else 0,
        seen_to=seen_to,
        unread=side.unread_count if side else 0,
        older=older and older.replace(request.path, address, 1),
        newer=newer and newer.replace(request.path, address, 1),
    )


@blueprint.post("/send_message/<username>")
@shows_form_again
async def send(username: str) -> Any:
    """Send a message. What cannot be sent is shown again, with the reason."""
    form = MessageForm(await forms.sent())
    try:
        sender = await auth.person()
    except NotSignedIn:
        if wants_json():
            raise
        # Not the log-in with its draft: that would become the beginning of a public post.
        problem, kept = Problem(401, LOG_IN_FIRST), form.message.data
        return await templates.render("errors/plain.html", problem=problem, kept=kept), 401
    if not form.validate():
        return await _refuse(username, form, Forbidden(STALE) if form.is_stale else None)
    key = request.headers.get("Idempotency-Key") or form.idempotency_key.data or None
    now = datetime.now(UTC)
    try:
        limits.count_message(sender.id)
        async with runtime().database.write() as tx:
            other = await correspondents.by_username(tx, sender.id, username)
            row = await messages.send(tx, sender, other, Letter(form.message.data or "", key), now)
            if (up_to := _position(form.up_to.data)) is not None:
                await messages.mark_read(tx, sender, other, up_to, now)
    except (Invalid, Forbidden, TooManyTries, Conflict) as refusal:
        return await _refuse(username, form, refusal)
    return _sent(sender, other, row)


def _sent(sender: User, other: User, row: MessageRow) -> Any:
    address = views.conversation_path(other.username)
    if wants_json():
        html = shown.item(shown.view(row, sender.id, 0))
        answer = jsonify({"id": str(row.id), "with": str(other.id), "html": html})
        return answer, 201, {"Location": address}
    return redirect(f"{address}#latest", 303)


async def _refuse(
    username: str,
    form: MessageForm,
    refusal: Invalid | Forbidden | TooManyTries | Conflict | None,
) -> Any:
    """Show the form again with what was typed and why it was refused."""
    status, headers = 400, {}
    if wants_json():
        raise refusal or Invalid({"idempotency_key": [BAD_KEY]})
    if isinstance(refusal, Invalid):
        form.refuse(refusal)
    elif isinstance(refusal, Conflict):
        # The same form with another text: a browser that went back. It is a new message.
        form.form_errors.append(_("Another text of this form was sent before. Send this one too?"))
        form.idempotency_key.data = forms.new_key()
    elif refusal is not None:
        problem = errors.problem_of(refusal)
        form.form_errors.append(say(refusal.reason) if refusal.reason else problem.detail)
        status = problem.status
        if isinstance(refusal, TooManyTries):
            headers["Retry-After"] = str(refusal.retry_after_seconds)
    return await _show(username, form), status, headers


@blueprint.post("/messages/<username>/read")
async def read(username: str) -> Any:
    """Keep that one has read a conversation up to the message `up_to`, or all of it."""
    reader = await auth.person()
    fields = await forms.sent()
    up_to = _position(fields.get("up_to"))
    async with runtime().database.write() as tx:
        other = await correspondents.by_username(tx, reader.id, username)
        await messages.mark_read(tx, reader, other, up_to, datetime.now(UTC))
    if wants_json():
        return Response(status=204)
    return redirect(f"{views.conversation_path(other.username)}#latest", 303)


def _position(written: str | None) -> int | None:
    try:
        return cursors.parse(written)
    except ValueError:
        raise Invalid({"up_to": [message("This is not the number of a message.")]}) from None


@blueprint.post("/messages/<username>/delete")
async def clear(username: str) -> Any:
    """Delete a whole conversation for oneself."""
    user = await auth.person()
    async with runtime().database.write() as tx:
        other = await correspondents.by_username(tx, user.id, username)
        await messages.clear(tx, user, other.id, datetime.now(UTC))
    if wants_json():
        return Response(status=204)
    await flash(_("The conversation was deleted for you."), "success")
    return redirect(url_for("messages.index"), 303)


@blueprint.post(f"/message/<int(max={GREATEST}):message_id>/delete")
async def delete(message_id: int) -> Any:
    """Delete a message for oneself."""
    user = await auth.person()
    async with runtime().database.write() as tx:
        row = await message_queries.own(tx, user.id, message_id)
        other = await correspondents.by_id(tx, user.id, row.other_of(user.id))
        await messages.delete_message(tx, user, message_id, other.id)
    if wants_json():
        return Response(status=204)
    return redirect(f"{views.conversation_path(other.username)}#latest", 303)


# --- Who may write to me --------------------------------------------------------------------------


class ChoicesForm(Form):
    """Whose messages one takes, and what others may know."""

    messages_from = StringField()
    read_marks = BooleanField()
    typing_shown = BooleanField()


@blueprint.get("/settings/messages")
async def choices() -> Any:
    """Show one's choices about messages."""
    user = await auth.person()
    return await _show_choices(ChoicesForm(obj=user))


@blueprint.post("/settings/messages")
@shows_form_again
async def choose() -> Any:
    """Keep one's choices about messages."""
    user = await auth.person()
    form = ChoicesForm(await forms.sent())
    if not form.validate():
        form.form_errors.append(say(PAGE_STALE))
        return await _show_choices(form, 403)
    who = form.messages_from.data or ""
    kept = Choices(who, form.read_marks.data, form.typing_shown.data)
    try:
        async with runtime().database.write() as tx:
            await messages.choose(tx, user, kept)
    except Invalid as invalid:
        form.refuse(invalid)
        return await _show_choices(form, 400)
    await flash(_("Your choices were saved."), "success")
    return redirect(url_for("messages.choices"), 303)


async def _show_choices(form: ChoicesForm, status: int = 200) -> Any:
    async with runtime().database.read() as read:
        await layout.open_page(read)
    return await templates.render("messages/choices.html", form=form), status
