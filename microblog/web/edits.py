"""Editing one's own post, and what a post said before."""

from datetime import UTC, datetime
from typing import Any

from quart import Blueprint, flash, redirect, url_for
from wtforms import HiddenField, StringField, TextAreaField

from microblog.actions import posts
from microblog.actions.posts import Edit
from microblog.core.errors import Changed, Invalid, TooManyTries
from microblog.edge import auth, authoring, errors, forms, limits, templates
from microblog.edge.csrf import shows_form_again
from microblog.edge.forms import Form
from microblog.edge.language import gettext as _
from microblog.edge.language import say
from microblog.models import User
from microblog.queries import posts as post_queries
from microblog.render import fragments, views
from microblog.runtime import runtime
from microblog.web import layout
from microblog.web.auth import STALE
from microblog.web.posts import POST_ID

blueprint = Blueprint("edits", __name__)


class EditForm(Form):
    """What a post is to say, and which version of it is changed."""

    post = TextAreaField()
    language = StringField()
    version = HiddenField()


@blueprint.get(f"/post/{POST_ID}/edit")
async def edit(post_id: int) -> Any:
    """Show one's own post to be changed."""
    author = await auth.person()
    return await _show_form(None, author, post_id)


@blueprint.post(f"/post/{POST_ID}/edit")
@shows_form_again
async def save(post_id: int) -> Any:
    """Keep a changed post. What cannot be kept is shown again, with the reason."""
    author = await auth.person()
    form = EditForm(await forms.sent())
    if not form.validate():
        form.form_errors.append(say(STALE))
        return await _show_form(form, author, post_id), 403
    body = form.post.data or ""
    try:
        limits.count_post(author.id)
        language = await authoring.language_of(body, form.language.data)
        change = Edit(body, form.version.data or "", language)
        async with runtime().database.write() as tx:
            await posts.edit(tx, author, post_id, change, datetime.now(UTC))
    except Invalid as invalid:
        form.refuse(invalid)
        return await _show_form(form, author, post_id), 400
    except TooManyTries as refusal:
        form.form_errors.append(errors.problem_of(refusal).detail)
        wait = {"Retry-After": str(refusal.retry_after_seconds)}
        return await _show_form(form, author, post_id), 429, wait
    except Changed:
        form.form_errors.append(
            _("Your post was changed meanwhile, in another window. Save again to replace that.")
        )
        return await _show_form(form, author, post_id, meanwhile=True), 409
    await flash(_("Your post was changed."), "success")
    return redirect(url_for("posts.show", post_id=post_id), 303)


async def _show_form(
    form: EditForm | None, author: User, post_id: int, *, meanwhile: bool = False
) -> str:
    """Show the form with what the post says, or with what was typed.

    `meanwhile` shows beside it what the post says now, which the next try may replace.
    """
    async with runtime().database.read() as read:
        await layout.open_page(read)
        post = await post_queries.own(read, post_id, author.id)
    if form is None:
        data = {"post": post.body, "language": post.language, "version": post.version}
        form = EditForm(data=data)
    elif meanwhile:
        form.version.data = post.version
    return await templates.render(
        "posts/edit.html",
        form=form,
        post=views.post(post),
        now=fragments.item(post, own=False) if meanwhile else None,
    )


@blueprint.get(f"/post/{POST_ID}/history")
async def history(post_id: int) -> str:
    """Show what a post says and what it said before."""
    async with runtime().database.read() as read:
        visitor = await layout.open_page(read)
        post = await post_queries.visible(read, post_id, visitor.id)
        versions = await post_queries.versions(read, post)
    return await templates.render(
        "posts/history.html",
        post=views.post(post),
        versions=[views.version(each) for each in versions],
    )
