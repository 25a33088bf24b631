"""Ready markup per language: a post's article and a notification, for pages and live frames.

A post's article is the same for every reader, so it is made once per process and language and
kept. What depends on the reader is a small row beside it, in `posts/_item.html`.
"""

from dataclasses import replace
from functools import cache

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from microblog.edge import language
from microblog.queries.rows import NotificationRow, PostRow
from microblog.render import views
from microblog.render.views import PostView
from microblog.resources import TEMPLATES
from microblog.runtime import runtime


@cache
def environment(code: str) -> Environment:
    """Return templates that speak one language and need no request."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        extensions=["jinja2.ext.i18n"],
        auto_reload=False,
    )
    add_filters(made)
    translations = language.catalogue(code)
    made.install_gettext_callables(  # type: ignore[attr-defined]
        translations.ugettext, translations.ungettext, newstyle=True
    )
    return made


def add_filters(made: Environment) -> None:
    """Give templates the words for times and numbers, in the language being spoken."""
    made.filters["datetime"] = language.datetime_text
    made.filters["number"] = language.number_text


def post(row: PostRow) -> PostView:
    """Return a post with its article in the language being spoken."""
    code = language.current()
    author = row.author
    key = (code, row[:-1], author.id, author.username, author.display_name)
    kept: PostView | None = runtime().articles.get(key)
    if kept is not None:
        return kept
    view = views.post(row)
    article = environment(code).get_template("posts/_post.html").render(post=view)
    view = replace(view, markup=Markup(article))  # noqa: S704 - an autoescaped template
    runtime().articles[key] = view
    return view


def notification(row: NotificationRow) -> str:
    """Return a notification's list item in the language being spoken."""
    template = environment(language.current()).get_template("notifications/_notification.html")
    return template.render(item=views.notification(row))
