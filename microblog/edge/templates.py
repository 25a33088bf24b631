"""The templates: an environment a language, in which every plain sentence is put in when a template
is compiled. Nothing in a template awaits, so they are rendered without the machinery for that.
"""

from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import Any, cast

from jinja2 import Environment, FileSystemLoader
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
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


@cache
def environment(code: str) -> Environment:
    """Return the templates in one language."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        extensions=["jinja2.ext.i18n", _Sentences],
        auto_reload=False,
    )
    made.filters["datetime"] = language.datetime_text
    made.filters["number"] = language.number_text
    translations = language.catalogue(code)
    made.globals.update(_globals, gettext_plain=translations.ugettext)
    made.install_gettext_callables(  # type: ignore[attr-defined]
        translations.ugettext, translations.ungettext, newstyle=True
    )
    return made


async def render(name: str, **context: Any) -> str:
    """Render a page's template in the language being spoken, with what every page is given."""
    given = {key: value for each in _of_every_page for key, value in each().items()}
    template = environment(language.current()).get_template(name)
    return template.render(given, request=request, **context)
