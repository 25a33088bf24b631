"""Posts in the reader's language: beside the post by script, else on a page of their own."""

from typing import Any

from quart import Blueprint, jsonify
from wtforms import StringField

from microblog.core.cursors import parse
from microblog.core.errors import (
    Invalid,
    MicroblogError,
    NotFound,
    ServiceFailed,
    TooManyTries,
    Unavailable,
)
from microblog.edge import auth, errors, forms, language, templates, translations
from microblog.edge.forms import Form
from microblog.edge.request import wants_json
from microblog.models import User
from microblog.queries import posts
from microblog.render import fragments
from microblog.render import json as as_json
from microblog.runtime import runtime
from microblog.web import layout

blueprint = Blueprint("translations", __name__)


class TranslateForm(Form):
    """A post to be translated, by its id; `dest_language` is the reader's where none is sent."""

    post_id = StringField()
    dest_language = StringField()


@blueprint.post("/translate")
async def translate() -> Any:
    """Translate a post that the reader may see."""
    reader = await auth.person()
    form = TranslateForm(await forms.sent())
    post_id = _number(form.post_id.data)
    to = form.dest_language.data or language.current()
    try:
        post, made = await translations.of_post(post_id, reader, to)
    except (Invalid, ServiceFailed, TooManyTries, Unavailable) as problem:
        if wants_json():
            raise
        return await _refuse(post_id, reader, problem)
    fragment = fragments.translation(post, made)
    if wants_json():
        return jsonify(as_json.translation(made) | {"html": fragment})
    return await _page(post_id, reader, translation=fragment)


def _number(post_id: str | None) -> int:
    try:
        number = parse(post_id)
    except ValueError:
        raise NotFound from None
    if number is None:
        raise NotFound
    return number


async def _refuse(post_id: int, reader: User, problem: MicroblogError) -> Any:
    told = errors.problem_of(problem)
    sentences = [one for found in (told.errors or {}).values() for one in found]
    page = await _page(post_id, reader, problem=" ".join(sentences) or told.detail)
    wait = told.retry_after_seconds
    return page, told.status, {} if wait is None else {"Retry-After": str(wait)}


async def _page(post_id: int, reader: User, **shown: Any) -> str:
    async with runtime().database.read() as read:
        await layout.open_page(read, f"post:{post_id}")
        post = await posts.visible(read, post_id, reader.id)
        return await templates.render(
            "posts/translation.html",
            post=fragments.post(post),
            item=fragments.item(post, own=post.author_id == reader.id),
            **{"translation": None, "problem": None} | shown,
        )
