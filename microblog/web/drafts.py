"""Drafts: what somebody writes is kept while they write, and is there on any of their devices.

The scripts save in the background; without them a button does, and shows the text again where it
could not be kept.
"""

from datetime import UTC, datetime
from typing import Any

from quart import Blueprint, Response, flash, jsonify, redirect, url_for
from wtforms import HiddenField, StringField, TextAreaField

from microblog.actions import drafts
from microblog.core.drafts import Written, is_context
from microblog.core.errors import Conflict, Forbidden, Invalid, NotFound, NotSignedIn, message
from microblog.core.locators import safe_next
from microblog.edge import auth, forms, limits, templates
from microblog.edge.csrf import shows_form_again
from microblog.edge.forms import Form
from microblog.edge.language import gettext as _
from microblog.edge.language import say
from microblog.edge.request import wants_json
from microblog.models import User
from microblog.queries import drafts as draft_queries
from microblog.queries.drafts import DraftRow
from microblog.render import json as as_json
from microblog.runtime import runtime
from microblog.web import compose, layout
from microblog.web.auth import log_in_first

NOT_KEPT = "private, no-store"

blueprint = Blueprint("drafts", __name__, url_prefix="/drafts")


class DraftForm(Form):
    """What stands in a form, under the names that its fields have there."""

    context = HiddenField()
    post = TextAreaField()
    title = StringField()
    language = HiddenField()
    draft_version = HiddenField()
    next = HiddenField()


@blueprint.post("")
@shows_form_again
async def keep() -> Any:
    """Keep what somebody writes. What cannot be kept is shown again, with the reason."""
    form = DraftForm(await forms.sent())
    try:
        user = await auth.person()
    except NotSignedIn:
        if wants_json():
            raise
        return await log_in_first(form.post.data, _("Please log in. Your text is kept."))
    if not form.validate():
        sentence = message("This page was open too long. Your text is kept: send it again.")
        return await _refuse(form, user, Forbidden(sentence), 403)
    limits.count_draft(user.id)
    context, now = form.context.data or "", datetime.now(UTC)
    written = Written(form.post.data or "", form.title.data or "", form.language.data)
    seen = compose.version_of(form) or 0
    try:
        async with runtime().database.write() as tx:
            row = await drafts.keep(tx, user.id, context, written, seen, now)
    except Invalid as invalid:
        return await _refuse(form, user, invalid, 400)
    except Conflict as conflict:
        return await _refuse(form, user, conflict, 409)
    if wants_json():
        return _told(row or draft_queries.nothing(context, now))
    await flash(_("The draft was saved."), "success")
    return redirect(safe_next(form.next.data, url_for("timelines.home")), 303)


async def _refuse(form: DraftForm, user: User, why: Any, status: int) -> Any:
    """Show what was typed again, beside what is kept where that is another text."""
    other = None
    async with runtime().database.read() as read:
        if isinstance(why, Conflict):
            other = await draft_queries.of(read, user.id, form.context.data or "")
        if wants_json():
            if other is None:
                raise why
            return _told(other), status
        await layout.open_page(read)
        if isinstance(why, Invalid):
            form.form_errors += [say(one) for found in why.errors.values() for one in found]
        else:
            form.form_errors.append(say(why.reason))
        if other is not None:
            form.draft_version.data = str(other.version)
        return await templates.render("drafts/again.html", form=form, other=other), status


@blueprint.get("/<context>")
async def show(context: str) -> Response:
    """Tell what one of one's own forms was left with, for a script that shows the form."""
    user = await auth.person()
    if not is_context(context):
        raise NotFound
    async with runtime().database.read() as read:
        row = await draft_queries.of(read, user.id, context)
    return _told(row or draft_queries.nothing(context, datetime.now(UTC)))


def _told(row: DraftRow) -> Response:
    answer = jsonify(as_json.draft(row))
    answer.headers["Cache-Control"] = NOT_KEPT
    return answer
