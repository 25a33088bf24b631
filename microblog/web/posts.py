"""Writing posts, showing one with its conversation, and deleting one's own."""

import contextlib
from datetime import UTC, datetime
from typing import Any

from quart import Blueprint, Response, flash, jsonify, redirect, request, url_for

from microblog.actions import posts
from microblog.actions.posts import Draft
from microblog.core.cursors import GREATEST
from microblog.core.drafts import context_of
from microblog.core.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    NotSignedIn,
    TooManyTries,
    message,
)
from microblog.core.locators import safe_next
from microblog.database import Read
from microblog.edge import auth, authoring, errors, forms, limits, paging, templates
from microblog.edge.csrf import shows_form_again
from microblog.edge.language import gettext as _
from microblog.edge.language import say
from microblog.edge.request import wants_json
from microblog.models import User
from microblog.queries import drafts, notifications, threads
from microblog.queries.events import HOME
from microblog.queries.rows import PostRow
from microblog.render import fragments, views
from microblog.runtime import runtime
from microblog.web import layout, pages
from microblog.web.auth import log_in_first
from microblog.web.compose import PostForm, fresh_form, version_of
from microblog.web.timelines import show_home

blueprint = Blueprint("posts", __name__)

POST_ID = f"<int(max={GREATEST}):post_id>"


@blueprint.post("/posts")
@shows_form_again
async def publish() -> Any:
    """Publish what was written. What cannot be published is shown again, with the reason."""
    form = PostForm(await forms.sent())
    try:
        author = await auth.person()
    except NotSignedIn:
        if wants_json():
            raise
        sentence = _("Please log in to publish your post. Your text is kept.")
        return await log_in_first(form.post.data, sentence, form.reply_to.data)
    if not form.validate():
        return await _refuse(form, author)
    key = request.headers.get("Idempotency-Key") or form.idempotency_key.data or None
    try:
        limits.count_post(author.id)
        body = form.post.data or ""
        language = await authoring.language_of(body, form.language.data)
        draft = Draft(body, key, language, form.answers, saved=version_of(form))
        async with runtime().database.write() as tx:
            post = await posts.publish(tx, author, draft, datetime.now(UTC))
    except Invalid as invalid:
        if wants_json():
            raise
        form.refuse(invalid)
        return await _refuse(form, author)
    except TooManyTries as refusal:
        if wants_json():
            raise
        form.form_errors.append(errors.problem_of(refusal).detail)
        page, status = await _refuse(form, author, 429)
        return page, status, {"Retry-After": str(refusal.retry_after_seconds)}
    except Conflict:
        if wants_json():
            raise
        # The same form with another text: a browser that went back. It is a new post.
        form.form_errors.append(_("A text of this form was published before. Send this one too?"))
        form.idempotency_key.data = forms.new_key()
        return await _refuse(form, author)
    return await _published(form, post)


async def _published(form: PostForm, post: PostRow) -> Any:
    if wants_json():
        answer = jsonify(fragments.told(post))
        return answer, 201, {"Location": url_for("posts.show", post_id=post.id)}
    return redirect(safe_next(form.next.data, url_for("timelines.home")), 303)


async def _refuse(form: PostForm, author: User, status: int = 400) -> Any:
    """Show the form again with what was typed and why it was refused."""
    stale = form.is_stale
    if stale:
        sentence = message("This page was open too long. Your text is kept: send it again.")
        if wants_json():
            raise Forbidden(sentence)
        form.form_errors.append(say(sentence))
    return await _with_form(form, author), 403 if stale else status


async def _with_form(form: PostForm, author: User) -> Any:
    """Show the page that the form belongs to: of the post that it answers, if that is there."""
    async with runtime().database.read() as read:
        await layout.open_page(read, HOME)
        with contextlib.suppress(Invalid, NotFound):
            if (answered := form.answers) is not None:
                return await _show(read, answered, form)
        layout.listen_to(HOME)
        form.reply_to.data = None
        return await show_home(read, author, form)


@blueprint.get(f"/post/{POST_ID}")
async def show(post_id: int) -> Any:
    """Show a post at its own address, with what it answers and the replies to it; lead on to the
    page of a question.
    """
    async with runtime().database.read() as read:
        await layout.open_page(read)
        return await _show(read, post_id)


async def _show(read: Read, post_id: int, form: PostForm | None = None) -> Any:
    """Render a conversation around a form for a reply, once the page is open."""
    visitor = await auth.may_read(read)
    here = await threads.place(read, post_id, visitor.id)
    if here.post is not None and here.post.question is not None:
        return redirect(views.question_path(post_id), 302)
    above = await threads.ancestors(read, post_id, visitor.id)
    layout.listen_to(f"post:{post_id}", *(f"post:{each.id}" for each in above))
    window = paging.window(runtime().settings.posts_per_page)
    page = await threads.replies(read, post_id, visitor.id, window)
    if form is None and visitor.id is not None and here.post is not None:
        runtime().warm_guesser()
        left = await drafts.of(read, visitor.id, context_of(post_id))
        form = fresh_form(left, post_id)
    return await templates.render(
        "posts/show.html",
        post_id=post_id,
        post=None if here.post is None else fragments.post(here.post),
        item=pages.of_place(here, visitor.id),
        above=[pages.of_place(each, visitor.id) for each in above],
        page=pages.of_replies(page, visitor.id, views.post_path(post_id)),
        unread_post=await notifications.unread_post(read, visitor.id, post_id),
        form=None if here.post is None else form,
    )


@blueprint.post(f"/post/{POST_ID}/delete")
async def delete(post_id: int) -> Any:
    """Delete one's own post."""
    actor = await auth.person()
    async with runtime().database.write() as tx:
        await posts.delete_post(tx, actor, post_id, datetime.now(UTC))
    if wants_json():
        return Response(status=204)
    await flash(_("The post was deleted."), "success")
    fields = await forms.sent()
    return redirect(safe_next(fields.get("next"), url_for("timelines.home")), 303)
