"""Writing, showing and deleting posts."""

from datetime import UTC, datetime
from typing import Any

from quart import Blueprint, Response, flash, jsonify, redirect, request, url_for

from microblog.actions import posts
from microblog.actions.posts import Draft
from microblog.core.cursors import GREATEST
from microblog.core.errors import Conflict, Forbidden, Invalid, NotSignedIn, TooManyTries, message
from microblog.core.locators import safe_next
from microblog.edge import auth, authoring, errors, forms, limits, templates
from microblog.edge.csrf import shows_form_again
from microblog.edge.language import gettext as _
from microblog.edge.language import say
from microblog.edge.request import wants_json
from microblog.models import User
from microblog.queries import notifications
from microblog.queries import posts as post_queries
from microblog.queries.events import HOME
from microblog.queries.rows import PostRow
from microblog.render import fragments, views
from microblog.runtime import runtime
from microblog.web import layout
from microblog.web.auth import log_in_first
from microblog.web.compose import PostForm, version_of
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
        return await log_in_first(form.post.data, sentence)
    if not form.validate():
        return await _refuse(form, author)
    key = request.headers.get("Idempotency-Key") or form.idempotency_key.data or None
    try:
        limits.count_post(author.id)
        body = form.post.data or ""
        language = await authoring.language_of(body, form.language.data)
        draft = Draft(body, key, language, saved=version_of(form))
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
        answer = jsonify({"id": str(post.id), "html": fragments.post(post).markup})
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
    async with runtime().database.read() as read:
        await layout.open_page(read, HOME)
        return await show_home(read, author, form), 403 if stale else status


@blueprint.get(f"/post/{POST_ID}")
async def show(post_id: int) -> Any:
    """Show one post at its own address; lead on to the page of a question."""
    async with runtime().database.read() as read:
        visitor = await layout.open_page(read, f"post:{post_id}")
        post = await post_queries.visible(read, post_id, visitor.id)
        if post.question is not None:
            return redirect(views.question_path(post.id), 302)
        return await templates.render(
            "posts/show.html",
            unread_post=await notifications.unread_post(read, visitor.id, post_id),
            post=fragments.post(post),
            item=fragments.item(post, own=post.author_id == visitor.id),
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
