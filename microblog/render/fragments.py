"""Ready markup per language: a post's article, a notification, a job, for pages and live frames.

A post's article is the same for every reader, so it is made once per process and language and
kept. What depends on the reader is a small row beside it, in `posts/_item.html`.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup

from microblog.backends.translator import LABELS
from microblog.core.languages import known
from microblog.core.search_tokens import Term
from microblog.core.tasks import ExportPosts
from microblog.edge import language
from microblog.edge.templates import environment
from microblog.queries.jobs import JobRow
from microblog.queries.rows import Person, PostRow
from microblog.queries.translations import TranslationRow
from microblog.render import views
from microblog.render.notifications import NotificationView
from microblog.render.views import PostView
from microblog.runtime import runtime

_SHOWN_OF_AUTHOR = Person._fields.index("avatar") + 1  # not when they were seen, nor their counts
NOTHING = Markup()


def post(row: PostRow) -> PostView:
    """Return a post with its article in the language being spoken."""
    code = language.current()
    author = row.author
    key = (code, row[:-1], *author[:_SHOWN_OF_AUTHOR])
    kept: PostView | None = runtime().articles.get(key)
    if kept is not None:
        return kept
    view = runtime().articles[key] = _with_article(views.post(row))
    return view


def _with_article(view: PostView) -> PostView:
    code = language.current()
    foreign = view.language is not None and view.language != known(code)
    article = (
        environment(code)
        .get_template("posts/_post.html")
        .render(post=view, translatable=foreign and runtime().translates)
    )
    return replace(view, markup=Markup(article))  # noqa: S704 - an autoescaped template


def item(row: PostRow, *, own: bool, more: Markup = NOTHING) -> Markup:
    """Return a post as an item of a list, with what its author may do where it is one's `own`.

    `more` stands below it: `answer`.
    """
    view = post(row)
    code = language.current()
    key = (code, own, row.id, view.markup, more)
    kept: Markup | None = runtime().articles.get(key)
    if kept is None:
        template = environment(code).get_template("posts/_item.html")
        made = template.render(post=view, own=own and not view.deleted, more=more)
        kept = runtime().articles[key] = Markup(made)  # noqa: S704 - an autoescaped template
    return kept


def answer(row: PostRow, question: PostRow, *, own: bool, asks: bool) -> Markup:
    """Return an answer to a question as an item of a list: whether it is accepted, and to who asks
    the question the buttons that say so.
    """
    template = environment(language.current()).get_template("questions/_answer.html")
    accepted = question.accepted_id == row.id
    made = template.render(answer_id=row.id, question_id=question.id, accepted=accepted, asks=asks)
    return item(row, own=own, more=Markup(made))  # noqa: S704 - an autoescaped template


def similar(rows: Sequence[PostRow]) -> Markup:
    """Return a list of questions like one that is being written; empty where there is none."""
    template = environment(language.current()).get_template("questions/_similar.html")
    found = [views.post(row) for row in rows]
    return Markup(template.render(found=found))  # noqa: S704 - an autoescaped template


def tombstone(post_id: int) -> Markup:
    """Return, as an item of a list, where a post was that others answered."""
    template = environment(language.current()).get_template("posts/_tombstone.html")
    item_ = '<li class="feed-item" data-post="{}">{}</li>'
    return Markup(item_).format(post_id, Markup(template.render(post_id=post_id)))  # noqa: S704


def told(row: PostRow) -> dict[str, str | None]:
    """Return a post as a page is told of it: its article, and what decides where it belongs."""
    return {
        "id": str(row.id),
        "author_id": str(row.author_id),
        "reply_to": None if row.reply_to_id is None else str(row.reply_to_id),
        "reply_to_author": None if row.reply_to_user_id is None else str(row.reply_to_user_id),
        "html": post(row).markup,
    }


def translation(row: PostRow, made: TranslationRow) -> Markup:
    """Return a post's translation, as it stands below the post."""
    view = views.translation(row, made, LABELS.get(made.provider, made.provider))
    template = environment(language.current()).get_template("posts/_translation.html")
    return Markup(template.render(translation=view))  # noqa: S704 - an autoescaped template


def hit(row: PostRow, terms: Sequence[Term], *, own: bool) -> Markup:
    """Return a post as an item of a list in which it was found, with what it says of `terms`
    marked. Not kept: hardly anybody looks for the same.
    """
    if not terms:
        return item(row, own=own)
    template = environment(language.current()).get_template("posts/_item.html")
    made = template.render(post=_with_article(views.post(row, terms)), own=own)
    return Markup(made)  # noqa: S704 - an autoescaped template


def notification(view: NotificationView) -> Markup:
    """Return a notification's list item in the language being spoken."""
    template = environment(language.current()).get_template("notifications/_notification.html")
    return Markup(template.render(item=view))  # noqa: S704 - an autoescaped template


def job(row: JobRow) -> Markup:
    """Return how far a job has come, in the language being spoken."""
    if row.kind == ExportPosts.kind:
        return export(row)
    template = environment(language.current()).get_template("jobs/_job.html")
    return Markup(template.render(item=row))  # noqa: S704 - an autoescaped template


def export(row: JobRow | None) -> Markup:
    """Return how far somebody's export has come, with what can be done about it."""
    given: dict[str, Any] = {"item": row, "start_url": "/export_posts"}
    if row is not None:
        until = views.kept_until(row)
        given["until"] = until if until is not None and until > datetime.now(UTC) else None
        given |= {"url": views.export_path(row.id), "cancel_url": views.cancel_path(row.id)}
    template = environment(language.current()).get_template("exports/_export.html")
    return Markup(template.render(given))  # noqa: S704 - an autoescaped template
