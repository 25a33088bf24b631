"""The templates: an environment a language, in which every plain sentence is put in when a template
is compiled.

Half of a page's time went into looking up sentences that never change. Nothing in a template
awaits, so they are rendered without the machinery for that too.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, cast

from jinja2 import Environment, FileSystemLoader
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from quart import get_flashed_messages, request, url_for

from microblog.edge import language
from microblog.resources import TEMPLATES

_SENTENCE = ("variable_begin", "name", "lparen", "string", "rparen", "variable_end")
_globals: dict[str, Callable[..., Any]] = {
    "url_for": url_for,
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
    """Puts `{{ _("a sentence") }}` into a template as the environment's language says it."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        held: list[Token] = []
        for token in stream:
            held.append(token)
            place = len(held) - 1
            if token.type == _SENTENCE[place] and (place != 1 or token.value == "_"):
                if len(held) == len(_SENTENCE):
                    yield Token(token.lineno, "data", self._translated(held[3].value))
                    held.clear()
                continue
            *ready, last = held
            yield from ready
            held = [last] if last.type == _SENTENCE[0] else []
            if not held:
                yield last
        yield from held

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
