"""The templates: an environment a language, in which every plain sentence is put in when a template
is compiled. Nothing in a template awaits, so they are rendered without the machinery for that.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache, partial
from typing import Any, cast

from jinja2 import Environment, FunctionLoader, select_autoescape
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from markupsafe import Markup
from quart import get_flashed_messages, request, url_for

from microblog.edge import language
from microblog.resources import TEMPLATES

_SENTENCE = ("name", "lparen", "string", "rparen")


def _path_to(endpoint: str, **values: Any) -> str:
    """Return the address of a page of this application, as `url_for` does; kept once made."""
    return _made_path(request.root_path, endpoint, tuple(values.items()))


@lru_cache(4096)
def _made_path(_root: str, endpoint: str, values: tuple[tuple[str, Any], ...]) -> str:
    return url_for(endpoint, **dict(values))


_globals: dict[str, Callable[..., Any]] = {
    "url_for": _path_to,
    "get_flashed_messages": get_flashed_messages,
    "post_languages": language.post_languages,
}
_of_every_page: list[Callable[[], dict[str, Any]]] = []


def give(context: Callable[[], dict[str, Any]]) -> None:
    """Let every page have what this function returns, in a request."""
    if context not in _of_every_page:
        _of_every_page.append(context)


def add_global(name: str, function: Callable[..., Any]) -> None:
    """Let templates call a function. Before the first of them is rendered."""
    _globals[name] = function


class _Sentences(Extension):
    """Puts in place of `_("a sentence")` what the environment's language says, as a text."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        held: list[Token] = []
        for token in stream:
            held.append(token)
            while held and not self._may_be_one(held):
                yield held.pop(0)
            if len(held) == len(_SENTENCE):
                yield Token(token.lineno, "string", self._translated(held[2].value))
                held.clear()
        yield from held

    @staticmethod
    def _may_be_one(held: list[Token]) -> bool:
        types = tuple(token.type for token in held)
        return held[0].value == "_" and types == _SENTENCE[: len(held)]

    def _translated(self, text: str) -> str:
        translate = cast("Callable[[str], str]", self.environment.globals["gettext_plain"])
        return translate(text).replace("%%", "%")


def prepare(codes: Iterable[str]) -> None:
    """Read at the start what pages in these languages are made of, while files can be opened."""
    for code in codes:
        environment(code)
        language.own_name(code)


@cache
def sources() -> dict[str, tuple[str, str, None]]:
    """Return all templates by name, each with its file, read once.

    A page, above all one that tells of an error, must not depend on whether a file can be opened.
    """
    return {
        path.relative_to(TEMPLATES).as_posix(): (path.read_text(encoding="utf-8"), str(path), None)
        for path in sorted(TEMPLATES.rglob("*"))
        if path.is_file()
    }


@cache
def environment(code: str) -> Environment:
    """Return the templates in one language."""
    made = Environment(
        loader=FunctionLoader(sources().get),
        autoescape=select_autoescape(disabled_extensions=("txt",), default=True),
        extensions=["jinja2.ext.i18n", _Sentences],
        auto_reload=False,
    )
    made.filters["datetime"] = language.datetime_text
    made.filters["moment"] = language.moment_text
    made.filters["number"] = language.number_text
    made.filters["language_name"] = partial(language.name_of, spoken=code)
    made.globals["plural_samples"] = language.plural_samples(code)
    translations = language.catalogue(code)
    made.globals.update(_globals, part=_part, gettext_plain=translations.ugettext)
    made.install_gettext_callables(  # type: ignore[attr-defined]
        translations.ugettext, translations.ungettext, newstyle=True
    )
    return made


def _part(name: str, **given: Any) -> Markup:
    """Render a part that depends on nothing but its arguments; kept by them."""
    return _made_part(language.current(), request.root_path, name, tuple(given.items()))


@lru_cache(1024)
def _made_part(code: str, _root: str, name: str, given: tuple[tuple[str, Any], ...]) -> Markup:
    made = environment(code).get_template(name).render(dict(given), language=code)
    return Markup(made)  # noqa: S704 - an autoescaped template


def forget() -> None:
    """Compile and render everything anew: the catalogues have changed."""
    environment.cache_clear()
    _made_part.cache_clear()


async def render(name: str, **context: Any) -> str:
    """Render a page's template in the language being spoken, with what every page is given."""
    given = {key: value for each in _of_every_page for key, value in each().items()}
    template = environment(language.current()).get_template(name)
    return template.render(given, request=request, **context)
