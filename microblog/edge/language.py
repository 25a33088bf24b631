"""The reader's language: what they set, else their cookie, else what the browser asks for. A
program says with each request what it wants, so there that comes first, and no cookie counts.

Catalogues are read from the `.po` files themselves, so there is nothing to compile or to forget.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import cache, lru_cache

from babel import Locale
from babel.dates import format_date, format_time, get_datetime_format
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import NullTranslations, Translations

from microblog.core.errors import Message
from microblog.core.languages import CODES, known
from microblog.edge.request import asking, is_api
from microblog.models import User
from microblog.resources import TRANSLATIONS
from microblog.runtime import runtime

COOKIE = "language"
COOKIE_SECONDS = 365 * 86_400
LONGEST_TAG = 35  # as much as RFC 5646 asks for (4.4.1)
_current: ContextVar[str] = ContextVar("language", default="en")


@cache
def catalogue(language: str) -> NullTranslations:
    """Return the translations of a language; English needs none."""
    path = TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"
    if not path.is_file():
        return NullTranslations()
    with path.open("rb") as file:
        read = read_po(file, locale=locale(language))
    compiled = io.BytesIO()
    write_mo(compiled, read)
    compiled.seek(0)
    return Translations(compiled)


def locale(code: str) -> Locale:
    """Return what Unicode's CLDR knows of a language, by its BCP 47 tag ("pt-BR")."""
    return Locale.parse(code, sep="-")


def own_name(language: str) -> str:
    """Return what a language calls itself."""
    return _capitalised(locale(language).display_name or language)


def _capitalised(name: str) -> str:
    return name[:1].upper() + name[1:]


@cache
def name_of(code: str, spoken: str) -> str:
    """Return what a language is called in the one being spoken, within a sentence."""
    return str(locale(spoken).languages.get(code, code))


@cache
def _names(spoken: str, first: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    def place(code: str) -> tuple[int, str]:
        return first.index(code) if code in first else len(first), name_of(code, spoken)

    found = sorted(CODES, key=place)
    return tuple((code, _capitalised(name_of(code, spoken))) for code in found)


def post_languages() -> tuple[tuple[str, str], ...]:
    """Return the languages that a post may be in, with their names, those of this place first."""
    here = [known(code) for code in runtime().settings.languages]
    return _names(current(), tuple(code for code in here if code is not None))


@cache
def plural_samples(language: str) -> tuple[tuple[str, int], ...]:
    """Return the plural categories of a language (CLDR), each with a number that is of it.

    Scripts choose among them by the browser's `Intl.PluralRules`, which names them alike.
    """
    rule = locale(language).plural_form
    numbers = (*range(1, 201), 0, 1_000_000)
    found = {category: n for n in reversed(numbers) for category in (rule(n),)}
    return tuple(sorted(({"other": 2} | found).items()))


def current() -> str:
    """Return the language of what is being made."""
    return _current.get()


def speak(language: str) -> None:
    """Speak a language from here on, in this request."""
    _current.set(language)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Make what is inside the block in a language."""
    token = _current.set(language)
    try:
        yield
    finally:
        _current.reset(token)


def choose(user: User | None) -> str:
    """Choose the language of the current request and speak it from here on."""
    offered = runtime().settings.languages
    own, asked_for = user.language if user is not None else None, _asked_for(offered)
    wishes = (asked_for, own) if is_api() else (own, asking().cookies.get(COOKIE), asked_for)
    language = next((one for one in wishes if one in offered), offered[0])
    _current.set(language)
    return language


def _asked_for(offered: tuple[str, ...]) -> str | None:
    """Return the browser's first choice that we offer (RFC 4647, 3.4): British is English too."""
    by_tag = {code.lower(): code for code in offered}
    for asked, quality in asking().accept_languages:
        tag = asked.lower()[:LONGEST_TAG]
        while quality > 0 and tag:
            if tag in by_tag:
                return by_tag[tag]
            tag = tag.rpartition("-")[0]
    return None


def gettext(text: str) -> str:
    """Translate a sentence."""
    return str(catalogue(_current.get()).ugettext(text)) if text else ""


def ngettext(singular: str, plural: str, n: int) -> str:
    """Translate a sentence with a number."""
    return str(catalogue(_current.get()).ungettext(singular, plural, n))


def say(sentence: Message) -> str:
    """Translate a domain's message, with its values."""
    return sentence.fill(gettext(sentence.text))


def datetime_text(moment: datetime) -> str:
    """Return a time in words, in UTC; the browser shows it in the reader's own zone."""
    place = locale(_current.get())
    both = str(get_datetime_format("long", locale=place)).replace("'", "")
    time = format_time(moment, _time_pattern(place), locale=place)
    return both.replace("{0}", time).replace("{1}", format_date(moment, "long", locale=place))


@cache
def _time_pattern(place: Locale) -> str:
    """Return how a time is written, with the whole word for the half of the day.

    The short one of Korean is "AM" in CLDR, and nobody there writes so.
    """
    pattern = place.time_formats["long"].pattern
    return _HALF_OF_DAY.sub(lambda found: "aaaa" if found[0] == "a" else found[0], pattern)


_HALF_OF_DAY = re.compile("'[^']*'|a")


def moment_text(written: str) -> str:
    """Return a time that was written in ISO 8601 in words, in UTC."""
    return datetime_text(datetime.fromisoformat(written))


def number_text(number: int) -> str:
    """Return a number as the language writes it."""
    return _written(number, _current.get())


@lru_cache(4096)
def _written(number: int, code: str) -> str:
    return format_decimal(number, locale=locale(code))
